// SPDX-License-Identifier: MIT
// miner/app/serve_app.hpp
//
// The whole of `adit-miner serve`: keys, answers, journal, chain, server, announcement, and an
// orderly end.
//
// In       settings; seams: the factory of the AnswerSource is called once, after the keys were
//          read.
// Out      prints `ready HOST:PORT card HASH` on stdout once questions can come. Returns after
//          SIGTERM or SIGINT: no new calls, running ones finish within server.drain, then
//          everything is closed.
// Errors   ServeFailure: what went wrong at start-up and the exit code that says so. Once it
//          serves, a lost chain is logged and waited out.
// Threads  the calling thread refreshes and announces; the rest is the parts' own.
// Tests    tests/integration/miner_serve_test.cpp
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "common/chain/client.hpp"
#include "common/crypto/keypair.hpp"
#include "miner/config/serve_config.hpp"
#include "miner/serve/answer_source.hpp"

namespace adit::miner {

struct ServeFailure {
  Error error;
  int exit_code = 0;
};

using SourceFactory = std::function<Result<std::unique_ptr<AnswerSource>>(const ServeConfig&)>;

// What a test, or a cheat, replaces.
struct ServeSeams {
  SourceFactory make_source;
  // Empty: chain::connect.
  std::function<Result<std::unique_ptr<chain::ChainClient>>(const std::string& url)> connect{};
  // Empty: prints the line.
  std::function<void(const net::Endpoint& bound, const Hash256& card)> on_ready{};
  // The HTTP endpoint's real address, before on_ready; empty: it is only logged.
  std::function<void(const net::Endpoint& bound)> on_http{};
};

// The caller has called shutdown::install().
[[nodiscard]] tl::expected<void, ServeFailure> serve(const ServeConfig& config,
                                                     const ServeSeams& seams);

// The hotkey that the settings name.
[[nodiscard]] Result<crypto::Keypair> load_hotkey(const KeysConfig& keys);

// The source of an honest miner: runs config.pack and declares its card.
[[nodiscard]] Result<std::unique_ptr<AnswerSource>> make_honest_source(const ServeConfig& config);

}  // namespace adit::miner
