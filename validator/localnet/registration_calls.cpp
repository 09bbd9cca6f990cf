// SPDX-License-Identifier: MIT
#include <algorithm>

#include "validator/consensus/fixed.hpp"
#include "validator/localnet/accounts.hpp"
#include "validator/localnet/neuron_calls.hpp"
#include "validator/localnet/subnet.hpp"

namespace adit::validator {
namespace {

// ln 2 in I32F32, rounded to nearest.
constexpr std::int64_t kLn2Raw = 2977044472;

void put_burn(State& state, NetUid netuid, UInt128 burn) {
  const Rao least = state.get<Rao>(subtensor("MinBurn"), netuid);
  const Rao most = std::max(least, state.get<Rao>(subtensor("MaxBurn"), netuid));
  const Rao clamped = burn > most ? most : std::max(least, static_cast<Rao>(burn));
  state.put(subtensor("Burn"), clamped, netuid);
}

void raise_burn(State& state, NetUid netuid) {
  const auto multiplier = state.get<Wide>(subtensor("BurnIncreaseMult"), netuid);
  const Rao burn = state.get<Rao>(subtensor("Burn"), netuid);
  const UInt128 fraction = (static_cast<UInt128>(burn) * multiplier[0]) >> 64;
  put_burn(state, netuid, static_cast<UInt128>(burn) * multiplier[1] + fraction);
}

void add_u16(State& state, std::string_view item, NetUid netuid) {
  const auto value = state.get<std::uint16_t>(subtensor(item), netuid);
  state.put(subtensor(item), static_cast<std::uint16_t>(value + 1), netuid);
}

// The smallest netuid above root that no subnet has; none: the limit is reached.
std::optional<NetUid> free_netuid(const State& state) {
  const std::vector<NetUid> taken = all_subnets(state);
  const auto limit = state.get<std::uint16_t>(subtensor("SubnetLimit"));
  for (NetUid netuid = 1; netuid <= limit; ++netuid) {
    if (std::find(taken.begin(), taken.end(), netuid) == taken.end()) return netuid;
  }
  return std::nullopt;
}

}  // namespace

void decay_burn(State& state, NetUid netuid) {
  const auto half_life = state.get<std::uint16_t>(subtensor("BurnHalfLife"), netuid);
  if (half_life == 0) return;
  const Rao burn = state.get<Rao>(subtensor("Burn"), netuid);
  const I32F32 factor = exp_clamped(I32F32::from_raw(-(kLn2Raw / half_life)));
  const Rao decayed = factor.of_amount(burn);
  put_burn(state, netuid, decayed);
}

Dispatched call_burned_register(const CallContext& call) {
  if (!call.signer) return bad_origin();
  State& state = call.state;
  const auto netuid = call.arg<NetUid>("netuid");
  const auto hotkey = call.arg<AccountId>("hotkey");
  const AccountId& coldkey = *call.signer;
  if (netuid == kRootNetUid) return call.fail("RegistrationNotPermittedOnRootSubnet");
  if (!subnet_exists(state, netuid)) return call.fail("SubnetNotExists");
  if (!state.get<bool>(subtensor("NetworkRegistrationAllowed"), netuid)) {
    return call.fail("SubNetRegistrationDisabled");
  }
  if (uid_of(state, netuid, hotkey)) return call.fail("HotKeyAlreadyRegisteredInSubNet");
  const Rao price = state.get<Rao>(subtensor("Burn"), netuid);
  if (read_account(state, coldkey).free < price) return call.fail("NotEnoughBalanceToStake");
  if (coldkey_of(state, hotkey).value_or(coldkey) != coldkey) return call.fail("NonAssociatedColdKey");
  if (!withdraw(state, call.events, coldkey, price, AfterWithdrawal::kMustLive)) {
    return call.fail("NotEnoughBalanceToStake");
  }
  destroy_issuance(state, price);
  const auto recycled = state.get<Rao>(subtensor("RAORecycledForRegistration"), netuid);
  state.put(subtensor("RAORecycledForRegistration"), recycled + price, netuid);
  const std::optional<Uid> uid = register_neuron(state, netuid, hotkey, call.block);
  if (!uid) return call.fail("NoNeuronIdAvailable");
  adopt_hotkey(state, coldkey, hotkey);
  add_u16(state, "RegistrationsThisBlock", netuid);
  add_u16(state, "RegistrationsThisInterval", netuid);
  add_u16(state, "BurnRegistrationsThisInterval", netuid);
  raise_burn(state, netuid);
  call.emit("NeuronRegistered", netuid, *uid, hotkey);
  return {};
}

Dispatched call_register_network(const CallContext& call) {
  if (!call.signer) return bad_origin();
  State& state = call.state;
  const auto hotkey = call.arg<AccountId>("hotkey");
  const AccountId& coldkey = *call.signer;
  if (coldkey_of(state, hotkey).value_or(coldkey) != coldkey) return call.fail("NonAssociatedColdKey");
  const std::optional<NetUid> netuid = free_netuid(state);
  if (!netuid) return call.fail("SubnetLimitReached");
  const Rao cost = state.get<Rao>(subtensor("NetworkMinLockCost"));
  if (!withdraw(state, call.events, coldkey, cost, AfterWithdrawal::kMustLive)) {
    return call.fail("CannotAffordLockCost");
  }
  state.put(subtensor("SubnetLocked"), cost, *netuid);
  state.put(subtensor("SubnetTAO"), cost, *netuid);
  add_subnet(state, *netuid, coldkey, hotkey, call.block);
  adopt_hotkey(state, coldkey, hotkey);
  const std::optional<Uid> uid = register_neuron(state, *netuid, hotkey, call.block);
  if (!uid) return call.fail("NoNeuronIdAvailable");
  // The second field is the subnet mechanism.
  call.emit("NetworkAdded", *netuid, std::uint16_t{0});
  return {};
}

}  // namespace adit::validator
