// SPDX-License-Identifier: MIT
// validator/localnet/rpc_connection.hpp
//
// One client's JSON-RPC conversation with the node: requests, batches and subscriptions, without a socket.
//
// In       receive: one message as text. notify: each new block.
// Out      every answer and notification goes to `send`, in order; a subscription's first notification comes
//          after the answer that names it.
// Errors   to the client, as JSON-RPC: -32700 no JSON, -32600 no request, -32601 unknown method, -32602 wrong
//          params, 1001 to 1016 of the pool, 4003 unknown block, discarded state or unknown runtime API.
// Threads  one at a time.
// Source   jsonrpc.org/specification; polkadot-sdk sc-rpc-api for methods and shapes
// Tests    tests/unit/validator/localnet/rpc_test.cpp, tests/fuzz/localnet_rpc_fuzz.cpp
#pragma once

#include <functional>
#include <map>
#include <set>
#include <string>
#include <string_view>

#include <nlohmann/json_fwd.hpp>

#include "validator/localnet/node.hpp"

namespace adit::validator {

class RpcConnection {
 public:
  using Send = std::function<void(std::string)>;
  // node outlives the connection.
  RpcConnection(Node& node, Send send) : node_(node), send_(std::move(send)) {}

  void receive(std::string_view text);
  void notify(const BlockNotice& notice);

  enum class Topic { kNewHead, kAllHead, kFinalizedHead, kRuntimeVersion, kExtrinsic };
  // The methods' side: makes a subscription whose first notification, if any, follows the answer.
  [[nodiscard]] Result<std::string> subscribe(Topic topic, const nlohmann::json* first);
  [[nodiscard]] Result<std::string> watch(const Hash256& extrinsic, const nlohmann::json& first);
  bool unsubscribe(const std::string& id);
  [[nodiscard]] Node& node() { return node_; }

 private:
  struct Subscription {
    Topic topic = Topic::kNewHead;
    // kExtrinsic only.
    Hash256 extrinsic{};
  };
  [[nodiscard]] std::string add(Subscription subscription, const nlohmann::json* first);
  [[nodiscard]] nlohmann::json answer(const nlohmann::json& request);
  void push(const std::string& id, Topic topic, const nlohmann::json& result);
  void push_heads(const Block& block);
  void push_extrinsic(const Hash256& extrinsic, const std::vector<nlohmann::json>& updates);

  Node& node_;
  Send send_;
  std::uint64_t next_id_ = 1;
  std::map<std::string, Subscription> subscriptions_;
  // Notifications that wait for the answer before them.
  std::vector<std::string> held_;
};

}  // namespace adit::validator
