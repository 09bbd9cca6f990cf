// SPDX-License-Identifier: MIT
#include "validator/query/grpc_miner_client.hpp"

#include "common/net/status.hpp"

namespace adit::validator {

std::shared_ptr<net::MinerChannel> GrpcMinerClient::channel_to(const net::Endpoint& address,
                                                               const AccountId& hotkey) {
  const std::lock_guard lock(mutex_);
  Peer& peer = peers_[hotkey];
  if (!peer.channel || !(peer.address == address)) {
    peer.address = address;
    peer.channel = std::make_shared<net::MinerChannel>(
        net::MinerChannel::Options{.endpoint = address, .miner = hotkey, .tls = trust_}, signer_, nonces_,
        clock_);
  }
  return peer.channel;
}

Reply GrpcMinerClient::ask(const net::Endpoint& address, const AccountId& hotkey,
                           const protocol::GenerateRequest& request, std::uint64_t deadline_ms) {
  const auto channel = channel_to(address, hotkey);
  const std::uint64_t start = clock_.steady_ns();
  auto answer = channel->generate(request, std::chrono::milliseconds(deadline_ms));
  Reply reply;
  reply.latency_ms = (clock_.steady_ns() - start) / 1'000'000;
  if (answer) {
    reply.receipt = std::move(answer->receipt);
    reply.verdict = protocol::Verdict::kExact;
  } else {
    reply.verdict = net::verdict_of(answer.error());
    reply.detail = answer.error().message;
  }
  return reply;
}

}  // namespace adit::validator
