// SPDX-License-Identifier: MIT
#include "validator/localnet/subnet.hpp"

#include <algorithm>
#include <limits>

#include "common/base/bytes.hpp"
#include "validator/consensus/fixed.hpp"

namespace adit::validator {
namespace {

constexpr std::uint64_t kTempoMax = 50400;

// The chain's values for a subnet that is newly made, where they differ from the metadata's defaults.
constexpr std::uint16_t kNewMaxAllowedUids = 256;
constexpr std::uint16_t kNewMaxAllowedValidators = 64;
constexpr std::uint16_t kNewMinAllowedWeights = 1;
constexpr std::uint16_t kNewImmunityPeriod = 5000;
constexpr std::uint16_t kNewTempo = 360;
constexpr Rao kNewBurn = 1'000'000'000;

}  // namespace

bool subnet_exists(const State& state, NetUid netuid) {
  return state.get<bool>(subtensor("NetworksAdded"), netuid);
}

std::vector<NetUid> all_subnets(const State& state) {
  const Bytes prefix = state.key(subtensor("NetworksAdded"));
  std::vector<NetUid> out;
  for (const Bytes& key : state.keys_under(prefix)) {
    const NetUid netuid = load_le<NetUid>(key.data() + prefix.size());
    if (subnet_exists(state, netuid)) out.push_back(netuid);
  }
  std::sort(out.begin(), out.end());
  return out;
}

std::uint16_t uid_count(const State& state, NetUid netuid) {
  return state.get<std::uint16_t>(subtensor("SubnetworkN"), netuid);
}

std::optional<Uid> uid_of(const State& state, NetUid netuid, const AccountId& hotkey) {
  return state.find<Uid>(subtensor("Uids"), netuid, hotkey);
}

AccountId hotkey_of(const State& state, NetUid netuid, Uid uid) {
  return state.get<AccountId>(subtensor("Keys"), netuid, uid);
}

bool registered_anywhere(const State& state, const AccountId& hotkey) {
  for (const NetUid netuid : all_subnets(state)) {
    if (uid_of(state, netuid, hotkey)) return true;
  }
  return false;
}

std::optional<AccountId> coldkey_of(const State& state, const AccountId& hotkey) {
  return state.find<AccountId>(subtensor("Owner"), hotkey);
}

std::optional<Uid> owner_uid(const State& state, NetUid netuid) {
  return uid_of(state, netuid, state.get<AccountId>(subtensor("SubnetOwnerHotkey"), netuid));
}

Stake stake_of(const State& state, NetUid netuid, const AccountId& hotkey) {
  Stake stake;
  stake.alpha = state.get<Rao>(subtensor("TotalHotkeyAlpha"), hotkey, netuid);
  stake.tao = state.get<Rao>(subtensor("TotalHotkeyAlpha"), hotkey, kRootNetUid);
  constexpr std::uint64_t most = std::numeric_limits<std::uint64_t>::max();
  const auto weight = state.get<std::uint64_t>(subtensor("TaoWeight"));
  const UInt128 total = stake.alpha + static_cast<UInt128>(stake.tao) * weight / most;
  stake.total = total > most ? most : static_cast<Rao>(total);
  return stake;
}

bool should_run_epoch(const State& state, NetUid netuid, BlockNumber block) {
  const auto tempo = state.get<std::uint16_t>(subtensor("Tempo"), netuid);
  if (tempo == 0) return false;
  const auto pending = state.get<BlockNumber>(subtensor("PendingEpochAt"), netuid);
  if (pending > 0 && block >= pending) return true;
  if (state.get<std::uint64_t>(subtensor("BlocksSinceLastStep"), netuid) > kTempoMax) return true;
  const auto last = state.get<BlockNumber>(subtensor("LastEpochBlock"), netuid);
  return block - std::min(block, last) >= tempo;
}

std::optional<BlockNumber> next_epoch_block(const State& state, NetUid netuid) {
  const auto tempo = state.get<std::uint16_t>(subtensor("Tempo"), netuid);
  if (!subnet_exists(state, netuid) || tempo == 0) return std::nullopt;
  const BlockNumber by_tempo = state.get<BlockNumber>(subtensor("LastEpochBlock"), netuid) + tempo;
  const auto pending = state.get<BlockNumber>(subtensor("PendingEpochAt"), netuid);
  return pending > 0 ? std::min(by_tempo, pending) : by_tempo;
}

void add_subnet(State& state, NetUid netuid, const AccountId& owner_coldkey, const AccountId& owner_hotkey,
                BlockNumber block) {
  state.put(subtensor("NetworksAdded"), true, netuid);
  const auto total = state.get<std::uint16_t>(subtensor("TotalNetworks"));
  state.put(subtensor("TotalNetworks"), static_cast<std::uint16_t>(total + 1));
  state.put(subtensor("SubnetworkN"), std::uint16_t{0}, netuid);
  state.put(subtensor("NetworkRegisteredAt"), block, netuid);
  state.put(subtensor("Tempo"), kNewTempo, netuid);
  state.put(subtensor("LastEpochBlock"), block, netuid);
  state.put(subtensor("SubnetOwner"), owner_coldkey, netuid);
  state.put(subtensor("SubnetOwnerHotkey"), owner_hotkey, netuid);
  state.put(subtensor("MaxAllowedUids"), kNewMaxAllowedUids, netuid);
  state.put(subtensor("MaxAllowedValidators"), kNewMaxAllowedValidators, netuid);
  state.put(subtensor("MinAllowedWeights"), kNewMinAllowedWeights, netuid);
  state.put(subtensor("ImmunityPeriod"), kNewImmunityPeriod, netuid);
  state.put(subtensor("Burn"), kNewBurn, netuid);
  state.put(subtensor("Yuma3On"), true, netuid);
  state.put(subtensor("CommitRevealWeightsEnabled"), true, netuid);
  state.put(subtensor("SubtokenEnabled"), true, netuid);
  state.put(subtensor("NetworkRegistrationAllowed"), true, netuid);
  // Stake is one to one (mechanism 0), and no part of the emission goes to the owner.
  state.put(subtensor("SubnetMechanism"), std::uint16_t{0}, netuid);
  state.put(subtensor("OwnerCutEnabled"), false, netuid);
  state.put(subtensor("TokenSymbol"), Bytes{0xce, 0xb1}, netuid);
}

void adopt_hotkey(State& state, const AccountId& coldkey, const AccountId& hotkey) {
  if (coldkey_of(state, hotkey)) return;
  state.put(subtensor("Owner"), coldkey, hotkey);
  auto owned = state.get<std::vector<AccountId>>(subtensor("OwnedHotkeys"), coldkey);
  owned.push_back(hotkey);
  state.put(subtensor("OwnedHotkeys"), owned, coldkey);
}

}  // namespace adit::validator
