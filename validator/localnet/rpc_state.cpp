// SPDX-License-Identifier: MIT
// state_* and author_*, and what all methods share.
#include <map>

#include "common/crypto/hash.hpp"
#include "validator/localnet/rpc_methods.hpp"
#include "validator/localnet/runtime_api.hpp"

namespace adit::validator {
namespace {

using Json = nlohmann::json;

constexpr int kClientError = 4003;
constexpr std::size_t kKeysPageMax = 1000;
constexpr std::size_t kQueryKeysMax = 16384;

tl::expected<std::optional<Bytes>, RpcError> read_storage(const RpcCall& call) {
  const auto key = call.bytes(0);
  if (!key) return tl::unexpected<RpcError>(key.error());
  const auto at = call.at(1);
  if (!at) return tl::unexpected<RpcError>(at.error());
  std::optional<Bytes> value;
  const Result<void> read =
      call.node.with_state(*at, [&](const State& state, BlockNumber) { value = state.raw(*key); });
  if (!read) return client_error(read.error());
  return value;
}

RpcResult get_storage(const RpcCall& call) {
  const auto value = read_storage(call);
  if (!value) return tl::unexpected<RpcError>(value.error());
  return *value ? Json(hex0x(**value)) : Json();
}
RpcResult get_storage_hash(const RpcCall& call) {
  const auto value = read_storage(call);
  if (!value) return tl::unexpected<RpcError>(value.error());
  return *value ? Json(hex0x(crypto::blake2b_256(**value))) : Json();
}
RpcResult get_storage_size(const RpcCall& call) {
  const auto value = read_storage(call);
  if (!value) return tl::unexpected<RpcError>(value.error());
  return *value ? Json((*value)->size()) : Json();
}

RpcResult query_storage_at(const RpcCall& call) {
  const Json* keys = call.param(0);
  if (keys == nullptr || !keys->is_array() || keys->size() > kQueryKeysMax) {
    return invalid_params(fmt::format("expected at most {} keys", kQueryKeysMax));
  }
  const auto at = call.at(1);
  if (!at) return tl::unexpected<RpcError>(at.error());
  std::vector<Bytes> wanted;
  for (const Json& key : *keys) {
    const Result<Bytes> bytes =
        key.is_string() ? from_hex(key.get_ref<const std::string&>()) : invalid_argument("not a text");
    if (!bytes) return invalid_params("key: " + bytes.error().message);
    wanted.push_back(*bytes);
  }
  Json changes = Json::array();
  const Result<void> read = call.node.with_state(*at, [&](const State& state, BlockNumber) {
    for (const Bytes& key : wanted) {
      const std::optional<Bytes> value = state.raw(key);
      changes.push_back(Json::array({hex0x(key), value ? Json(hex0x(*value)) : Json()}));
    }
  });
  if (!read) return client_error(read.error());
  const Hash256 block = *at ? **at : call.node.head().hash;
  return Json::array({Json{{"block", hex0x(block)}, {"changes", std::move(changes)}}});
}

RpcResult list_keys(const RpcCall& call, ByteView after, std::size_t most, std::size_t at_index) {
  const auto prefix = call.bytes(0);
  if (!prefix) return tl::unexpected<RpcError>(prefix.error());
  const auto at = call.at(at_index);
  if (!at) return tl::unexpected<RpcError>(at.error());
  const Result<std::vector<Bytes>> keys = call.node.keys(*prefix, after, most, *at);
  if (!keys) return client_error(keys.error());
  Json out = Json::array();
  for (const Bytes& key : *keys) out.push_back(hex0x(key));
  return out;
}

RpcResult get_keys(const RpcCall& call) {
  return list_keys(call, {}, std::size_t(-1), 1);
}

RpcResult get_keys_paged(const RpcCall& call) {
  const Json* count = call.param(1);
  if (count == nullptr || !count->is_number_unsigned() || count->get<std::uint64_t>() > kKeysPageMax) {
    return invalid_params(fmt::format("count: expected 0 to {}", kKeysPageMax));
  }
  Bytes after;
  if (call.param(2) != nullptr) {
    const auto start = call.bytes(2);
    if (!start) return tl::unexpected<RpcError>(start.error());
    after = *start;
  }
  return list_keys(call, after, count->get<std::size_t>(), 3);
}

RpcResult get_runtime_version(const RpcCall& call) {
  const auto at = call.at(0);
  if (!at) return tl::unexpected<RpcError>(at.error());
  // One runtime for the whole chain; only the block must be known.
  if (const Result<void> known = call.node.with_state(*at, [](const State&, BlockNumber) {}); !known) {
    return client_error(known.error());
  }
  return runtime_version_json(call.node.runtime());
}

RpcResult subscribe_runtime_version(const RpcCall& call) {
  const Json version = runtime_version_json(call.node.runtime());
  const Result<std::string> id = call.connection.subscribe(RpcConnection::Topic::kRuntimeVersion, &version);
  if (!id) return client_error(id.error());
  return Json(*id);
}

RpcResult get_metadata(const RpcCall& call) {
  return Json(hex0x(call.node.runtime().metadata_blob()));
}

RpcResult state_call(const RpcCall& call) {
  const Json* function = call.param(0);
  if (function == nullptr || !function->is_string()) return invalid_params("expected a function name");
  const std::string name = function->get<std::string>();
  Bytes params;
  if (call.param(1) != nullptr) {
    auto given = call.bytes(1);
    if (!given) return tl::unexpected<RpcError>(given.error());
    params = *std::move(given);
  }
  const auto at = call.at(2);
  if (!at) return tl::unexpected<RpcError>(at.error());
  Result<Bytes> answer = internal_error("not run");
  const Result<void> read = call.node.with_state(*at, [&](const State& state, BlockNumber block) {
    answer = call_runtime_api(call.node.runtime(), state, block, name, params);
  });
  if (!read) return client_error(read.error());
  if (!answer && answer.error().code == ErrorCode::kUnimplemented) {
    return rpc_error(kClientError,
                     "Client error: Execution failed: Other: Exported method " + name + " is not found");
  }
  if (!answer) return rpc_error(kClientError, "Client error: Execution failed: " + answer.error().message);
  return Json(hex0x(*answer));
}

RpcResult payment_query_info(const RpcCall& call) {
  auto extrinsic = call.bytes(0);
  if (!extrinsic) return tl::unexpected<RpcError>(extrinsic.error());
  Result<Bytes> answer = internal_error("not run");
  const auto length = static_cast<std::uint32_t>(extrinsic->size());
  append_le(*extrinsic, length);
  const Result<void> read = call.node.with_state({}, [&](const State& state, BlockNumber block) {
    answer =
        call_runtime_api(call.node.runtime(), state, block, "TransactionPaymentApi_query_info", *extrinsic);
  });
  if (!read || !answer) return client_error(read ? answer.error() : read.error());
  // The fee is the last field.
  const std::uint64_t fee = load_le<std::uint64_t>(answer->data() + answer->size() - 8);
  return Json{{"weight", {{"ref_time", 100'000'000}, {"proof_size", 0}}},
              {"class", "normal"},
              {"partialFee", std::to_string(fee)}};
}

tl::unexpected<RpcError> refused(const PoolRefusal& refusal) {
  return rpc_error(refusal.code, refusal.message, refusal.data);
}

RpcResult submit(const RpcCall& call) {
  const auto bytes = call.bytes(0);
  if (!bytes) return tl::unexpected<RpcError>(bytes.error());
  const auto submitted = call.node.submit(*bytes);
  if (!submitted) return refused(submitted.error());
  return Json(hex0x(submitted->hash));
}

RpcResult submit_and_watch(const RpcCall& call) {
  const auto bytes = call.bytes(0);
  if (!bytes) return tl::unexpected<RpcError>(bytes.error());
  const auto submitted = call.node.submit(*bytes);
  if (!submitted) return refused(submitted.error());
  const Json first(submitted->ready ? "ready" : "future");
  const Result<std::string> id = call.connection.watch(submitted->hash, first);
  if (!id) return client_error(id.error());
  return Json(*id);
}

RpcResult pending_extrinsics(const RpcCall& call) {
  Json out = Json::array();
  for (const Bytes& extrinsic : call.node.pending()) out.push_back(hex0x(extrinsic));
  return out;
}

}  // namespace

std::vector<NamedMethod> state_methods() {
  return {
      {"state_call", state_call},
      {"state_callAt", state_call},
      {"state_getKeys", get_keys},
      {"state_getKeysPaged", get_keys_paged},
      {"state_getKeysPagedAt", get_keys_paged},
      {"state_getMetadata", get_metadata},
      {"state_getRuntimeVersion", get_runtime_version},
      {"chain_getRuntimeVersion", get_runtime_version},
      {"state_getStorage", get_storage},
      {"state_getStorageAt", get_storage},
      {"state_getStorageHash", get_storage_hash},
      {"state_getStorageHashAt", get_storage_hash},
      {"state_getStorageSize", get_storage_size},
      {"state_getStorageSizeAt", get_storage_size},
      {"state_queryStorageAt", query_storage_at},
      {"state_subscribeRuntimeVersion", subscribe_runtime_version},
      {"payment_queryInfo", payment_query_info},
  };
}

std::vector<NamedMethod> author_methods() {
  return {
      {"author_pendingExtrinsics", pending_extrinsics},
      {"author_submitExtrinsic", submit},
      {"author_submitAndWatchExtrinsic", submit_and_watch},
  };
}

tl::unexpected<RpcError> client_error(const Error& error) {
  return rpc_error(kClientError, "Client error: " + error.message);
}

}  // namespace adit::validator
