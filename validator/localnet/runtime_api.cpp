// SPDX-License-Identifier: MIT
#include "validator/localnet/runtime_api.hpp"

#include "common/scale/decoder.hpp"
#include "common/scale/encoder.hpp"
#include "validator/localnet/accounts.hpp"
#include "validator/localnet/dispatch.hpp"
#include "validator/localnet/subnet.hpp"

namespace adit::validator {
namespace {

constexpr std::uint32_t kMetadataVersion = 15;

struct Query {
  const Runtime& runtime;
  const State& state;
  BlockNumber block;
  ByteView params;

  template <class T>
  [[nodiscard]] Result<T> argument() const {
    Result<T> value = decoded<T>(params);
    if (!value) return tl::unexpected<Error>(value.error().context("params"));
    return value;
  }
};
using Answer = Result<Bytes> (*)(const Query&);

// Encodes by the output type that the metadata gives to an API.
Result<Bytes> answer_as(const Query& query, std::string_view api, std::string_view method,
                        const Value& value) {
  const chain::Metadata& metadata = query.runtime.metadata();
  ADIT_TRY(const chain::RuntimeApiMethod* described, metadata.runtime_api(api, method));
  return encode_value(metadata.types(), described->output, value);
}

Result<Bytes> metadata_at_version(const Query& query) {
  ADIT_TRY(const auto version, query.argument<std::uint32_t>());
  if (version != kMetadataVersion) return Bytes{0};
  scale::Encoder out;
  out.u8(1);
  out.bytes(query.runtime.metadata_blob());
  return out.take();
}

Result<Bytes> metadata_versions(const Query&) {
  return encoded(std::vector<std::uint32_t>{kMetadataVersion});
}

Result<Bytes> metadata_latest(const Query& query) {
  scale::Encoder out;
  out.bytes(query.runtime.metadata_blob());
  return out.take();
}

// The constant System.Version is this value already.
Result<Bytes> core_version(const Query& query) {
  ADIT_TRY(const chain::Constant* version, query.runtime.metadata().constant("System", "Version"));
  return version->value;
}

Result<Bytes> account_nonce(const Query& query) {
  ADIT_TRY(const auto account, query.argument<AccountId>());
  return encoded(read_account(query.state, account).nonce);
}

// Params: the extrinsic with its length prefix, then its length as u32.
Result<Bytes> query_info(const Query& query) {
  if (query.params.size() < 4) return invalid_argument("params: {} bytes", query.params.size());
  const ByteView bytes = query.params.first(query.params.size() - 4);
  ADIT_TRY(const chain::DecodedExtrinsic extrinsic,
           chain::decode_extrinsic(query.runtime.metadata(), bytes));
  ADIT_TRY(const chain::DecodedCall call, chain::decode_call(query.runtime.metadata(), extrinsic.call));
  const CallKind* kind = find_call(call.pallet, call.name);
  const Rao fee = kind == nullptr ? 0 : fee_of(*kind, bytes.size());
  const Value weight(ValueRecord{{"ref_time", Value(100'000'000)}});
  return answer_as(query, "TransactionPaymentApi", "query_info",
                   Value(ValueRecord{{"weight", weight}, {"partial_fee", Value(fee)}}));
}

Result<Bytes> next_epoch(const Query& query) {
  ADIT_TRY(const auto netuid, query.argument<NetUid>());
  const std::optional<BlockNumber> next = next_epoch_block(query.state, netuid);
  return answer_as(query, "SubnetInfoRuntimeApi", "get_next_epoch_start_block",
                   next ? Value(*next) : Value());
}

Result<Bytes> neurons_lite(const Query& query) {
  ADIT_TRY(const auto netuid, query.argument<NetUid>());
  return answer_as(query, "NeuronInfoRuntimeApi", "get_neurons_lite",
                   neurons_lite_value(query.state, netuid));
}

Result<Bytes> neuron_lite(const Query& query) {
  ADIT_TRY(const auto which, (query.argument<std::pair<NetUid, Uid>>()));
  const Value all = neurons_lite_value(query.state, which.first);
  const ValueList& list = *all.as<ValueList>();
  return answer_as(query, "NeuronInfoRuntimeApi", "get_neuron_lite",
                   which.second < list.size() ? list[which.second] : Value());
}

Result<Bytes> metagraph(const Query& query) {
  ADIT_TRY(const auto netuid, query.argument<NetUid>());
  return answer_as(query, "SubnetInfoRuntimeApi", "get_metagraph",
                   metagraph_value(query.state, netuid, 0, query.block));
}

Result<Bytes> all_metagraphs(const Query& query) {
  ValueList list;
  for (const NetUid netuid : all_subnets(query.state)) {
    list.push_back(metagraph_value(query.state, netuid, 0, query.block));
  }
  return answer_as(query, "SubnetInfoRuntimeApi", "get_all_metagraphs", Value(std::move(list)));
}

Result<Bytes> mechagraph(const Query& query) {
  ADIT_TRY(const auto which, (query.argument<std::pair<NetUid, MechId>>()));
  return answer_as(query, "SubnetInfoRuntimeApi", "get_mechagraph",
                   metagraph_value(query.state, which.first, which.second, query.block));
}

struct Selection {
  NetUid netuid = 0;
  MechId mechanism = 0;
  std::vector<std::uint16_t> fields;
};

// The chosen fields of a metagraph; the others are None. A field is chosen by its place in the output type.
Result<Bytes> select_fields(const Query& query, std::string_view method, const Selection& selection) {
  const chain::Metadata& metadata = query.runtime.metadata();
  ADIT_TRY(const auto* described, metadata.runtime_api("SubnetInfoRuntimeApi", method));
  const chain::VariantDef* option = metadata.types().variants(described->output);
  if (option == nullptr) return internal_error("{}: the output is no Option", method);
  const chain::Type* type = metadata.types().find(option->find("Some")->fields.front().type);
  const auto* layout = std::get_if<chain::CompositeDef>(&type->def);
  const Value whole = metagraph_value(query.state, selection.netuid, selection.mechanism, query.block);
  const auto* record = whole.as<ValueRecord>();
  if (layout == nullptr || record == nullptr)
    return answer_as(query, "SubnetInfoRuntimeApi", method, Value());
  ValueRecord chosen;
  chosen["netuid"] = record->at("netuid");
  for (const std::uint16_t index : selection.fields) {
    if (index >= layout->fields.size()) continue;
    const std::string& name = layout->fields[index].name;
    const auto found = record->find(name);
    if (found != record->end()) chosen[name] = found->second;
    if (name != "validators") continue;
    const auto permits = uid_list<bool>(query.state, "ValidatorPermit", selection.netuid,
                                        uid_count(query.state, selection.netuid));
    ValueList validators;
    for (std::size_t uid = 0; uid < permits.size(); ++uid) {
      if (permits[uid]) validators.emplace_back(uid);
    }
    chosen[name] = Value(std::move(validators));
  }
  return answer_as(query, "SubnetInfoRuntimeApi", method, Value(std::move(chosen)));
}

Result<Bytes> selective_metagraph(const Query& query) {
  ADIT_TRY(const auto args, (query.argument<std::tuple<NetUid, std::vector<std::uint16_t>>>()));
  return select_fields(query, "get_selective_metagraph", {std::get<0>(args), 0, std::get<1>(args)});
}

Result<Bytes> selective_mechagraph(const Query& query) {
  ADIT_TRY(const auto args, (query.argument<std::tuple<NetUid, MechId, std::vector<std::uint16_t>>>()));
  return select_fields(query, "get_selective_mechagraph",
                       {std::get<0>(args), std::get<1>(args), std::get<2>(args)});
}

Result<Bytes> subnet_state(const Query& query) {
  ADIT_TRY(const auto netuid, query.argument<NetUid>());
  return answer_as(query, "SubnetInfoRuntimeApi", "get_subnet_state",
                   subnet_state_value(query.state, netuid));
}

// One rao of TAO is one rao of alpha everywhere on this chain; prices count 1e-9.
constexpr std::uint64_t kPrice = 1'000'000'000;

Result<Bytes> alpha_price(const Query& query) {
  ADIT_TRY(const auto netuid, query.argument<NetUid>());
  return encoded(subnet_exists(query.state, netuid) ? kPrice : 0);
}

Result<Bytes> all_alpha_prices(const Query& query) {
  ValueList list;
  for (const NetUid netuid : all_subnets(query.state)) {
    list.emplace_back(ValueRecord{{"netuid", Value(netuid)}, {"price", Value(kPrice)}});
  }
  return answer_as(query, "SwapRuntimeApi", "current_alpha_price_all", Value(std::move(list)));
}

Result<Bytes> swap(const Query& query) {
  ADIT_TRY(const auto args, (query.argument<std::pair<NetUid, Rao>>()));
  return answer_as(
      query, "SwapRuntimeApi", "sim_swap_tao_for_alpha",
      Value(ValueRecord{{"tao_amount", Value(args.second)}, {"alpha_amount", Value(args.second)}}));
}

Result<Bytes> no_baskets(const Query& query) {
  ADIT_TRY_VOID(query.argument<AccountId>());
  return answer_as(query, "BetaBasketRuntimeApi", "get_root_basket_positions", Value());
}

Result<Bytes> nothing_owed(const Query& query) {
  ADIT_TRY_VOID(query.argument<AccountId>());
  return encoded(Rao{0});
}

Result<Bytes> hyperparameters(const Query& query) {
  ADIT_TRY(const auto netuid, query.argument<NetUid>());
  return answer_as(query, "SubnetInfoRuntimeApi", "get_subnet_hyperparams_v3",
                   hyperparameters_value(query.state, netuid));
}

Result<Bytes> dynamic_info(const Query& query) {
  ADIT_TRY(const auto netuid, query.argument<NetUid>());
  return answer_as(query, "SubnetInfoRuntimeApi", "get_dynamic_info",
                   dynamic_info_value(query.state, netuid, query.block));
}

Result<Bytes> all_dynamic_info(const Query& query) {
  ValueList list;
  for (const NetUid netuid : all_subnets(query.state)) {
    list.push_back(dynamic_info_value(query.state, netuid, query.block));
  }
  return answer_as(query, "SubnetInfoRuntimeApi", "get_all_dynamic_info", Value(std::move(list)));
}

Result<Bytes> stake_info(const Query& query) {
  ADIT_TRY(const auto coldkey, query.argument<AccountId>());
  return answer_as(query, "StakeInfoRuntimeApi", "get_stake_info_for_coldkey",
                   stake_info_value(query.state, coldkey));
}

Result<Bytes> registration_cost(const Query& query) {
  return encoded(query.state.get<Rao>(subtensor("NetworkMinLockCost")));
}

struct Entry {
  std::string_view function;
  Answer answer;
};
constexpr Entry kTable[] = {
    {"Core_version", core_version},
    {"Metadata_metadata", metadata_latest},
    {"Metadata_metadata_at_version", metadata_at_version},
    {"Metadata_metadata_versions", metadata_versions},
    {"AccountNonceApi_account_nonce", account_nonce},
    {"TransactionPaymentApi_query_info", query_info},
    {"NeuronInfoRuntimeApi_get_neurons_lite", neurons_lite},
    {"NeuronInfoRuntimeApi_get_neuron_lite", neuron_lite},
    {"SubnetInfoRuntimeApi_get_next_epoch_start_block", next_epoch},
    {"SubnetInfoRuntimeApi_get_metagraph", metagraph},
    {"SubnetInfoRuntimeApi_get_all_metagraphs", all_metagraphs},
    {"SubnetInfoRuntimeApi_get_mechagraph", mechagraph},
    {"SubnetInfoRuntimeApi_get_selective_metagraph", selective_metagraph},
    {"SubnetInfoRuntimeApi_get_selective_mechagraph", selective_mechagraph},
    {"SubnetInfoRuntimeApi_get_subnet_state", subnet_state},
    {"SwapRuntimeApi_current_alpha_price", alpha_price},
    {"SwapRuntimeApi_current_alpha_price_all", all_alpha_prices},
    {"SwapRuntimeApi_sim_swap_tao_for_alpha", swap},
    {"SwapRuntimeApi_sim_swap_alpha_for_tao", swap},
    {"BetaBasketRuntimeApi_get_root_basket_positions", no_baskets},
    {"BetaBasketRuntimeApi_get_root_basket_owed", nothing_owed},
    {"SubnetInfoRuntimeApi_get_subnet_hyperparams_v3", hyperparameters},
    {"SubnetInfoRuntimeApi_get_dynamic_info", dynamic_info},
    {"SubnetInfoRuntimeApi_get_all_dynamic_info", all_dynamic_info},
    {"StakeInfoRuntimeApi_get_stake_info_for_coldkey", stake_info},
    {"SubnetRegistrationRuntimeApi_get_network_registration_cost", registration_cost},
};

}  // namespace

Result<Bytes> call_runtime_api(const Runtime& runtime, const State& state, BlockNumber block,
                               std::string_view function, ByteView params) {
  for (const Entry& entry : kTable) {
    if (entry.function == function) return entry.answer({runtime, state, block, params});
  }
  return unimplemented("{} is not answered by this chain", function);
}

}  // namespace adit::validator
