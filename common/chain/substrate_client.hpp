// SPDX-License-Identifier: MIT
// common/chain/substrate_client.hpp
//
// The ChainClient of a real node (or the local chain): JSON-RPC over one WebSocket.
//
// In       url: ws://host[:port][/path] or wss://…
// Out      connect returns once genesis, runtime version and metadata are known.
// Errors   connect: kInvalidArgument (url), kUnavailable with url and reason, at once for a refused
// connection,
//          after connect_timeout_ms at most; kDataLoss when the node's answers do not decode.
//          Later, a lost connection is taken up again with growing, jittered pauses; reads wait and are
//          sent again, a submission never is before the chain was searched for it.
// Units    ms; blocks for the era.
// Threads  one thread of its own owns the socket; the client may be used from any thread.
// Source   RaoFoundation/subtensor sdk/python (what it asks of a node)
// Tests    tests/unit/common/chain/{substrate_client,submit}_test.cpp,
// tests/integration/chain_localnet_test.cpp
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "common/base/limits.hpp"
#include "common/base/result.hpp"
#include "common/chain/client.hpp"

namespace adit::chain {

struct ClientOptions {
  std::uint32_t connect_timeout_ms = 5'000;
  std::uint32_t request_timeout_ms = limits::kRpcTimeoutMs;
  // Until the fate of an extrinsic is known.
  std::uint32_t submit_timeout_ms = 180'000;
  // A silent connection is pinged at half of this and given up at the whole.
  std::uint32_t idle_timeout_ms = 30'000;
  std::uint32_t backoff_min_ms = 100;
  std::uint32_t backoff_max_ms = 10'000;
  // A waiting request is given up when this many connections were lost or could not be made meanwhile.
  std::uint32_t attempts_max = 6;
  // How often the chain is searched while the fate of an extrinsic is unknown.
  std::uint32_t search_interval_ms = 500;
  std::uint32_t era_blocks = 64;
  // Whether submit waits until the block is final, or only until it is made.
  bool wait_finalized = true;
};

[[nodiscard]] Result<std::unique_ptr<ChainClient>> connect(std::string url,
                                                           const ClientOptions& options = {});

}  // namespace adit::chain
