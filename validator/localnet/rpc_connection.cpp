// SPDX-License-Identifier: MIT
#include "validator/localnet/rpc_connection.hpp"

#include <algorithm>

#include <nlohmann/json.hpp>

#include "validator/localnet/rpc_methods.hpp"

namespace adit::validator {
namespace {

using Json = nlohmann::json;

constexpr std::size_t kSubscriptionsMax = 1024;
constexpr std::size_t kBatchMax = 256;
constexpr int kDepthMax = 32;

const char* notification_name(RpcConnection::Topic topic) {
  switch (topic) {
    case RpcConnection::Topic::kNewHead:
      return "chain_newHead";
    case RpcConnection::Topic::kAllHead:
      return "chain_allHead";
    case RpcConnection::Topic::kFinalizedHead:
      return "chain_finalizedHead";
    case RpcConnection::Topic::kRuntimeVersion:
      return "state_runtimeVersion";
    case RpcConnection::Topic::kExtrinsic:
      return "author_extrinsicUpdate";
  }
  return "";
}

Json error_answer(const Json& id, const RpcError& error) {
  Json body{{"code", error.code}, {"message", error.message}};
  if (!error.data.empty()) body["data"] = error.data;
  return Json{{"jsonrpc", "2.0"}, {"id", id}, {"error", std::move(body)}};
}

// Text from outside may hold anything; what is not UTF-8 is replaced.
std::string dump(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace

nlohmann::json RpcConnection::answer(const Json& request) {
  if (!request.is_object()) return error_answer(nullptr, {-32600, "Invalid request", ""});
  const Json id = request.value("id", Json());
  if (id.is_structured())
    return error_answer(nullptr, {-32600, "Invalid request", "id: expected a number or text"});
  const auto method_name = request.find("method");
  if (method_name == request.end() || !method_name->is_string()) {
    return error_answer(id, {-32600, "Invalid request", "method: expected a text"});
  }
  const RpcMethod method = find_method(method_name->get_ref<const std::string&>());
  if (method == nullptr) return error_answer(id, {-32601, "Method not found", ""});
  const Json params = request.value("params", Json::array());
  if (!params.is_array() && !params.is_null()) {
    return error_answer(id, {-32602, "Invalid params", "expected an array"});
  }
  RpcResult result = method({*this, node_, params});
  if (!result) return error_answer(id, result.error());
  return Json{{"jsonrpc", "2.0"}, {"id", id}, {"result", *std::move(result)}};
}

void RpcConnection::receive(std::string_view text) {
  // Copying and printing JSON recurses, so that depth is bounded where it comes in.
  bool too_deep = false;
  const auto check_depth = [&](int depth, Json::parse_event_t, Json&) {
    too_deep = too_deep || depth > kDepthMax;
    return !too_deep;
  };
  const Json message = Json::parse(text, check_depth, false);
  if (message.is_discarded() || too_deep) {
    send_(dump(error_answer(nullptr, {-32700, "Parse error", ""})));
    return;
  }
  if (!message.is_array()) {
    send_(dump(answer(message)));
  } else if (message.empty() || message.size() > kBatchMax) {
    const std::string why = fmt::format("a batch holds 1 to {} requests", kBatchMax);
    send_(dump(error_answer(nullptr, {-32600, "Invalid request", why})));
  } else {
    Json answers = Json::array();
    for (const Json& request : message) answers.push_back(answer(request));
    send_(dump(answers));
  }
  for (std::string& held : held_) send_(std::move(held));
  held_.clear();
}

std::string RpcConnection::add(Subscription subscription, const Json* first) {
  const std::string id = fmt::format("s{}", next_id_++);
  const Topic topic = subscription.topic;
  subscriptions_.emplace(id, std::move(subscription));
  if (first != nullptr) {
    held_.push_back(dump(Json{{"jsonrpc", "2.0"},
                              {"method", notification_name(topic)},
                              {"params", {{"subscription", id}, {"result", *first}}}}));
  }
  return id;
}

Result<std::string> RpcConnection::subscribe(Topic topic, const Json* first) {
  if (subscriptions_.size() >= kSubscriptionsMax) {
    return resource_exhausted("a connection holds at most {} subscriptions", kSubscriptionsMax);
  }
  return add(Subscription{.topic = topic}, first);
}

Result<std::string> RpcConnection::watch(const Hash256& extrinsic, const Json& first) {
  if (subscriptions_.size() >= kSubscriptionsMax) {
    return resource_exhausted("a connection holds at most {} subscriptions", kSubscriptionsMax);
  }
  return add(Subscription{.topic = Topic::kExtrinsic, .extrinsic = extrinsic}, &first);
}

bool RpcConnection::unsubscribe(const std::string& id) {
  return subscriptions_.erase(id) > 0;
}

void RpcConnection::push(const std::string& id, Topic topic, const Json& result) {
  send_(dump(Json{{"jsonrpc", "2.0"},
                  {"method", notification_name(topic)},
                  {"params", {{"subscription", id}, {"result", result}}}}));
}

void RpcConnection::push_extrinsic(const Hash256& extrinsic, const std::vector<Json>& updates) {
  for (auto entry = subscriptions_.begin(); entry != subscriptions_.end();) {
    if (entry->second.topic != Topic::kExtrinsic || entry->second.extrinsic != extrinsic) {
      ++entry;
      continue;
    }
    for (const Json& update : updates) push(entry->first, Topic::kExtrinsic, update);
    // Nothing more can happen to it.
    entry = subscriptions_.erase(entry);
  }
}

void RpcConnection::push_heads(const Block& block) {
  const Json header = header_json(block.header);
  for (const auto& [id, subscription] : subscriptions_) {
    const Topic topic = subscription.topic;
    if (topic == Topic::kNewHead || topic == Topic::kAllHead || topic == Topic::kFinalizedHead) {
      push(id, topic, header);
    }
  }
}

void RpcConnection::notify(const BlockNotice& notice) {
  push_heads(*notice.block);
  const std::string hash = hex0x(notice.block->hash);
  for (const Hash256& extrinsic : notice.included) {
    push_extrinsic(extrinsic, {Json{{"inBlock", hash}}, Json{{"finalized", hash}}});
  }
  for (const Hash256& extrinsic : notice.invalid) push_extrinsic(extrinsic, {Json("invalid")});
}

}  // namespace adit::validator
