// SPDX-License-Identifier: MIT
#include "validator/localnet/epoch_step.hpp"

#include <algorithm>
#include <limits>

#include "common/base/check.hpp"
#include "validator/consensus/fixed.hpp"
#include "validator/localnet/neuron_calls.hpp"
#include "validator/localnet/staking.hpp"
#include "validator/localnet/subnet.hpp"

namespace adit::validator {
namespace {

Rao saturating_add(Rao a, Rao b) {
  return a > std::numeric_limits<Rao>::max() - b ? std::numeric_limits<Rao>::max() : a + b;
}

// The parts of `emission` that the mechanisms get: by MechanismEmissionSplit or evenly; what rounding leaves
// goes to the first.
std::vector<Rao> mechanism_parts(const State& state, NetUid netuid, MechId mechanisms, Rao emission) {
  std::vector<Rao> parts(mechanisms, emission / mechanisms);
  const auto split = state.find<std::vector<std::uint16_t>>(subtensor("MechanismEmissionSplit"), netuid);
  if (split && split->size() == mechanisms) {
    for (std::size_t i = 0; i < parts.size(); ++i) {
      parts[i] = static_cast<Rao>(static_cast<UInt128>(emission) * (*split)[i] / 65535);
    }
  }
  Rao given = 0;
  for (const Rao part : parts) given = saturating_add(given, part);
  parts[0] = saturating_add(parts[0], emission - std::min(emission, given));
  return parts;
}

void write_bonds(State& state, NetUid index, const std::vector<bool>& old_permits, const EpochOutput& out) {
  for (std::size_t i = 0; i < out.bonds.size(); ++i) {
    const auto uid = static_cast<Uid>(i);
    if (out.permits[i]) {
      state.put(subtensor("Bonds"), out.bonds[i], index, uid);
    } else if (old_permits[i]) {
      // Bonds go with the permit.
      state.put(subtensor("Bonds"), ShareRow{}, index, uid);
    }
  }
}

// Sums what the mechanisms pay; the other outputs are the first mechanism's.
void merge(EpochOutput& all, const EpochOutput& more) {
  for (std::size_t i = 0; i < all.emission.size(); ++i) {
    all.emission[i] = saturating_add(all.emission[i], more.emission[i]);
    all.server_emission[i] = saturating_add(all.server_emission[i], more.server_emission[i]);
    all.validator_emission[i] = saturating_add(all.validator_emission[i], more.validator_emission[i]);
  }
}

void pay_out(State& state, NetUid netuid, const EpochOutput& out) {
  const std::optional<Uid> owner = owner_uid(state, netuid);
  for (std::size_t i = 0; i < out.emission.size(); ++i) {
    const auto uid = static_cast<Uid>(i);
    const AccountId hotkey = hotkey_of(state, netuid, uid);
    const AccountId coldkey = coldkey_of(state, hotkey).value_or(hotkey);
    const Position owners{.hotkey = hotkey, .coldkey = coldkey, .netuid = netuid};
    // What miners' consensus gives to the subnet owner's own hotkey is burned.
    if (out.server_emission[i] > 0 && owner != uid) add_alpha(state, owners, out.server_emission[i]);
    const Rao dividends = out.validator_emission[i];
    if (dividends == 0) continue;
    const auto take = state.get<std::uint16_t>(subtensor("Delegates"), hotkey);
    const Rao taken = static_cast<Rao>(static_cast<UInt128>(dividends) * take / 65535);
    share_alpha(state, hotkey, netuid, dividends - taken);
    if (taken > 0) add_alpha(state, owners, taken);
    state.put(subtensor("AlphaDividendsPerSubnet"), dividends - taken, netuid, hotkey);
  }
}

Rao take_pending(State& state, NetUid netuid) {
  Rao pending = 0;
  for (const auto* item : {"PendingServerEmission", "PendingValidatorEmission"}) {
    pending = saturating_add(pending, state.get<Rao>(subtensor(item), netuid));
    state.put(subtensor(item), Rao{0}, netuid);
  }
  return pending;
}

void run_subnet_epoch(State& state, NetUid netuid, BlockNumber block) {
  const Rao emission = take_pending(state, netuid);
  const std::uint16_t count = uid_count(state, netuid);
  const auto old_permits = uid_list<bool>(state, "ValidatorPermit", netuid, count);
  const auto mechanisms =
      std::max<MechId>(1, state.get<MechId>(subtensor("MechanismCountCurrent"), netuid));
  const std::vector<Rao> parts = mechanism_parts(state, netuid, mechanisms, emission);
  EpochOutput all;
  for (MechId mechanism = 0; mechanism < mechanisms; ++mechanism) {
    const NetUid index = storage_index(netuid, mechanism);
    Result<EpochOutput> out = run_epoch(epoch_input(state, netuid, mechanism, block, parts[mechanism]));
    ADIT_CHECK(out.has_value());
    state.put(subtensor("Incentive"), out->incentive, index);
    state.put(subtensor("ConsensusByMechanism"), out->consensus, index);
    write_bonds(state, index, old_permits, *out);
    if (mechanism == 0) {
      all = *std::move(out);
    } else {
      merge(all, *out);
    }
  }
  state.put(subtensor("Dividends"), all.dividends, netuid);
  state.put(subtensor("Consensus"), all.consensus, netuid);
  state.put(subtensor("ValidatorTrust"), all.validator_trust, netuid);
  state.put(subtensor("Emission"), all.emission, netuid);
  state.put(subtensor("ValidatorPermit"), all.permits, netuid);
  state.put(subtensor("Active"), all.active, netuid);
  state.put(subtensor("StakeWeight"), all.stake_weight, netuid);
  state.put(subtensor("LastMechansimStepBlock"), block, netuid);
  pay_out(state, netuid, all);
}

void accrue(State& state, NetUid netuid) {
  const Rao emission = state.get<Rao>(subtensor("BlockEmission"));
  state.put(subtensor("SubnetAlphaOutEmission"), emission, netuid);
  const auto add = [&](std::string_view item, Rao amount) {
    state.put(subtensor(item), saturating_add(state.get<Rao>(subtensor(item), netuid), amount), netuid);
  };
  add("PendingServerEmission", emission / 2);
  add("PendingValidatorEmission", emission - emission / 2);
}

}  // namespace

EpochInput epoch_input(const State& state, NetUid netuid, MechId mechanism, BlockNumber block,
                       Rao emission) {
  const NetUid index = storage_index(netuid, mechanism);
  const std::uint16_t count = uid_count(state, netuid);
  EpochInput in;
  in.block = block;
  in.tempo = state.get<std::uint16_t>(subtensor("Tempo"), netuid);
  const std::uint64_t factor = state.get<std::uint32_t>(subtensor("ActivityCutoffFactorMilli"), netuid);
  in.activity_cutoff = std::max<std::uint64_t>(1, factor * in.tempo / 1000);
  in.last_update = uid_list<BlockNumber>(state, "LastUpdate", index, count);
  in.permits = uid_list<bool>(state, "ValidatorPermit", netuid, count);
  in.stake_threshold = state.get<Rao>(subtensor("StakeThreshold"));
  in.owner = owner_uid(state, netuid);
  in.max_validators = state.get<std::uint16_t>(subtensor("MaxAllowedValidators"), netuid);
  for (Uid uid = 0; uid < count; ++uid) {
    in.registered_at.push_back(state.get<BlockNumber>(subtensor("BlockAtRegistration"), netuid, uid));
    in.stake.push_back(stake_of(state, netuid, hotkey_of(state, netuid, uid)).total);
    in.weights.push_back(state.get<ShareRow>(subtensor("Weights"), index, uid));
    in.bonds.push_back(state.get<ShareRow>(subtensor("Bonds"), index, uid));
  }
  in.commit_reveal = state.get<bool>(subtensor("CommitRevealWeightsEnabled"), netuid);
  in.commit_blocks.resize(count);
  in.kappa = state.get<std::uint16_t>(subtensor("Kappa"), netuid);
  in.bonds_penalty = state.get<std::uint16_t>(subtensor("BondsPenalty"), netuid);
  in.yuma3 = state.get<bool>(subtensor("Yuma3On"), netuid);
  in.liquid_alpha = state.get<bool>(subtensor("LiquidAlphaOn"), netuid);
  in.last_mechanism_step = state.get<BlockNumber>(subtensor("LastMechansimStepBlock"), netuid);
  in.bonds_moving_average = state.get<std::uint64_t>(subtensor("BondsMovingAverage"), netuid);
  const auto alpha = state.get<std::pair<std::uint16_t, std::uint16_t>>(subtensor("AlphaValues"), netuid);
  in.alpha_low = alpha.first;
  in.alpha_high = alpha.second;
  in.alpha_steepness = state.get<std::int16_t>(subtensor("AlphaSigmoidSteepness"), netuid);
  in.emission = emission;
  return in;
}

void run_block_step(State& state, BlockNumber block) {
  const auto most_epochs = state.get<std::uint8_t>(subtensor("MaxEpochsPerBlock"));
  std::uint8_t epochs = 0;
  for (const NetUid netuid : all_subnets(state)) {
    if (netuid == kRootNetUid) continue;
    decay_burn(state, netuid);
    state.put(subtensor("RegistrationsThisBlock"), std::uint16_t{0}, netuid);
    accrue(state, netuid);
    const bool due = should_run_epoch(state, netuid, block);
    if (due && epochs < most_epochs) {
      ++epochs;
      run_subnet_epoch(state, netuid, block);
      state.put(subtensor("LastEpochBlock"), block, netuid);
      state.put(subtensor("PendingEpochAt"), BlockNumber{0}, netuid);
      const auto index = state.get<std::uint64_t>(subtensor("SubnetEpochIndex"), netuid);
      state.put(subtensor("SubnetEpochIndex"), index + 1, netuid);
      state.put(subtensor("BlocksSinceLastStep"), std::uint64_t{0}, netuid);
    } else {
      const auto blocks = state.get<std::uint64_t>(subtensor("BlocksSinceLastStep"), netuid);
      state.put(subtensor("BlocksSinceLastStep"), blocks + 1, netuid);
    }
  }
}

}  // namespace adit::validator
