// SPDX-License-Identifier: MIT
// common/chain/snapshot.hpp
//
// A subnet's metagraph, read from storage at one block hash. Internal to substrate_client.cpp.
//
// In       block: number and hash; every value is read at the hash.
// Out      Metagraph. Stake is the hotkey's own alpha in the subnet plus its TAO in subnet 0 times
// TaoWeight;
//          stake that other hotkeys lend as parents or children is not counted.
// Errors   kNotFound  no such subnet; kDataLoss  a value does not decode (named); as ChainRpc.
// Threads  any.
// Source   RaoFoundation/subtensor pallets/subtensor/src/lib.rs (storage), staking/stake_utils.rs
// Tests    tests/unit/common/chain/substrate_client_test.cpp, tests/integration/chain_localnet_test.cpp
#pragma once

#include <utility>
#include <vector>

#include "common/base/result.hpp"
#include "common/chain/chain_rpc.hpp"
#include "common/chain/client.hpp"

namespace adit::chain {

[[nodiscard]] Result<Metagraph> read_metagraph(ChainRpc& rpc, const Metadata& metadata, NetUid netuid,
                                               const BlockRef& block);
[[nodiscard]] Result<std::vector<std::pair<Uid, std::uint16_t>>> read_weights(
    ChainRpc& rpc, const Metadata& metadata, NetUid netuid, MechId mechanism, Uid uid,
    const std::optional<Hash256>& at);

// value * fraction / (2^64 - 1), rounded down: how the chain weighs TAO.
[[nodiscard]] std::uint64_t weighted(std::uint64_t value, std::uint64_t fraction);

}  // namespace adit::chain
