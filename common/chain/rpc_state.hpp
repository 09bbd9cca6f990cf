// SPDX-License-Identifier: MIT
// common/chain/rpc_state.hpp
//
// What the socket thread of an RpcConnection keeps: requests under way, subscriptions, the state of the
// line. Internal to rpc_connection.cpp.
//
// Out      every request is answered exactly once: by the node, its deadline, a lost line, or stop().
// Errors   as rpc_connection.hpp.
// Threads  all methods on the io_context's one thread.
// Tests    tests/unit/common/chain/rpc_connection_test.cpp
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include "common/base/rng.hpp"
#include "common/chain/rpc_connection.hpp"
#include "common/chain/websocket.hpp"

namespace adit::chain {

using Notifications = BoundedQueue<Result<Json>>;

struct RpcRequest {
  std::string method;
  Json params;
  Resend resend = Resend::kYes;
  // Set: the answer is a subscription id, whose notifications go here.
  std::shared_ptr<Notifications> notifications;
  std::function<void(RpcResult<Json>)> done;
};

class RpcState {
 public:
  RpcState(boost::asio::io_context& io, std::string url_text, Url url, const ClientOptions& options);

  // on_first: called once, when the first attempt succeeded or failed.
  void start(std::function<void(Result<void>)> on_first);
  void request(RpcRequest request);
  void unsubscribe(const std::string& method, const Json& id);
  // Ends everything with kCancelled.
  void stop();

 private:
  struct Pending {
    RpcRequest request;
    std::unique_ptr<boost::asio::steady_timer> deadline;
    bool sent = false;
    std::uint32_t attempts = 0;  // connections that were lost, or not made, while it waited
  };

  void connect();
  void on_open();
  void on_closed(const std::string& reason);
  void on_message(const std::string& text);
  void on_answer(std::uint64_t id, Json& message);
  void on_notification(Json& message);
  void send(std::uint64_t id, Pending& pending);
  void finish(std::uint64_t id, RpcResult<Json> result);
  void lose_subscriptions(const std::string& reason);
  [[nodiscard]] std::chrono::milliseconds next_pause();

  boost::asio::io_context& io_;
  const std::string url_text_;
  const Url url_;
  const ClientOptions options_;
  SeededRng jitter_;
  boost::asio::steady_timer reconnect_;
  std::shared_ptr<WebSocket> socket_;
  bool open_ = false;
  bool stopped_ = false;
  std::uint32_t failures_ = 0;  // attempts in a row
  std::uint64_t next_id_ = 1;
  std::map<std::uint64_t, Pending> pending_;
  std::map<std::string, std::shared_ptr<Notifications>> subscriptions_;
  // Notifications that came before the answer that names their subscription.
  std::deque<std::pair<std::string, Json>> early_;
  std::function<void(Result<void>)> on_first_;
};

}  // namespace adit::chain
