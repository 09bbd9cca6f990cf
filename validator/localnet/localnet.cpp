// SPDX-License-Identifier: MIT
#include "validator/localnet/localnet.hpp"

namespace adit::validator {

Result<std::unique_ptr<Localnet>> Localnet::start(const LocalnetOptions& options, const Clock& clock) {
  ADIT_TRY(std::unique_ptr<Node> node, Node::open(options.state_dir, clock));
  ADIT_TRY(std::unique_ptr<RpcServer> server, RpcServer::start(*node, options.rpc));
  return std::unique_ptr<Localnet>(new Localnet(options.rpc.host, std::move(node), std::move(server)));
}

std::string Localnet::url() const {
  const bool v6 = host_.find(':') != std::string::npos;
  return fmt::format("ws://{}{}{}:{}", v6 ? "[" : "", host_, v6 ? "]" : "", server_->port());
}

}  // namespace adit::validator
