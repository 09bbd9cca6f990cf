// SPDX-License-Identifier: MIT
// validator/localnet/staking.hpp
//
// Stake: a hotkey's alpha on a subnet, and the shares of it that coldkeys hold.
//
// Units    rao of alpha. Shares are U64F64; a coldkey's alpha is total alpha * its shares / all shares.
// Errors   call handlers fail with SubtensorModule errors by name.
// Exact    integers; a division loses at most one rao, to the pool.
// Threads  one.
// Source   subtensor pallets/subtensor/src/staking; on every subnet of the local chain one rao of TAO buys
//          one rao of alpha (subnet mechanism 0), without slippage or fee
// Tests    tests/unit/validator/localnet/calls_test.cpp
#pragma once

#include "validator/localnet/call_context.hpp"

namespace adit::validator {

// The least amount that may be staked or unstaked.
inline constexpr Rao kStakeMin = 2'000'000;

struct Position {
  AccountId hotkey{};
  AccountId coldkey{};
  NetUid netuid = 0;
};

[[nodiscard]] Rao alpha_of(const State& state, const Position& position);
// Alpha for one coldkey: its shares grow.
void add_alpha(State& state, const Position& position, Rao amount);
// Alpha for all who hold shares of the hotkey; for the owner if nobody does.
void share_alpha(State& state, const AccountId& hotkey, NetUid netuid, Rao amount);

[[nodiscard]] Dispatched call_add_stake(const CallContext& call);
[[nodiscard]] Dispatched call_remove_stake(const CallContext& call);

}  // namespace adit::validator
