// SPDX-License-Identifier: MIT
// validator/localnet/epoch_step.hpp
//
// What happens at the start of every block: burn prices fall, emission accrues, epochs that are due run.
//
// Out      run_block_step changes the state only. After an epoch of a subnet its Incentive, Dividends,
//          Consensus, ValidatorTrust, Emission, ValidatorPermit, Active, StakeWeight and Bonds are new, and
//          the emission since the last one is staked to the hotkeys that earned it.
// Units    emission: BlockEmission rao of alpha a block for each subnet but root (1 alpha by default), half
//          to servers and half to validators as far as consensus allows; no owner's cut.
// Errors   none: state that the chain's own rules made cannot be refused by run_epoch.
// Threads  one.
// Source   subtensor pallets/subtensor: coinbase/{block_step,run_coinbase}.rs, epoch/run_epoch.rs
// Tests    tests/unit/validator/localnet/epoch_test.cpp
#pragma once

#include "validator/consensus/yuma.hpp"
#include "validator/localnet/state.hpp"

namespace adit::validator {

void run_block_step(State& state, BlockNumber block);

// The epoch that would run now for one mechanism, as Yuma takes it.
[[nodiscard]] EpochInput epoch_input(const State& state, NetUid netuid, MechId mechanism, BlockNumber block,
                                     Rao emission);

}  // namespace adit::validator
