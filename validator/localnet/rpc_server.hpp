// SPDX-License-Identifier: MIT
// validator/localnet/rpc_server.hpp
//
// The node's JSON-RPC over WebSocket, and the clock that makes blocks.
//
// In       host: a loopback address. port 0: any free port; port() tells which.
//          block_time: none makes blocks only when asked (dev_newBlock, Node::make_block).
// Errors   start: kInvalidArgument (not a loopback address), kUnavailable (port in use), with address and
//          port. failure(): why block making stopped, e.g. a full disk; the server still answers then.
// Threads  one inside does all I/O and timed blocks; methods here from any thread.
// Source   Boost.Beast asynchronous WebSocket server; RFC 6455
// Tests    tests/unit/validator/localnet/server_test.cpp
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>

#include "validator/localnet/node.hpp"

namespace adit::validator {

struct RpcServerOptions {
  std::string host = "127.0.0.1";
  std::uint16_t port = 0;
  std::optional<std::chrono::milliseconds> block_time;
};

class RpcServer {
 public:
  // node outlives the server.
  [[nodiscard]] static Result<std::unique_ptr<RpcServer>> start(Node& node,
                                                                const RpcServerOptions& options);
  RpcServer(const RpcServer&) = delete;
  RpcServer& operator=(const RpcServer&) = delete;
  // Closes every connection and waits for the thread.
  ~RpcServer();

  [[nodiscard]] std::uint16_t port() const;
  [[nodiscard]] std::optional<Error> failure() const;

 private:
  struct Impl;
  explicit RpcServer(std::shared_ptr<Impl> impl);
  std::shared_ptr<Impl> impl_;
};

}  // namespace adit::validator
