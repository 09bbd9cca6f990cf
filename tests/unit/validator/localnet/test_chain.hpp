// SPDX-License-Identifier: MIT
// tests/unit/validator/localnet/test_chain.hpp
//
// A local chain under a test: developer accounts that sign, blocks on demand, outcomes by name.
#pragma once

#include <map>
#include <memory>
#include <string>

#include <gtest/gtest.h>

#include "common/chain/calls.hpp"
#include "common/chain/events.hpp"
#include "common/chain/extrinsic.hpp"
#include "common/crypto/signer.hpp"
#include "tests/support/fake_clock.hpp"
#include "validator/localnet/node.hpp"
#include "validator/localnet/state.hpp"

namespace adit::validator::test {

class TestChain {
 public:
  explicit TestChain(const std::optional<std::filesystem::path>& dir = std::nullopt,
                     BlockNumber history = Node::kHistoryBlocks)
      : clock_(1'795'570'000'000'000'000) {
    Result<std::unique_ptr<Node>> node = Node::open(dir, clock_, history);
    if (!node) throw std::runtime_error(node.error().message);
    node_ = *std::move(node);
  }

  [[nodiscard]] Node& node() { return *node_; }
  [[nodiscard]] const chain::Metadata& metadata() const { return node_->runtime().metadata(); }

  crypto::Signer& signer(const std::string& uri) {
    auto& slot = signers_[uri];
    if (!slot) {
      const bool ed25519 = uri.starts_with("ed:");
      auto pair = crypto::Keypair::from_uri(ed25519 ? crypto::Scheme::kEd25519 : crypto::Scheme::kSr25519,
                                            ed25519 ? uri.substr(3) : uri);
      if (!pair) throw std::runtime_error(pair.error().message);
      slot = std::make_unique<crypto::KeypairSigner>(*std::move(pair), rng_);
    }
    return *slot;
  }
  AccountId account(const std::string& uri) { return signer(uri).account(); }

  [[nodiscard]] chain::SigningContext context(const std::string& uri) {
    chain::SigningContext out;
    out.spec_version = node_->runtime().version().spec_version;
    out.transaction_version = node_->runtime().version().transaction_version;
    out.genesis = node_->genesis_hash();
    out.era_hash = node_->genesis_hash();
    out.nonce = node_->next_nonce(account(uri));
    return out;
  }
  [[nodiscard]] Bytes sign(const std::string& uri, ByteView call, const chain::SigningContext& with) {
    Result<Bytes> xt = chain::sign_extrinsic(metadata(), call, with, signer(uri));
    if (!xt) throw std::runtime_error(xt.error().message);
    return *std::move(xt);
  }
  [[nodiscard]] tl::expected<Submitted, PoolRefusal> submit(const std::string& uri,
                                                            const Result<Bytes>& call) {
    if (!call) throw std::runtime_error(call.error().message);
    return node_->submit(sign(uri, *call, context(uri)));
  }

  Block make_blocks(int count = 1) {
    Block last;
    for (int i = 0; i < count; ++i) {
      clock_.advance_ns(12'000'000'000);
      Result<Block> block = node_->make_block();
      if (!block) throw std::runtime_error(block.error().message);
      last = *std::move(block);
    }
    return last;
  }
  // Submits, makes a block, and says "ok", the dispatch error by name, or what the pool answered.
  std::string run(const std::string& uri, const Result<Bytes>& call) {
    const auto submitted = submit(uri, call);
    if (!submitted) return "pool: " + submitted.error().data;
    make_blocks();
    return outcome(submitted->hash);
  }
  std::string sudo(const Result<Bytes>& call) {
    if (!call) throw std::runtime_error(call.error().message);
    const std::string result = run("//Alice", chain::sudo(metadata(), *call));
    if (result != "ok") return result;
    for (const chain::Event& event : events()) {
      if (!event.is("Sudo", "Sudid")) continue;
      if (event.fields[0] == 0) return "ok";
      return chain::dispatch_error_text(metadata(), ByteView(event.fields).subspan(1));
    }
    return "no Sudid event";
  }
  std::string admin(const std::string& what, NetUid netuid, std::uint64_t value) {
    return sudo(chain::admin_set(metadata(), what, netuid, value));
  }

  // Of the last block.
  [[nodiscard]] std::vector<chain::Event> events() {
    std::vector<chain::Event> out;
    read([&](const State& state) {
      Result<std::vector<chain::Event>> decoded =
          chain::decode_events(metadata(), *state.raw(state.key(Item{"System", "Events"})));
      if (!decoded) throw std::runtime_error(decoded.error().message);
      out = *std::move(decoded);
    });
    return out;
  }
  [[nodiscard]] bool has_event(const std::string& pallet, const std::string& name) {
    for (const chain::Event& event : events()) {
      if (event.is(pallet, name)) return true;
    }
    return false;
  }
  [[nodiscard]] std::string outcome(const Hash256& hash) {
    const Block head = node_->head();
    for (std::size_t i = 0; i < head.extrinsics.size(); ++i) {
      if (chain::extrinsic_hash(head.extrinsics[i]) != hash) continue;
      for (const chain::Event& event : events()) {
        if (event.phase != chain::Phase::kApplyExtrinsic || event.extrinsic_index != i) continue;
        if (event.is("System", "ExtrinsicSuccess")) return "ok";
        if (event.is("System", "ExtrinsicFailed"))
          return chain::dispatch_error_text(metadata(), event.fields);
      }
    }
    return "not in the block";
  }
  void read(const std::function<void(const State&)>& with) {
    const Result<void> done = node_->with_state({}, [&](const State& state, BlockNumber) { with(state); });
    if (!done) throw std::runtime_error(done.error().message);
  }
  template <class T, class... Keys>
  [[nodiscard]] T get(Item item, const Keys&... keys) {
    T out{};
    read([&](const State& state) { out = state.get<T>(item, keys...); });
    return out;
  }

 private:
  adit::test::FakeClock clock_;
  SeededRng rng_{5};
  std::unique_ptr<Node> node_;
  std::map<std::string, std::unique_ptr<crypto::Signer>> signers_;
};

}  // namespace adit::validator::test
