// SPDX-License-Identifier: MIT
// common/net/miner_server.hpp
//
// The gRPC side of a miner: listens, bounds, authenticates; what is behind it is a MinerHandler.
//
// In       options; a handler that outlives the server. Each call passes, in this order: message
//          size and stream limits, btauth/1 over the received bytes, handler.admit, replay window,
//          rate limit, decoding.
// Errors   start: kFailedPrecondition (not loopback, no TLS, allow_insecure not set), kUnavailable
//          (port in use), kNotFound and kInvalidArgument (certificate files). Calls: the Error
//          becomes the gRPC status; kResourceExhausted carries trailing metadata
//          adit-retry-after-ms.
// Threads  gRPC's own, at most options.threads_max; each running call holds one. Handler methods
//          are called from any of them at once.
// Source   proto/README.md; btauth.hpp
// Tests    tests/unit/common/net/miner_server_test.cpp, tls_test.cpp
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "common/base/clock.hpp"
#include "common/base/limits.hpp"
#include "common/net/endpoint.hpp"
#include "common/net/rate_limiter.hpp"
#include "common/protocol/btauth.hpp"
#include "common/protocol/messages.hpp"
#include "common/protocol/replay_window.hpp"

namespace adit::net {

struct Caller {
  AccountId hotkey{};
  // "ipv4:10.0.0.1:51234", for logs.
  std::string peer;
};

// Where a handler puts tokens while it generates. One thread.
class TokenSink {
 public:
  virtual ~TokenSink() = default;
  // False: the caller is gone; stop.
  [[nodiscard]] virtual bool send(std::span<const TokenId> ids) = 0;
  [[nodiscard]] virtual bool cancelled() const = 0;
};

class MinerHandler {
 public:
  virtual ~MinerHandler() = default;
  // Whether this hotkey may call at all; before anything is remembered about the call.
  [[nodiscard]] virtual Result<void> admit(const Caller& caller) = 0;
  [[nodiscard]] virtual Result<protocol::Description> describe(const Caller& caller) = 0;
  // Returns after the last token went into the sink; the receipt is sent last.
  [[nodiscard]] virtual Result<protocol::Receipt> generate(const Caller& caller,
                                                           const protocol::GenerateRequest& request,
                                                           TokenSink& sink) = 0;
  // How long a refused caller should wait, for kResourceExhausted.
  [[nodiscard]] virtual std::uint32_t retry_after_ms() const { return 1000; }
};

struct TlsFiles {
  std::string certificate_path;  // PEM chain
  std::string key_path;          // PEM
};

struct ServerOptions {
  Endpoint bind;
  std::optional<TlsFiles> tls;
  // Listen beyond loopback without TLS.
  bool allow_insecure = false;
  int threads_max = 32;
  int streams_per_connection_max = 64;
  std::uint32_t request_bytes_max = limits::kRequestBytesMax;
  RateLimits rate;
  // Scheme of the hotkeys that may call.
  crypto::Scheme scheme = crypto::Scheme::kSr25519;
};

class MinerServer {
 public:
  // `receiver`: the hotkey that calls must be addressed to.
  [[nodiscard]] static Result<std::unique_ptr<MinerServer>> start(const ServerOptions& options,
                                                                  const AccountId& receiver,
                                                                  MinerHandler& handler,
                                                                  const Clock& clock);
  ~MinerServer();
  // The port listened on (the chosen one if options said 0).
  [[nodiscard]] std::uint16_t port() const;
  // Refuses new calls at once, lets running ones finish for `grace`, then cancels them; returns
  // when all ended.
  void stop(std::chrono::milliseconds grace);

 private:
  struct State;
  explicit MinerServer(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace adit::net
