// SPDX-License-Identifier: MIT
// tests/support/miner_rig.hpp
//
// A miner server on a loopback port with a scripted handler, and the keys to call it. Threads: as
// MinerServer.
#pragma once

#include <atomic>
#include <chrono>
#include <memory>
#include <thread>
#include <vector>

#include "common/base/clock.hpp"
#include "common/base/rng.hpp"
#include "common/net/miner_channel.hpp"
#include "common/net/miner_server.hpp"

namespace adit::test {

// Answers prompt[0]+1, prompt[0]+2, … and signs the receipt: enough to see every byte go through.
class CountingHandler final : public net::MinerHandler {
 public:
  explicit CountingHandler(crypto::Signer& signer) : signer_(signer) {}

  Result<void> admit(const net::Caller& caller) override {
    ++admitted;
    if (refuse_all) return permission_denied("no validator permit");
    last_caller = caller.hotkey;
    return {};
  }
  Result<protocol::Description> describe(const net::Caller&) override {
    protocol::Description out;
    out.model_name = "counting";
    out.hotkey = signer_.account();
    return out;
  }
  Result<protocol::Receipt> generate(const net::Caller& caller,
                                     const protocol::GenerateRequest& request,
                                     net::TokenSink& sink) override {
    ++generated;
    protocol::ReceiptCore core{.card = request.card,
                               .request = protocol::request_hash(request),
                               .seed = protocol::seed_of(request, caller.hotkey, signer_.account()),
                               .n_p = static_cast<std::uint32_t>(request.prompt.size()),
                               .n_g = 0,
                               .ids = {},
                               .finish = protocol::FinishReason::kLength,
                               .trace_root = {}};
    for (std::uint32_t i = 0; i < request.max_tokens; ++i) {
      if (token_delay_ms > 0)
        std::this_thread::sleep_for(std::chrono::milliseconds(token_delay_ms));
      core.ids.push_back(request.prompt[0] + 1 + static_cast<TokenId>(i));
      if (!sink.send(std::span(core.ids).last(1)) || sink.cancelled()) {
        ++cancelled;
        return make_error(ErrorCode::kCancelled, "the caller is gone");
      }
    }
    core.n_g = request.max_tokens;
    if (lie_about_ids) core.ids[0] ^= 1;
    return protocol::sign_receipt(std::move(core), signer_);
  }

  std::atomic<bool> refuse_all = false;
  std::atomic<bool> lie_about_ids = false;
  std::atomic<int> token_delay_ms = 0;
  std::atomic<int> admitted = 0, generated = 0, cancelled = 0;
  AccountId last_caller{};

 private:
  crypto::Signer& signer_;
};

inline protocol::GenerateRequest counting_request(std::uint32_t max_tokens) {
  protocol::GenerateRequest out;
  out.prompt = {100, 5};
  out.max_tokens = max_tokens;
  return out;
}

struct MinerRig {
  OsRng rng;
  SystemClock clock;
  crypto::KeypairSigner miner{*crypto::Keypair::from_uri(crypto::Scheme::kSr25519, "//Miner"), rng};
  crypto::KeypairSigner validator{
      *crypto::Keypair::from_uri(crypto::Scheme::kSr25519, "//Validator"), rng};
  CountingHandler handler{miner};
  protocol::NonceSource nonces{clock};
  net::ServerOptions options = [] {
    net::ServerOptions out;
    out.bind = *net::parse_endpoint("127.0.0.1:0");
    out.rate = {.per_second = 1000, .burst = 1000};
    return out;
  }();
  std::unique_ptr<net::MinerServer> server;

  void start() {
    server = net::MinerServer::start(options, miner.account(), handler, clock).value();
  }
  [[nodiscard]] net::Endpoint endpoint() const {
    net::Endpoint out = options.bind;
    out.port = server->port();
    return out;
  }
  [[nodiscard]] net::MinerChannel channel(std::optional<net::TlsTrust> tls = std::nullopt) {
    return {{.endpoint = endpoint(), .miner = miner.account(), .tls = std::move(tls)},
            validator,
            nonces,
            clock};
  }
};

}  // namespace adit::test
