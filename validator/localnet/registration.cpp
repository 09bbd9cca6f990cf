// SPDX-License-Identifier: MIT
// Uids: how a hotkey gets one, and whose it takes when the subnet is full.
#include <algorithm>
#include <tuple>

#include "validator/localnet/subnet.hpp"

namespace adit::validator {
namespace {

template <class T>
void set_item(State& state, std::string_view item, NetUid index, Uid uid, T value) {
  auto list = state.get<std::vector<T>>(subtensor(item), index);
  if (list.size() <= uid) list.resize(uid + std::size_t{1});
  list[uid] = value;
  state.put(subtensor(item), list, index);
}

// The values of a neuron that starts now.
void reset_neuron(State& state, NetUid netuid, Uid uid, BlockNumber block) {
  set_item<std::uint16_t>(state, "Consensus", netuid, uid, 0);
  set_item<std::uint16_t>(state, "Dividends", netuid, uid, 0);
  set_item<std::uint16_t>(state, "ValidatorTrust", netuid, uid, 0);
  set_item<std::uint16_t>(state, "StakeWeight", netuid, uid, 0);
  set_item<Rao>(state, "Emission", netuid, uid, 0);
  set_item<bool>(state, "ValidatorPermit", netuid, uid, false);
  set_item<bool>(state, "Active", netuid, uid, true);
  const auto mechanisms = state.get<MechId>(subtensor("MechanismCountCurrent"), netuid);
  for (MechId mechanism = 0; mechanism < mechanisms; ++mechanism) {
    const NetUid index = storage_index(netuid, mechanism);
    set_item<std::uint16_t>(state, "Incentive", index, uid, 0);
    set_item<BlockNumber>(state, "LastUpdate", index, uid, block);
    state.remove(subtensor("Weights"), index, uid);
    state.remove(subtensor("Bonds"), index, uid);
  }
}

void forget_hotkey(State& state, NetUid netuid, const AccountId& hotkey) {
  state.remove(subtensor("Uids"), netuid, hotkey);
  state.remove(subtensor("IsNetworkMember"), hotkey, netuid);
  state.remove(subtensor("Axons"), netuid, hotkey);
  state.remove(subtensor("NeuronCertificates"), netuid, hotkey);
  state.remove(subtensor("Prometheus"), netuid, hotkey);
}

// The neuron that earns least, then came first, then has the lowest uid; immune ones and the owner's stay.
std::optional<Uid> uid_to_prune(const State& state, NetUid netuid, BlockNumber block) {
  const std::uint16_t count = uid_count(state, netuid);
  const auto immunity = state.get<std::uint16_t>(subtensor("ImmunityPeriod"), netuid);
  const auto emission = uid_list<Rao>(state, "Emission", netuid, count);
  const std::optional<Uid> owner = owner_uid(state, netuid);
  std::optional<std::tuple<Rao, BlockNumber, Uid>> least;
  for (Uid uid = 0; uid < count; ++uid) {
    const auto since = state.get<BlockNumber>(subtensor("BlockAtRegistration"), netuid, uid);
    if (owner == uid || block - std::min(block, since) < immunity) continue;
    const auto rank = std::make_tuple(emission[uid], since, uid);
    if (!least || rank < *least) least = rank;
  }
  if (!least) return std::nullopt;
  return std::get<2>(*least);
}

}  // namespace

std::optional<Uid> register_neuron(State& state, NetUid netuid, const AccountId& hotkey,
                                   BlockNumber block) {
  const std::uint16_t count = uid_count(state, netuid);
  Uid uid = count;
  if (count < state.get<std::uint16_t>(subtensor("MaxAllowedUids"), netuid)) {
    state.put(subtensor("SubnetworkN"), static_cast<std::uint16_t>(count + 1), netuid);
  } else {
    const std::optional<Uid> pruned = uid_to_prune(state, netuid, block);
    if (!pruned) return std::nullopt;
    uid = *pruned;
    forget_hotkey(state, netuid, hotkey_of(state, netuid, uid));
  }
  state.put(subtensor("Keys"), hotkey, netuid, uid);
  state.put(subtensor("Uids"), uid, netuid, hotkey);
  state.put(subtensor("BlockAtRegistration"), block, netuid, uid);
  state.put(subtensor("IsNetworkMember"), true, hotkey, netuid);
  reset_neuron(state, netuid, uid, block);
  return uid;
}

}  // namespace adit::validator
