// SPDX-License-Identifier: MIT
#include "validator/localnet/rpc_methods.hpp"

#include <map>

#include "common/scale/decoder.hpp"

namespace adit::validator {
namespace {

using Json = nlohmann::json;
using Table = std::map<std::string_view, RpcMethod>;

const Table& table() {
  static const Table all = [] {
    Table out;
    for (const auto& methods : {chain_methods(), state_methods(), author_methods()}) {
      for (const NamedMethod& entry : methods) out.emplace(entry.name, entry.method);
    }
    return out;
  }();
  return all;
}

// System.Version as the metadata gives it: names, numbers, [(api id, version)], two more numbers.
struct VersionFields {
  std::string impl_name;
  std::uint32_t authoring_version = 0;
  std::uint32_t impl_version = 0;
  Json apis = Json::array();
  std::uint8_t system_version = 0;
};

Result<VersionFields> read_version(ByteView bytes) {
  scale::Decoder in(bytes);
  VersionFields out;
  ADIT_TRY_VOID(in.bytes());
  ADIT_TRY(const ByteView impl_name, in.bytes());
  out.impl_name = as_text(impl_name);
  ADIT_TRY(out.authoring_version, in.u32());
  ADIT_TRY_VOID(in.u32());
  ADIT_TRY(out.impl_version, in.u32());
  ADIT_TRY(const std::size_t count, in.count(12));
  for (std::size_t i = 0; i < count; ++i) {
    ADIT_TRY(const ByteView id, in.raw(8));
    ADIT_TRY(const std::uint32_t version, in.u32());
    out.apis.push_back(Json::array({hex0x(id), version}));
  }
  ADIT_TRY_VOID(in.u32());
  ADIT_TRY(out.system_version, in.u8());
  return out;
}

}  // namespace

const Json* RpcCall::param(std::size_t index) const {
  if (!params.is_array() || index >= params.size() || params[index].is_null()) return nullptr;
  return &params[index];
}

tl::expected<Bytes, RpcError> RpcCall::bytes(std::size_t index) const {
  const Json* json = param(index);
  if (json == nullptr || !json->is_string()) {
    return invalid_params(fmt::format("param {}: expected hex", index));
  }
  Result<Bytes> out = from_hex(json->get_ref<const std::string&>());
  if (!out) return invalid_params(fmt::format("param {}: {}", index, out.error().message));
  return *std::move(out);
}

tl::expected<std::optional<Hash256>, RpcError> RpcCall::at(std::size_t index) const {
  const Json* json = param(index);
  if (json == nullptr) return std::optional<Hash256>();
  if (!json->is_string()) return invalid_params(fmt::format("param {}: expected a block hash", index));
  const auto hash = fixed_from_hex<32>(json->get_ref<const std::string&>());
  if (!hash) return invalid_params(fmt::format("param {}: {}", index, hash.error().message));
  return std::optional<Hash256>(*hash);
}

RpcMethod find_method(std::string_view name) {
  const auto found = table().find(name);
  return found == table().end() ? nullptr : found->second;
}

std::vector<std::string> method_names() {
  std::vector<std::string> out;
  for (const auto& [name, method] : table()) out.emplace_back(name);
  return out;
}

tl::unexpected<RpcError> rpc_error(int code, std::string message, std::string data) {
  return tl::unexpected<RpcError>(RpcError{code, std::move(message), std::move(data)});
}

tl::unexpected<RpcError> invalid_params(std::string why) {
  return rpc_error(-32602, "Invalid params", std::move(why));
}

std::string hex0x(ByteView bytes) {
  return "0x" + to_hex(bytes);
}

nlohmann::json runtime_version_json(const Runtime& runtime) {
  const auto constant = runtime.metadata().constant("System", "Version");
  ADIT_CHECK(constant.has_value());
  const Result<VersionFields> fields = read_version((*constant)->value);
  ADIT_CHECK(fields.has_value());
  return Json{{"specName", runtime.version().spec_name},
              {"implName", fields->impl_name},
              {"authoringVersion", fields->authoring_version},
              {"specVersion", runtime.version().spec_version},
              {"implVersion", fields->impl_version},
              {"apis", fields->apis},
              {"transactionVersion", runtime.version().transaction_version},
              {"systemVersion", fields->system_version},
              {"stateVersion", fields->system_version}};
}

}  // namespace adit::validator
