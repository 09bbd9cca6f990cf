// SPDX-License-Identifier: MIT
// validator/query/grpc_miner_client.hpp
//
// MinerClient over signed gRPC calls, one channel a miner, kept between steps.
//
// In       trust: roots that a miner's TLS certificate must lead to; none: plain text (loopback, private nets).
// Errors   none: a failed call is a Reply with a verdict (common/net/status.hpp).
// Threads  ask() from many threads.
// Tests    deploy/demo.sh
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <optional>

#include "common/net/miner_channel.hpp"
#include "validator/query/miner_client.hpp"

namespace adit::validator {

class GrpcMinerClient final : public MinerClient {
 public:
  GrpcMinerClient(crypto::Signer& signer, const Clock& clock, std::optional<net::TlsTrust> trust)
      : signer_(signer), clock_(clock), trust_(std::move(trust)), nonces_(clock) {}
  [[nodiscard]] Reply ask(const net::Endpoint& address, const AccountId& hotkey,
                          const protocol::GenerateRequest& request, std::uint64_t deadline_ms) override;

 private:
  struct Peer {
    net::Endpoint address;
    std::shared_ptr<net::MinerChannel> channel;
  };
  std::shared_ptr<net::MinerChannel> channel_to(const net::Endpoint& address, const AccountId& hotkey);

  crypto::Signer& signer_;
  const Clock& clock_;
  std::optional<net::TlsTrust> trust_;
  protocol::NonceSource nonces_;
  std::mutex mutex_;
  std::map<AccountId, Peer> peers_;
};

}  // namespace adit::validator
