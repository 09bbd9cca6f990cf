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
                   metagraph_value(query.state, netuid, query.block));
}

Result<Bytes> all_metagraphs(const Query& query) {
  ValueList list;
  for (const NetUid netuid : all_subnets(query.state)) {
    list.push_back(metagraph_value(query.state, netuid, query.block));
  }
  return answer_as(query, "SubnetInfoRuntimeApi", "get_all_metagraphs", Value(std::move(list)));
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
