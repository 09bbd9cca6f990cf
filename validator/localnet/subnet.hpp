// SPDX-License-Identifier: MIT
// validator/localnet/subnet.hpp
//
// Subnets as the storage keeps them: what exists, who is registered, what stake counts, when epochs run.
//
// In       netuids and hotkeys as stored; mechanism m of a subnet is stored under index m * 4096 + netuid.
// Units    stake in rao of alpha, root stake weighted by TaoWeight added; times in blocks.
// Errors   none: what does not exist reads as the metadata's default.
// Threads  one.
// Source   subtensor pallets/subtensor: subnets/uids.rs, subnets/subnet.rs, coinbase/run_coinbase.rs
// Tests    tests/unit/validator/localnet/{calls,epoch}_test.cpp
#pragma once

#include <optional>
#include <vector>

#include "common/base/strong.hpp"
#include "validator/localnet/call_context.hpp"
#include "validator/localnet/state.hpp"

namespace adit::validator {

inline constexpr NetUid kRootNetUid = 0;

[[nodiscard]] constexpr NetUid storage_index(NetUid netuid, MechId mechanism) {
  return static_cast<NetUid>(mechanism * 4096 + netuid);
}

[[nodiscard]] bool subnet_exists(const State& state, NetUid netuid);
[[nodiscard]] std::vector<NetUid> all_subnets(const State& state);
[[nodiscard]] std::uint16_t uid_count(const State& state, NetUid netuid);
[[nodiscard]] std::optional<Uid> uid_of(const State& state, NetUid netuid, const AccountId& hotkey);
[[nodiscard]] AccountId hotkey_of(const State& state, NetUid netuid, Uid uid);
[[nodiscard]] bool registered_anywhere(const State& state, const AccountId& hotkey);
[[nodiscard]] std::optional<AccountId> coldkey_of(const State& state, const AccountId& hotkey);
// The uid of the subnet owner's hotkey: exempt from stake and permit rules.
[[nodiscard]] std::optional<Uid> owner_uid(const State& state, NetUid netuid);

struct Stake {
  Rao alpha = 0;
  // Root stake before weighting.
  Rao tao = 0;
  // alpha + tao * TaoWeight: what the epoch and the weight rules count.
  Rao total = 0;
};
[[nodiscard]] Stake stake_of(const State& state, NetUid netuid, const AccountId& hotkey);

// A list with one item a uid, padded with `fill` when the stored one is shorter.
template <class T>
[[nodiscard]] std::vector<T> uid_list(const State& state, std::string_view item, NetUid index,
                                      std::size_t count, T fill = T{}) {
  auto list = state.get<std::vector<T>>(subtensor(item), index);
  list.resize(count, fill);
  return list;
}

[[nodiscard]] bool should_run_epoch(const State& state, NetUid netuid, BlockNumber block);
// What SubnetInfoRuntimeApi_get_next_epoch_start_block answers.
[[nodiscard]] std::optional<BlockNumber> next_epoch_block(const State& state, NetUid netuid);

// A new subnet with the chain's values for new subnets; the owner's hotkey is registered as uid 0 only by
// register_network.
void add_subnet(State& state, NetUid netuid, const AccountId& owner_coldkey, const AccountId& owner_hotkey,
                BlockNumber block);

// Makes room for a hotkey and registers it. None: the subnet is full of immune neurons.
[[nodiscard]] std::optional<Uid> register_neuron(State& state, NetUid netuid, const AccountId& hotkey,
                                                 BlockNumber block);
// Notes that coldkey owns hotkey, if nobody does yet.
void adopt_hotkey(State& state, const AccountId& coldkey, const AccountId& hotkey);

}  // namespace adit::validator
