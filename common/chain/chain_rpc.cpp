// SPDX-License-Identifier: MIT
#include "common/chain/chain_rpc.hpp"

#include <algorithm>
#include <map>
#include <utility>

#include "common/crypto/ss58.hpp"
#include "common/scale/decoder.hpp"

namespace adit::chain {
namespace {

constexpr std::size_t kKeysPerQuery = 512;

tl::unexpected<Error> wrong_form(std::string_view method, std::string_view expected) {
  return data_loss("{}: the node's answer is not {}", method, expected);
}

Json at_param(const std::optional<Hash256>& at) {
  return at ? Json(hex_0x(*at)) : Json(nullptr);
}

Result<Bytes> bytes_from_json(std::string_view method, const Json& value) {
  if (!value.is_string()) return wrong_form(method, "hex");
  auto bytes = from_hex(value.get_ref<const std::string&>());
  if (!bytes) return wrong_form(method, "hex");
  return bytes;
}

// A block number: "0x1a" or 26.
Result<std::uint64_t> number_from_json(std::string_view method, const Json& value) {
  if (value.is_number_unsigned()) return value.get<std::uint64_t>();
  const std::string text = value.is_string() ? value.get<std::string>() : "";
  if (!text.starts_with("0x") || text.size() < 3 || text.size() > 18) return wrong_form(method, "a number");
  std::uint64_t out = 0;
  for (const char c : text.substr(2)) {
    const auto digit = std::string_view("0123456789abcdef").find(c);
    if (digit == std::string_view::npos) return wrong_form(method, "a number");
    out = out << 4 | digit;
  }
  return out;
}

const Json& member(const Json& object, const char* name) {
  static const Json null;
  return object.is_object() && object.contains(name) ? object[name] : null;
}

}  // namespace

std::string hex_0x(ByteView bytes) {
  return "0x" + to_hex(bytes);
}

Result<Hash256> hash_from_json(std::string_view what, const Json& value) {
  const auto hash = value.is_string() ? fixed_from_hex<32>(value.get_ref<const std::string&>())
                                      : Result<Hash256>(invalid_argument(""));
  if (!hash) return wrong_form(what, "a hash");
  return *hash;
}

Result<Json> ChainRpc::read(std::string_view method, Json params) {
  auto answer = connection_->call(method, std::move(params), Resend::kYes);
  if (!answer) return tl::unexpected<Error>(std::move(answer).error().error);
  return *std::move(answer);
}

Result<Hash256> ChainRpc::block_hash(BlockNumber number) {
  ADIT_TRY(const Json answer, read("chain_getBlockHash", Json::array({number})));
  if (answer.is_null()) return not_found("the chain has no block {} yet", number);
  return hash_from_json("chain_getBlockHash", answer);
}

Result<BlockNumber> ChainRpc::block_number(const Hash256& at) {
  ADIT_TRY(const Json header, read("chain_getHeader", Json::array({hex_0x(at)})));
  if (header.is_null()) return not_found("the node does not know block {}", hex_0x(at));
  return number_from_json("chain_getHeader", member(header, "number"));
}

Result<BlockRef> ChainRpc::head() {
  ADIT_TRY(const Json answer, read("chain_getHead", Json::array()));
  BlockRef block;
  ADIT_TRY(block.hash, hash_from_json("chain_getHead", answer));
  ADIT_TRY(block.number, block_number(block.hash));
  return block;
}

Result<BlockRef> ChainRpc::finalized_head() {
  ADIT_TRY(const Json answer, read("chain_getFinalizedHead", Json::array()));
  BlockRef block;
  ADIT_TRY(block.hash, hash_from_json("chain_getFinalizedHead", answer));
  ADIT_TRY(block.number, block_number(block.hash));
  return block;
}

Result<std::vector<Bytes>> ChainRpc::block_extrinsics(const Hash256& at) {
  ADIT_TRY(const Json answer, read("chain_getBlock", Json::array({hex_0x(at)})));
  const Json& list = member(member(answer, "block"), "extrinsics");
  if (!list.is_array()) return wrong_form("chain_getBlock", "a block");
  std::vector<Bytes> out;
  for (const Json& item : list) {
    ADIT_TRY(Bytes xt, bytes_from_json("chain_getBlock", item));
    out.push_back(std::move(xt));
  }
  return out;
}

Result<std::optional<Bytes>> ChainRpc::storage(ByteView key, const std::optional<Hash256>& at) {
  ADIT_TRY(const Json answer, read("state_getStorageAt", Json::array({hex_0x(key), at_param(at)})));
  if (answer.is_null()) return std::optional<Bytes>{};
  ADIT_TRY(Bytes value, bytes_from_json("state_getStorageAt", answer));
  return std::optional<Bytes>(std::move(value));
}

Result<std::vector<std::optional<Bytes>>> ChainRpc::query_storage(std::span<const Bytes> keys,
                                                                  const Hash256& at) {
  constexpr std::string_view kMethod = "state_queryStorageAt";
  std::map<std::string, Bytes> found;
  for (std::size_t from = 0; from < keys.size(); from += kKeysPerQuery) {
    Json list = Json::array();
    for (const Bytes& key : keys.subspan(from, std::min(kKeysPerQuery, keys.size() - from))) {
      list.push_back(hex_0x(key));
    }
    ADIT_TRY(const Json answer, read(kMethod, Json::array({std::move(list), hex_0x(at)})));
    if (!answer.is_array()) return wrong_form(kMethod, "a list of change sets");
    for (const Json& set : answer) {
      for (const Json& change : member(set, "changes")) {
        if (!change.is_array() || change.size() != 2 || !change[0].is_string()) {
          return wrong_form(kMethod, "a change set");
        }
        if (change[1].is_null()) continue;
        ADIT_TRY(Bytes value, bytes_from_json(kMethod, change[1]));
        found[change[0].get<std::string>()] = std::move(value);
      }
    }
  }
  std::vector<std::optional<Bytes>> out;
  out.reserve(keys.size());
  for (const Bytes& key : keys) {
    const auto value = found.find(hex_0x(key));
    out.push_back(value == found.end() ? std::nullopt : std::optional<Bytes>(value->second));
  }
  return out;
}

Result<RuntimeVersion> ChainRpc::runtime_version(const std::optional<Hash256>& at) {
  ADIT_TRY(const Json answer, read("state_getRuntimeVersion", Json::array({at_param(at)})));
  const Json& spec = member(answer, "specVersion");
  const Json& transaction = member(answer, "transactionVersion");
  if (!spec.is_number_unsigned() || !transaction.is_number_unsigned()) {
    return wrong_form("state_getRuntimeVersion", "a runtime version");
  }
  RuntimeVersion version;
  version.spec_name = member(answer, "specName").is_string() ? answer["specName"].get<std::string>() : "";
  version.spec_version = spec.get<std::uint32_t>();
  version.transaction_version = transaction.get<std::uint32_t>();
  return version;
}

// V15 through the runtime API, whatever the node's default is; else the default.
Result<Bytes> ChainRpc::metadata_blob(const std::optional<Hash256>& at) {
  const auto answer =
      read("state_call", Json::array({"Metadata_metadata_at_version", "0x0f000000", at_param(at)}));
  if (answer && answer->is_string()) {
    ADIT_TRY(const Bytes wrapped, bytes_from_json("state_call", *answer));
    scale::Decoder in(wrapped);
    ADIT_TRY(const bool some, in.boolean());
    if (some) {
      ADIT_TRY(const ByteView blob, in.bytes());
      return to_bytes(blob);
    }
  } else if (!answer && answer.error().code != ErrorCode::kUnknown &&
             answer.error().code != ErrorCode::kUnimplemented) {
    return tl::unexpected<Error>(answer.error());
  }
  ADIT_TRY(const Json fallback, read("state_getMetadata", Json::array({at_param(at)})));
  return bytes_from_json("state_getMetadata", fallback);
}

Result<Metadata> ChainRpc::metadata(const std::optional<Hash256>& at) {
  ADIT_TRY(const Bytes blob, metadata_blob(at));
  auto decoded = Metadata::decode(blob);
  if (!decoded) return data_loss("{}", decoded.error().message);
  return decoded;
}

Result<std::uint32_t> ChainRpc::next_nonce(const AccountId& account) {
  const Json params = Json::array({crypto::ss58_encode(account)});
  auto answer = read("account_nextIndex", params);
  // The same under its older name.
  if (!answer && answer.error().code == ErrorCode::kUnimplemented) {
    answer = read("system_accountNextIndex", params);
  }
  if (!answer) return tl::unexpected<Error>(answer.error());
  ADIT_TRY(const std::uint64_t nonce, number_from_json("account_nextIndex", *answer));
  if (nonce > UINT32_MAX) return wrong_form("account_nextIndex", "a nonce");
  return static_cast<std::uint32_t>(nonce);
}

RpcResult<Json> ChainRpc::submit(ByteView xt) {
  return connection_->call("author_submitExtrinsic", Json::array({hex_0x(xt)}), Resend::kNo);
}

RpcResult<std::unique_ptr<Subscription>> ChainRpc::submit_and_watch(ByteView xt) {
  return connection_->subscribe("author_submitAndWatchExtrinsic", Json::array({hex_0x(xt)}),
                                "author_unwatchExtrinsic");
}

}  // namespace adit::chain
