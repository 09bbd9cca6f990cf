// SPDX-License-Identifier: MIT
// validator/localnet/localnet.hpp
//
// A whole local chain in one object: node, block making and RPC. Tests hold one in their own process.
//
// In       state_dir: where the chain is kept; none: in memory. block_time: none is manual, by make_block or
//          the RPC method dev_newBlock.
// Out      url(): ws://host:port, ready when start returns.
// Errors   start: those of Node::open and RpcServer::start.
// Threads  any.
// Tests    tests/unit/validator/localnet/server_test.cpp
#pragma once

#include <memory>
#include <string>

#include "validator/localnet/node.hpp"
#include "validator/localnet/rpc_server.hpp"

namespace adit::validator {

struct LocalnetOptions {
  RpcServerOptions rpc;
  std::optional<std::filesystem::path> state_dir;
};

class Localnet {
 public:
  // clock outlives the chain.
  [[nodiscard]] static Result<std::unique_ptr<Localnet>> start(const LocalnetOptions& options,
                                                               const Clock& clock);

  [[nodiscard]] std::string url() const;
  [[nodiscard]] Node& node() { return *node_; }
  Result<Block> make_block() { return node_->make_block(); }
  // Why timed blocks stopped, if they did.
  [[nodiscard]] std::optional<Error> failure() const { return server_->failure(); }

 private:
  Localnet(std::string host, std::unique_ptr<Node> node, std::unique_ptr<RpcServer> server)
      : host_(std::move(host)), node_(std::move(node)), server_(std::move(server)) {}

  std::string host_;
  std::unique_ptr<Node> node_;
  // After node_: it goes first.
  std::unique_ptr<RpcServer> server_;
};

}  // namespace adit::validator
