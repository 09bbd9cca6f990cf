// SPDX-License-Identifier: MIT
// chain_*, system_*, dev_* and rpc_methods.
#include <charconv>

#include "common/crypto/ss58.hpp"
#include "common/scale/decoder.hpp"
#include "validator/localnet/rpc_methods.hpp"

namespace adit::validator {
namespace {

using Json = nlohmann::json;

constexpr std::uint64_t kNewBlocksMax = 100000;

tl::expected<std::optional<Block>, RpcError> block_at(const RpcCall& call, std::size_t index) {
  const auto at = call.at(index);
  if (!at) return tl::unexpected<RpcError>(at.error());
  if (!*at) return std::optional<Block>(call.node.head());
  Result<std::optional<Block>> block = call.node.block(**at);
  if (!block) return client_error(block.error());
  return *std::move(block);
}

// A block number: a JSON number, or hex text.
std::optional<BlockNumber> number_of(const Json& json) {
  if (json.is_number_unsigned()) return json.get<BlockNumber>();
  if (!json.is_string()) return std::nullopt;
  std::string_view text = json.get_ref<const std::string&>();
  if (!text.starts_with("0x")) return std::nullopt;
  text.remove_prefix(2);
  BlockNumber number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number, 16);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

RpcResult hash_of_number(const RpcCall& call, const Json& json) {
  const std::optional<BlockNumber> number = number_of(json);
  if (!number) return invalid_params("expected a block number");
  const Result<std::optional<Block>> block = call.node.block(*number);
  if (!block) return client_error(block.error());
  return *block ? Json(hex0x((*block)->hash)) : Json();
}

RpcResult get_block_hash(const RpcCall& call) {
  const Json* which = call.param(0);
  if (which == nullptr) return Json(hex0x(call.node.head().hash));
  if (!which->is_array()) return hash_of_number(call, *which);
  Json out = Json::array();
  for (const Json& one : *which) {
    RpcResult hash = hash_of_number(call, one);
    if (!hash) return hash;
    out.push_back(*std::move(hash));
  }
  return out;
}

RpcResult get_head(const RpcCall& call) {
  return Json(hex0x(call.node.head().hash));
}

RpcResult get_header(const RpcCall& call) {
  const auto block = block_at(call, 0);
  if (!block) return tl::unexpected<RpcError>(block.error());
  return *block ? header_json((*block)->header) : Json();
}

RpcResult get_block(const RpcCall& call) {
  const auto block = block_at(call, 0);
  if (!block) return tl::unexpected<RpcError>(block.error());
  if (!*block) return Json();
  Json extrinsics = Json::array();
  for (const Bytes& extrinsic : (*block)->extrinsics) extrinsics.push_back(hex0x(extrinsic));
  return Json{{"block", {{"header", header_json((*block)->header)}, {"extrinsics", std::move(extrinsics)}}},
              {"justifications", nullptr}};
}

RpcResult subscribe_heads(const RpcCall& call, RpcConnection::Topic topic) {
  const Json header = header_json(call.node.head().header);
  const Result<std::string> id = call.connection.subscribe(topic, &header);
  if (!id) return client_error(id.error());
  return Json(*id);
}
RpcResult subscribe_new_heads(const RpcCall& call) {
  return subscribe_heads(call, RpcConnection::Topic::kNewHead);
}
RpcResult subscribe_all_heads(const RpcCall& call) {
  return subscribe_heads(call, RpcConnection::Topic::kAllHead);
}
RpcResult subscribe_finalized_heads(const RpcCall& call) {
  return subscribe_heads(call, RpcConnection::Topic::kFinalizedHead);
}
RpcResult unsubscribe(const RpcCall& call) {
  const Json* id = call.param(0);
  if (id == nullptr || !id->is_string()) return invalid_params("expected a subscription id");
  return Json(call.connection.unsubscribe(id->get<std::string>()));
}

RpcResult account_next_index(const RpcCall& call) {
  const Json* address = call.param(0);
  if (address == nullptr || !address->is_string()) return invalid_params("expected an ss58 address");
  const Result<AccountId> account = crypto::ss58_decode(address->get_ref<const std::string&>());
  if (!account) return invalid_params(account.error().message);
  return Json(call.node.next_nonce(*account));
}

// Makes one block, or params[0].count of them; the answer is the hash of the last.
RpcResult new_block(const RpcCall& call) {
  std::uint64_t count = 1;
  const Json* options = call.param(0);
  if (options != nullptr) {
    const Json asked = options->is_object() ? options->value("count", Json(1)) : *options;
    if (!asked.is_number_unsigned()) return invalid_params("count: expected a number");
    count = asked.get<std::uint64_t>();
    if (count == 0 || count > kNewBlocksMax) {
      return invalid_params(fmt::format("count: expected 1 to {}", kNewBlocksMax));
    }
  }
  Hash256 hash{};
  for (std::uint64_t i = 0; i < count; ++i) {
    const Result<Block> block = call.node.make_block();
    if (!block) return client_error(block.error());
    hash = block->hash;
  }
  return Json(hex0x(hash));
}

RpcResult system_name(const RpcCall&) {
  return Json("adit-localnet");
}
RpcResult system_chain(const RpcCall&) {
  return Json("Adit Localnet");
}
RpcResult system_version(const RpcCall&) {
  return Json("0.1.0");
}
RpcResult system_chain_type(const RpcCall&) {
  return Json("Local");
}
RpcResult system_peers(const RpcCall&) {
  return Json::array();
}
RpcResult system_node_roles(const RpcCall&) {
  return Json::array({"Authority"});
}
RpcResult system_health(const RpcCall&) {
  return Json{{"peers", 0}, {"isSyncing", false}, {"shouldHavePeers", false}};
}
RpcResult system_properties(const RpcCall&) {
  return Json{{"ss58Format", 42}, {"tokenDecimals", 9}, {"tokenSymbol", "TAO"}};
}
RpcResult system_sync_state(const RpcCall& call) {
  const BlockNumber number = call.node.head().header.number;
  return Json{{"startingBlock", 0}, {"currentBlock", number}, {"highestBlock", number}};
}
RpcResult list_methods(const RpcCall&) {
  return Json{{"methods", method_names()}};
}

}  // namespace

nlohmann::json header_json(const Header& header) {
  return Json{{"parentHash", hex0x(header.parent)},
              {"number", fmt::format("0x{:x}", header.number)},
              {"stateRoot", hex0x(header.state_root)},
              {"extrinsicsRoot", hex0x(header.extrinsics_root)},
              {"digest", {{"logs", Json::array()}}}};
}

std::vector<NamedMethod> chain_methods() {
  return {
      {"chain_getBlockHash", get_block_hash},
      {"chain_getHead", get_head},
      {"chain_getFinalizedHead", get_head},
      {"chain_getFinalisedHead", get_head},
      {"chain_getHeader", get_header},
      {"chain_getBlock", get_block},
      {"chain_subscribeNewHead", subscribe_new_heads},
      {"chain_subscribeNewHeads", subscribe_new_heads},
      {"chain_subscribeAllHeads", subscribe_all_heads},
      {"chain_subscribeFinalizedHeads", subscribe_finalized_heads},
      {"chain_subscribeFinalisedHeads", subscribe_finalized_heads},
      {"chain_unsubscribeNewHead", unsubscribe},
      {"chain_unsubscribeNewHeads", unsubscribe},
      {"chain_unsubscribeAllHeads", unsubscribe},
      {"chain_unsubscribeFinalizedHeads", unsubscribe},
      {"chain_unsubscribeFinalisedHeads", unsubscribe},
      {"state_unsubscribeRuntimeVersion", unsubscribe},
      {"author_unwatchExtrinsic", unsubscribe},
      {"account_nextIndex", account_next_index},
      {"system_accountNextIndex", account_next_index},
      {"system_chain", system_chain},
      {"system_chainType", system_chain_type},
      {"system_health", system_health},
      {"system_name", system_name},
      {"system_nodeRoles", system_node_roles},
      {"system_peers", system_peers},
      {"system_properties", system_properties},
      {"system_syncState", system_sync_state},
      {"system_version", system_version},
      {"dev_newBlock", new_block},
      {"rpc_methods", list_methods},
  };
}

}  // namespace adit::validator
