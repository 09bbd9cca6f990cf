// SPDX-License-Identifier: MIT
// common/chain/websocket.hpp
//
// One WebSocket connection, ws or wss, from open to closed. Internal to rpc_connection.cpp.
//
// Out      exactly one on_closed for each socket, with the reason, unless close() came first; on_open at
// most
//          once; on_message for each text or binary message, at most limits::kRpcMessageBytesMax long.
// Errors   make_websocket and parse_url: kInvalidArgument for a url that is not ws or wss.
// Threads  everything runs on the io_context's single thread; the methods are called on it.
// Source   RFC 6455; Boost.Beast. wss: the system's trust store, host name checked.
// Tests    tests/unit/common/chain/rpc_connection_test.cpp
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include <boost/asio/io_context.hpp>

#include "common/base/result.hpp"

namespace adit::chain {

struct Url {
  bool tls = false;
  std::string host;
  std::string port;
  std::string path;
};
[[nodiscard]] Result<Url> parse_url(std::string_view text);

struct WebSocketHandlers {
  std::function<void()> on_open;
  std::function<void(std::string)> on_message;
  std::function<void(std::string reason)> on_closed;
};
struct WebSocketTimes {
  std::uint32_t connect_timeout_ms = 0;
  std::uint32_t idle_timeout_ms = 0;
};

class WebSocket {
 public:
  virtual ~WebSocket() = default;
  virtual void start() = 0;
  virtual void send(std::string message) = 0;
  // No handler is called any more.
  virtual void close() = 0;
};
[[nodiscard]] std::shared_ptr<WebSocket> make_websocket(boost::asio::io_context& io, Url url,
                                                        WebSocketTimes times, WebSocketHandlers handlers);

}  // namespace adit::chain
