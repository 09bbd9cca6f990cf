// SPDX-License-Identifier: MIT
// common/chain/submit.hpp
//
// One extrinsic from call to proven inclusion. Internal to substrate_client.cpp.
//
// Steps    mortal era on the finalized head, nonce from the node, sign, submit and watch, read the block
// and its
//          events. When the watching breaks (line lost, no answer, pool says "already"), the chain is
//          searched for the extrinsic by its hash before anything else; the same bytes are sent again only
//          when the node's nonce says that neither pool nor chain has them. The same bytes can never be
//          applied twice.
// In       Runtime: what signatures are made for; it outlives the call.
// Errors   as ChainClient::submit.
// Threads  one call at a time for one account (the caller's lock).
// Source   the retry rules of RaoFoundation/subtensor sdk/python
// Tests    tests/unit/common/chain/submit_test.cpp
#pragma once

#include <memory>

#include "common/base/result.hpp"
#include "common/chain/chain_rpc.hpp"
#include "common/chain/client.hpp"
#include "common/chain/extrinsic.hpp"

namespace adit::chain {

struct Runtime {
  RuntimeVersion version;
  Metadata metadata;
};

class Submitter {
 public:
  Submitter(ChainRpc& rpc, const ClientOptions& options, const Hash256& genesis, const Runtime& runtime)
      : rpc_(rpc), options_(options), genesis_(genesis), runtime_(runtime) {}

  [[nodiscard]] Result<Inclusion> submit(ByteView call, crypto::Signer& signer);

 private:
  // A signed extrinsic and what is needed to search for it.
  struct Sent {
    Bytes xt;
    Hash256 hash{};
    AccountId account{};
    std::uint32_t nonce = 0;
    BlockNumber searched = 0;  // blocks up to here do not hold it
    BlockNumber death = 0;     // blocks from here cannot hold it
  };

  Result<Sent> sign(ByteView call, crypto::Signer& signer);
  Result<Inclusion> watch(Subscription& updates, Sent& sent);
  // None: nothing is decided by this status.
  Result<std::optional<Inclusion>> on_status(const Json& status, Sent& sent);
  Result<Inclusion> search(Sent& sent);
  Result<std::optional<Inclusion>> search_once(Sent& sent);
  // Sends the same bytes again if neither pool nor chain has them.
  Result<void> resend(const Sent& sent);
  // Waits until the block is final, and says whether it still is on the chain.
  Result<bool> is_final(const BlockRef& block);
  Result<Inclusion> prove(const Hash256& block, const Sent& sent);
  [[nodiscard]] bool out_of_time() const;
  [[nodiscard]] std::chrono::milliseconds time_left() const;

  ChainRpc& rpc_;
  const ClientOptions& options_;
  const Hash256& genesis_;
  const Runtime& runtime_;
  std::chrono::steady_clock::time_point deadline_;
};

}  // namespace adit::chain
