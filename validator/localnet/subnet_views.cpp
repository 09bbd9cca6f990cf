// SPDX-License-Identifier: MIT
// Subnets as the runtime APIs show them: every field is read from storage, or left to be zero.
#include "validator/localnet/runtime_api.hpp"
#include "validator/localnet/staking.hpp"
#include "validator/localnet/subnet.hpp"

namespace adit::validator {
namespace {

// Fields that stand in storage under one netuid, as they are.
struct StoredField {
  const char* field;
  const char* item;
};

// Reads a number of 1, 2, 4 or 8 bytes, whatever its width.
std::uint64_t stored_number(const State& state, const char* item, NetUid netuid) {
  const auto entry = state.metadata().storage("SubtensorModule", item);
  ADIT_CHECK(entry.has_value());
  const Bytes bytes = state.raw(state.key(subtensor(item), netuid)).value_or((*entry)->default_value);
  std::uint64_t number = 0;
  for (std::size_t i = 0; i < bytes.size() && i < 8; ++i) number |= std::uint64_t{bytes[i]} << (8 * i);
  return number;
}

constexpr StoredField kMetagraphFields[] = {
    {"network_registered_at", "NetworkRegisteredAt"},
    {"tempo", "Tempo"},
    {"last_step", "LastMechansimStepBlock"},
    {"blocks_since_last_step", "BlocksSinceLastStep"},
    {"alpha_in", "SubnetAlphaIn"},
    {"alpha_out", "SubnetAlphaOut"},
    {"tao_in", "SubnetTAO"},
    {"alpha_out_emission", "SubnetAlphaOutEmission"},
    {"alpha_in_emission", "SubnetAlphaInEmission"},
    {"tao_in_emission", "SubnetTaoInEmission"},
    {"rho", "Rho"},
    {"kappa", "Kappa"},
    {"min_allowed_weights", "MinAllowedWeights"},
    {"max_weights_limit", "MaxWeightsLimit"},
    {"weights_version", "WeightsVersionKey"},
    {"weights_rate_limit", "WeightsSetRateLimit"},
    {"max_validators", "MaxAllowedValidators"},
    {"num_uids", "SubnetworkN"},
    {"max_uids", "MaxAllowedUids"},
    {"burn", "Burn"},
    {"difficulty", "Difficulty"},
    {"registration_allowed", "NetworkRegistrationAllowed"},
    {"pow_registration_allowed", "NetworkPowRegistrationAllowed"},
    {"immunity_period", "ImmunityPeriod"},
    {"min_difficulty", "MinDifficulty"},
    {"max_difficulty", "MaxDifficulty"},
    {"min_burn", "MinBurn"},
    {"max_burn", "MaxBurn"},
    {"adjustment_alpha", "AdjustmentAlpha"},
    {"adjustment_interval", "AdjustmentInterval"},
    {"target_regs_per_interval", "TargetRegistrationsPerInterval"},
    {"max_regs_per_block", "MaxRegistrationsPerBlock"},
    {"serving_rate_limit", "ServingRateLimit"},
    {"commit_reveal_weights_enabled", "CommitRevealWeightsEnabled"},
    {"commit_reveal_period", "RevealPeriodEpochs"},
    {"liquid_alpha_enabled", "LiquidAlphaOn"},
    {"bonds_moving_avg", "BondsMovingAverage"},
};

std::string subnet_name(NetUid netuid) {
  return netuid == kRootNetUid ? "root" : fmt::format("local-{}", netuid);
}

std::uint64_t activity_cutoff(const State& state, NetUid netuid) {
  const std::uint64_t factor = state.get<std::uint32_t>(subtensor("ActivityCutoffFactorMilli"), netuid);
  return std::max<std::uint64_t>(1, factor * state.get<std::uint16_t>(subtensor("Tempo"), netuid) / 1000);
}

std::uint64_t pending_emission(const State& state, NetUid netuid) {
  return stored_number(state, "PendingServerEmission", netuid) +
         stored_number(state, "PendingValidatorEmission", netuid);
}

Value symbol_of(const State& state, NetUid netuid) {
  return Value(state.get<Bytes>(subtensor("TokenSymbol"), netuid));
}

// The axon of a hotkey as stored, or the zero of its type.
Value stored_or_zero(const State& state, std::string_view item, NetUid netuid, const AccountId& hotkey) {
  const std::optional<Bytes> stored = state.raw(state.key(subtensor(item), netuid, hotkey));
  return stored ? Value(Encoded{*stored}) : Value();
}

void add_neuron_fields(const State& state, NetUid netuid, MechId mechanism, ValueRecord& record) {
  const NetUid index = storage_index(netuid, mechanism);
  const std::uint16_t count = uid_count(state, netuid);
  ValueList hotkeys, coldkeys, identities, axons, registered, alpha, tao, total, tao_paid, alpha_paid;
  for (Uid uid = 0; uid < count; ++uid) {
    const AccountId hotkey = hotkey_of(state, netuid, uid);
    const Stake stake = stake_of(state, netuid, hotkey);
    hotkeys.emplace_back(hotkey);
    coldkeys.emplace_back(coldkey_of(state, hotkey).value_or(AccountId{}));
    // None of the Option.
    identities.emplace_back();
    axons.push_back(stored_or_zero(state, "Axons", netuid, hotkey));
    registered.emplace_back(state.get<BlockNumber>(subtensor("BlockAtRegistration"), netuid, uid));
    alpha.emplace_back(stake.alpha);
    tao.emplace_back(stake.tao);
    total.emplace_back(stake.total);
    const Rao dividends = state.get<Rao>(subtensor("AlphaDividendsPerSubnet"), netuid, hotkey);
    tao_paid.emplace_back(ValueList{Value(hotkey), Value(0)});
    alpha_paid.emplace_back(ValueList{Value(hotkey), Value(dividends)});
  }
  const ValueList zeros(count, Value(0));
  record["hotkeys"] = Value(std::move(hotkeys));
  record["coldkeys"] = Value(std::move(coldkeys));
  record["identities"] = Value(std::move(identities));
  record["axons"] = Value(std::move(axons));
  record["active"] = Value(uid_list<bool>(state, "Active", netuid, count));
  record["validator_permit"] = Value(uid_list<bool>(state, "ValidatorPermit", netuid, count));
  record["pruning_score"] = Value(ValueList(count, Value(65535)));
  record["last_update"] = Value(uid_list<BlockNumber>(state, "LastUpdate", index, count));
  record["emission"] = Value(uid_list<Rao>(state, "Emission", netuid, count));
  record["dividends"] = Value(uid_list<std::uint16_t>(state, "Dividends", netuid, count));
  record["incentives"] = Value(uid_list<std::uint16_t>(state, "Incentive", index, count));
  record["consensus"] = Value(uid_list<std::uint16_t>(state, "Consensus", netuid, count));
  // Trust and rank are no longer kept by the chain.
  record["trust"] = Value(zeros);
  record["rank"] = Value(zeros);
  record["block_at_registration"] = Value(std::move(registered));
  record["alpha_stake"] = Value(std::move(alpha));
  record["tao_stake"] = Value(std::move(tao));
  record["total_stake"] = Value(std::move(total));
  record["tao_dividends_per_hotkey"] = Value(std::move(tao_paid));
  record["alpha_dividends_per_hotkey"] = Value(std::move(alpha_paid));
  for (const char* field : {"collateral_locked", "collateral_min", "collateral_earned"}) {
    record[field] = Value(zeros);
  }
}

}  // namespace

Value metagraph_value(const State& state, NetUid netuid, MechId mechanism, BlockNumber block) {
  const auto mechanisms = state.get<MechId>(subtensor("MechanismCountCurrent"), netuid);
  if (!subnet_exists(state, netuid) || mechanism >= mechanisms) return Value();
  ValueRecord record;
  for (const StoredField& field : kMetagraphFields) {
    record[field.field] = Value(stored_number(state, field.item, netuid));
  }
  const auto alpha = state.get<std::pair<std::uint16_t, std::uint16_t>>(subtensor("AlphaValues"), netuid);
  record["netuid"] = Value(netuid);
  record["name"] = text_value(subnet_name(netuid));
  record["symbol"] = symbol_of(state, netuid);
  record["owner_hotkey"] = Value(state.get<AccountId>(subtensor("SubnetOwnerHotkey"), netuid));
  record["owner_coldkey"] = Value(state.get<AccountId>(subtensor("SubnetOwner"), netuid));
  record["block"] = Value(block);
  record["pending_alpha_emission"] = Value(pending_emission(state, netuid));
  record["activity_cutoff"] = Value(activity_cutoff(state, netuid));
  record["alpha_low"] = Value(alpha.first);
  record["alpha_high"] = Value(alpha.second);
  add_neuron_fields(state, netuid, mechanism, record);
  return Value(std::move(record));
}

Value subnet_state_value(const State& state, NetUid netuid) {
  if (!subnet_exists(state, netuid)) return Value();
  ValueRecord record;
  add_neuron_fields(state, netuid, 0, record);
  for (const char* field : {"identities", "axons", "tao_dividends_per_hotkey", "alpha_dividends_per_hotkey",
                            "collateral_locked", "collateral_min", "collateral_earned"}) {
    record.erase(field);
  }
  record["netuid"] = Value(netuid);
  return Value(std::move(record));
}

Value neurons_lite_value(const State& state, NetUid netuid) {
  const std::uint16_t count = subnet_exists(state, netuid) ? uid_count(state, netuid) : 0;
  const auto active = uid_list<bool>(state, "Active", netuid, count);
  const auto permits = uid_list<bool>(state, "ValidatorPermit", netuid, count);
  const auto emission = uid_list<Rao>(state, "Emission", netuid, count);
  const auto incentive = uid_list<std::uint16_t>(state, "Incentive", netuid, count);
  const auto consensus = uid_list<std::uint16_t>(state, "Consensus", netuid, count);
  const auto trust = uid_list<std::uint16_t>(state, "ValidatorTrust", netuid, count);
  const auto dividends = uid_list<std::uint16_t>(state, "Dividends", netuid, count);
  const auto updates = uid_list<BlockNumber>(state, "LastUpdate", netuid, count);
  ValueList neurons;
  for (Uid uid = 0; uid < count; ++uid) {
    const AccountId hotkey = hotkey_of(state, netuid, uid);
    const AccountId coldkey = coldkey_of(state, hotkey).value_or(AccountId{});
    const Rao stake = stake_of(state, netuid, hotkey).total;
    neurons.emplace_back(ValueRecord{
        {"hotkey", Value(hotkey)},
        {"coldkey", Value(coldkey)},
        {"uid", Value(uid)},
        {"netuid", Value(netuid)},
        {"active", Value(bool(active[uid]))},
        {"axon_info", stored_or_zero(state, "Axons", netuid, hotkey)},
        {"prometheus_info", stored_or_zero(state, "Prometheus", netuid, hotkey)},
        {"stake", Value(ValueList{Value(ValueList{Value(coldkey), Value(stake)})})},
        {"emission", Value(emission[uid])},
        {"incentive", Value(incentive[uid])},
        {"consensus", Value(consensus[uid])},
        {"validator_trust", Value(trust[uid])},
        {"dividends", Value(dividends[uid])},
        {"last_update", Value(updates[uid])},
        {"validator_permit", Value(bool(permits[uid]))},
        {"pruning_score", Value(65535)},
    });
  }
  return Value(std::move(neurons));
}

Value hyperparameters_value(const State& state, NetUid netuid) {
  if (!subnet_exists(state, netuid)) return Value();
  ValueList entries;
  const auto add = [&](const char* name, const char* kind, Value value) {
    entries.emplace_back(
        ValueRecord{{"name", text_value(name)}, {"value", Value(Named{kind, {std::move(value)}})}});
  };
  const auto stored = [&](const char* name, const char* kind, const char* item) {
    add(name, kind, Value(stored_number(state, item, netuid)));
  };
  const auto alpha = state.get<std::pair<std::uint16_t, std::uint16_t>>(subtensor("AlphaValues"), netuid);
  stored("kappa", "U16", "Kappa");
  stored("immunity_period", "U16", "ImmunityPeriod");
  stored("min_allowed_weights", "U16", "MinAllowedWeights");
  stored("max_weights_limit", "U16", "MaxWeightsLimit");
  stored("tempo", "U16", "Tempo");
  stored("weights_version", "U64", "WeightsVersionKey");
  stored("weights_rate_limit", "U64", "WeightsSetRateLimit");
  add("activity_cutoff", "U64", Value(activity_cutoff(state, netuid)));
  stored("activity_cutoff_factor", "U32", "ActivityCutoffFactorMilli");
  stored("registration_allowed", "Bool", "NetworkRegistrationAllowed");
  stored("target_regs_per_interval", "U16", "TargetRegistrationsPerInterval");
  stored("min_burn", "TaoBalance", "MinBurn");
  stored("max_burn", "TaoBalance", "MaxBurn");
  stored("burn_half_life", "U16", "BurnHalfLife");
  add("burn_increase_mult", "U64F64", Value(state.get<Wide>(subtensor("BurnIncreaseMult"), netuid)));
  stored("bonds_moving_avg", "U64", "BondsMovingAverage");
  stored("max_regs_per_block", "U16", "MaxRegistrationsPerBlock");
  stored("serving_rate_limit", "U64", "ServingRateLimit");
  stored("max_validators", "U16", "MaxAllowedValidators");
  stored("commit_reveal_period", "U64", "RevealPeriodEpochs");
  stored("commit_reveal_weights_enabled", "Bool", "CommitRevealWeightsEnabled");
  add("alpha_high", "U16", Value(alpha.second));
  add("alpha_low", "U16", Value(alpha.first));
  stored("liquid_alpha_enabled", "Bool", "LiquidAlphaOn");
  // I32F32 of a whole number.
  const auto steepness =
      static_cast<std::int64_t>(state.get<std::int16_t>(subtensor("AlphaSigmoidSteepness"), netuid));
  add("alpha_sigmoid_steepness", "I32F32", Value(steepness * (std::int64_t{1} << 32)));
  add("yuma_version", "U16", Value(state.get<bool>(subtensor("Yuma3On"), netuid) ? 3 : 2));
  stored("subnet_is_active", "Bool", "SubtokenEnabled");
  stored("transfers_enabled", "Bool", "TransferToggle");
  stored("bonds_reset_enabled", "Bool", "BondsResetOn");
  stored("owner_cut_enabled", "Bool", "OwnerCutEnabled");
  return Value(std::move(entries));
}

Value dynamic_info_value(const State& state, NetUid netuid, BlockNumber) {
  if (!subnet_exists(state, netuid)) return Value();
  ValueRecord record;
  for (const StoredField& field : kMetagraphFields) {
    const std::string_view name = field.field;
    const bool wanted = name == "network_registered_at" || name == "tempo" || name == "last_step" ||
                        name == "blocks_since_last_step" || name.starts_with("alpha_") ||
                        name.starts_with("tao_");
    if (wanted) record[field.field] = Value(stored_number(state, field.item, netuid));
  }
  record["netuid"] = Value(netuid);
  record["owner_hotkey"] = Value(state.get<AccountId>(subtensor("SubnetOwnerHotkey"), netuid));
  record["owner_coldkey"] = Value(state.get<AccountId>(subtensor("SubnetOwner"), netuid));
  record["subnet_name"] = text_value(subnet_name(netuid));
  record["token_symbol"] = symbol_of(state, netuid);
  record["pending_alpha_emission"] = Value(pending_emission(state, netuid));
  // One to one: I96F32 of 1.
  record["moving_price"] = Value(Wide{std::uint64_t{1} << 32, 0});
  return Value(std::move(record));
}

Value stake_info_value(const State& state, const AccountId& coldkey) {
  ValueList infos;
  for (const AccountId& hotkey : state.get<std::vector<AccountId>>(subtensor("StakingHotkeys"), coldkey)) {
    for (const NetUid netuid : all_subnets(state)) {
      const Rao alpha = alpha_of(state, {.hotkey = hotkey, .coldkey = coldkey, .netuid = netuid});
      if (alpha == 0) continue;
      infos.emplace_back(ValueRecord{{"hotkey", Value(hotkey)},
                                     {"coldkey", Value(coldkey)},
                                     {"netuid", Value(netuid)},
                                     {"stake", Value(alpha)},
                                     {"is_registered", Value(uid_of(state, netuid, hotkey).has_value())}});
    }
  }
  return Value(std::move(infos));
}

}  // namespace adit::validator
