// SPDX-License-Identifier: MIT
#include "validator/localnet/admin_calls.hpp"

#include <algorithm>
#include <array>

#include "validator/localnet/subnet.hpp"

namespace adit::validator {
namespace {

constexpr std::string_view kPallet = "AdminUtils";
constexpr std::string_view kPrefix = "sudo_set_";
constexpr std::uint16_t kMaxAllowedUids = 256;
constexpr std::uint64_t kBondsMovingAverageMax = 975000;

constexpr std::array kTable = std::to_array<AdminCall>({
    {"activity_cutoff", "ActivityCutoff", "ActivityCutoffSet"},
    {"activity_cutoff_factor", "ActivityCutoffFactorMilli", "ActivityCutoffFactorMilliSet"},
    {"adjustment_alpha", "AdjustmentAlpha", "AdjustmentAlphaSet"},
    {"adjustment_interval", "AdjustmentInterval", "AdjustmentIntervalSet"},
    {"admin_freeze_window", "AdminFreezeWindow", "AdminFreezeWindowSet"},
    {"alpha_sigmoid_steepness", "AlphaSigmoidSteepness", "AlphaSigmoidSteepnessSet"},
    {"alpha_values", "AlphaValues", ""},
    {"bonds_moving_average", "BondsMovingAverage", "BondsMovingAverageSet"},
    {"bonds_penalty", "BondsPenalty", "BondsPenaltySet"},
    {"bonds_reset_enabled", "BondsResetOn", "BondsResetOnSet"},
    {"burn_half_life", "BurnHalfLife", "BurnHalfLifeSet"},
    {"burn_increase_mult", "BurnIncreaseMult", "BurnIncreaseMultSet"},
    {"commit_reveal_version", "CommitRevealWeightsVersion", "CommitRevealVersionSet"},
    {"commit_reveal_weights_enabled", "CommitRevealWeightsEnabled", ""},
    {"commit_reveal_weights_interval", "RevealPeriodEpochs", "CommitRevealPeriodsSet"},
    {"default_take", "MaxDelegateTake", "MaxDelegateTakeSet"},
    {"difficulty", "Difficulty", "DifficultySet"},
    {"immunity_period", "ImmunityPeriod", "ImmunityPeriodSet"},
    {"kappa", "Kappa", "KappaSet"},
    {"liquid_alpha_enabled", "LiquidAlphaOn", ""},
    {"max_allowed_uids", "MaxAllowedUids", "MaxAllowedUidsSet"},
    {"max_allowed_validators", "MaxAllowedValidators", "MaxAllowedValidatorsSet"},
    {"max_burn", "MaxBurn", "MaxBurnSet"},
    {"max_difficulty", "MaxDifficulty", "MaxDifficultySet"},
    {"max_epochs_per_block", "MaxEpochsPerBlock", "MaxEpochsPerBlockSet"},
    {"max_registrations_per_block", "MaxRegistrationsPerBlock", "MaxRegistrationsPerBlockSet"},
    {"mechanism_count", "MechanismCountCurrent", ""},
    {"min_allowed_uids", "MinAllowedUids", "MinAllowedUidsSet"},
    {"min_allowed_weights", "MinAllowedWeights", "MinAllowedWeightSet"},
    {"min_burn", "MinBurn", "MinBurnSet"},
    {"min_delegate_take", "MinDelegateTake", "MinDelegateTakeSet"},
    {"min_difficulty", "MinDifficulty", "MinDifficultySet"},
    {"min_non_immune_uids", "MinNonImmuneUids", "MinNonImmuneUidsSet"},
    {"network_immunity_period", "NetworkImmunityPeriod", "NetworkImmunityPeriodSet"},
    {"network_min_lock_cost", "NetworkMinLockCost", "NetworkMinLockCostSet"},
    {"network_pow_registration_allowed", "NetworkPowRegistrationAllowed", "PowRegistrationAllowed"},
    {"network_rate_limit", "NetworkRateLimit", "NetworkRateLimitSet"},
    {"network_registration_allowed", "NetworkRegistrationAllowed", "RegistrationAllowed"},
    {"owner_cut_enabled", "OwnerCutEnabled", ""},
    {"owner_hparam_rate_limit", "OwnerHyperparamRateLimit", "OwnerHyperparamRateLimitSet"},
    {"owner_immune_neuron_limit", "ImmuneOwnerUidsLimit", ""},
    {"rho", "Rho", "RhoSet"},
    {"serving_rate_limit", "ServingRateLimit", "ServingRateLimitSet"},
    {"sn_owner_hotkey", "SubnetOwnerHotkey", "SubnetOwnerHotkeySet"},
    {"stake_threshold", "StakeThreshold", "StakeThresholdSet"},
    {"subnet_limit", "SubnetLimit", "SubnetLimitSet"},
    {"subnet_owner_cut", "SubnetOwnerCut", "SubnetOwnerCutSet"},
    {"subtoken_enabled", "SubtokenEnabled", ""},
    {"target_registrations_per_interval", "TargetRegistrationsPerInterval", "RegistrationPerIntervalSet"},
    {"tempo", "Tempo", "TempoSet"},
    {"toggle_transfer", "TransferToggle", ""},
    {"tx_rate_limit", "TxRateLimit", "TxRateLimitSet"},
    {"weights_set_rate_limit", "WeightsSetRateLimit", "WeightsSetRateLimitSet"},
    {"weights_version_key", "WeightsVersionKey", "WeightsVersionKeySet"},
    {"yuma3_enabled", "Yuma3On", ""},
});

// Relations that the chain checks before it takes a value.
Dispatched check_value(const CallContext& call, const AdminCall& admin, NetUid netuid) {
  const auto value = [&](std::size_t argument) { return call.call.arguments[argument].value; };
  if (admin.name == "max_allowed_uids") {
    const auto most = decoded<std::uint16_t>(value(1)).value_or(0);
    if (most < uid_count(call.state, netuid)) {
      return call.fail_in(kPallet, "MaxAllowedUIdsLessThanCurrentUIds");
    }
    if (most > kMaxAllowedUids) {
      return call.fail_in(kPallet, "MaxAllowedUidsGreaterThanDefaultMaxAllowedUids");
    }
  }
  if (admin.name == "bonds_moving_average" &&
      decoded<std::uint64_t>(value(1)).value_or(0) > kBondsMovingAverageMax) {
    return call.fail_in(kPallet, "BondsMovingAverageMaxReached");
  }
  if (admin.name == "alpha_sigmoid_steepness" && decoded<std::int16_t>(value(1)).value_or(0) < 0) {
    return call.fail_in(kPallet, "NegativeSigmoidSteepness");
  }
  if (admin.name == "mechanism_count") {
    const auto count = decoded<MechId>(value(1)).value_or(0);
    if (count == 0 || count > call.state.get<MechId>(subtensor("MaxMechanismCount"))) {
      return call.fail_in(kPallet, "ValueNotInBounds");
    }
  }
  return {};
}

}  // namespace

std::span<const AdminCall> admin_calls() {
  return kTable;
}

Dispatched call_admin_set(const CallContext& call) {
  if (call.signer) return bad_origin();
  const std::string_view name = std::string_view(call.call.name).substr(kPrefix.size());
  const auto admin =
      std::find_if(kTable.begin(), kTable.end(), [&](const AdminCall& row) { return row.name == name; });
  ADIT_CHECK(admin != kTable.end());
  const bool of_subnet = call.call.arguments.front().name == "netuid";
  Bytes fields;
  Bytes value;
  for (const auto& argument : call.call.arguments) {
    append(fields, argument.value);
    if (argument.name != "netuid") append(value, argument.value);
  }
  if (of_subnet) {
    const auto netuid = call.arg<NetUid>("netuid");
    if (!subnet_exists(call.state, netuid)) return call.fail_in(kPallet, "SubnetDoesNotExist");
    if (const Dispatched ok = check_value(call, *admin, netuid); !ok) return ok;
    call.state.set_raw(call.state.key(subtensor(admin->item), netuid), value);
  } else {
    call.state.set_raw(call.state.key(subtensor(admin->item)), value);
  }
  if (!admin->event.empty()) call.events.add_raw("SubtensorModule", admin->event, fields);
  return {};
}

}  // namespace adit::validator
