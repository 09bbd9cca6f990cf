// SPDX-License-Identifier: MIT
// common/net/miner_channel.hpp
//
// The caller's side: a connection to one miner; every call is signed for it and ends by a deadline.
//
// Errors   the miner's status with the same code; kDeadlineExceeded: late; kUnavailable: no
//          connection; kDataLoss: the reply breaks the protocol (undecodable, more tokens than
//          asked, no receipt, or a receipt with other ids than were streamed). verdict_of
//          (status.hpp) turns these into verdicts. A receipt is decoded here, not judged: see
//          protocol/receipt_check.hpp.
// Units    deadlines from now, in milliseconds; *_ns: nanoseconds from the start of the call.
// Threads  any; calls may run at once.
// Tests    tests/unit/common/net/miner_server_test.cpp, tls_test.cpp
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "common/base/clock.hpp"
#include "common/crypto/signer.hpp"
#include "common/net/endpoint.hpp"
#include "common/protocol/messages.hpp"
#include "common/protocol/nonce_source.hpp"

namespace adit::net {

struct TlsTrust {
  // PEM: a root, or the miner's own certificate to pin it.
  std::string roots_pem;
  // The name in the certificate, where it is not the address.
  std::string server_name;
};

struct GenerateReply {
  protocol::Receipt receipt;
  std::uint64_t first_token_ns = 0;
  std::uint64_t total_ns = 0;
};

class MinerChannel {
 public:
  // `signer`, `nonces` and `clock` outlive the channel. One NonceSource serves all channels of a
  // hotkey.
  struct Options {
    Endpoint endpoint;
    AccountId miner{};
    std::optional<TlsTrust> tls;
  };
  MinerChannel(const Options& options, crypto::Signer& signer, protocol::NonceSource& nonces,
               const Clock& clock);
  ~MinerChannel();
  MinerChannel(MinerChannel&&) noexcept;

  [[nodiscard]] Result<protocol::Description> describe(std::chrono::milliseconds deadline);

  // on_tokens: called on this thread with each piece; false cancels the call (kCancelled).
  using OnTokens = std::function<bool(std::span<const TokenId>)>;
  [[nodiscard]] Result<GenerateReply> generate(const protocol::GenerateRequest& request,
                                               std::chrono::milliseconds deadline,
                                               const OnTokens& on_tokens = {});

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace adit::net
