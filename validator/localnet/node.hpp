// SPDX-License-Identifier: MIT
// validator/localnet/node.hpp
//
// The local chain as one object: its blocks and state, the transactions that wait, and how a block is made.
//
// In       extrinsics as bytes, from anyone.
// Out      every answer is from real state; a block is final when it is made.
// Errors   submit: a PoolRefusal with the node error codes of the chain (1001 undecodable, 1010 invalid, 1012
//          to 1016 of the pool). with_state: kOutOfRange for a block whose state is gone, kNotFound for one
//          that never was. make_block: what the store says; the chain then stands where it stood.
// Threads  any; one lock inside. The listener runs on the thread that made the block.
// Source   polkadot-sdk sp_runtime::transaction_validity for the texts of refusals
// Tests    tests/unit/validator/localnet/node_test.cpp
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>

#include "common/base/clock.hpp"
#include "validator/localnet/chain_store.hpp"
#include "validator/localnet/runtime.hpp"
#include "validator/localnet/state.hpp"
#include "validator/localnet/tx_pool.hpp"

namespace adit::validator {

struct BlockNotice {
  std::shared_ptr<const Block> block;
  std::vector<Hash256> included;
  // No longer in the pool and in no block.
  std::vector<Hash256> invalid;
};

struct Submitted {
  Hash256 hash{};
  // False: an earlier nonce is missing.
  bool ready = true;
};

class Node {
 public:
  // How far back state can be read, in blocks.
  static constexpr BlockNumber kHistoryBlocks = 4096;

  [[nodiscard]] static Result<std::unique_ptr<Node>> open(
      const std::optional<std::filesystem::path>& state_dir, const Clock& clock,
      BlockNumber history_blocks = kHistoryBlocks);

  [[nodiscard]] const Runtime& runtime() const { return *runtime_; }
  [[nodiscard]] const Hash256& genesis_hash() const { return genesis_hash_; }
  [[nodiscard]] Block head() const;
  // None: no such block.
  [[nodiscard]] Result<std::optional<Block>> block(BlockNumber number) const;
  [[nodiscard]] Result<std::optional<Block>> block(const Hash256& hash) const;

  // Runs read(state, number) on the state after a block; none means the head.
  [[nodiscard]] Result<void> with_state(const std::optional<Hash256>& at,
                                        const std::function<void(const State&, BlockNumber)>& read) const;
  [[nodiscard]] Result<std::vector<Bytes>> keys(ByteView prefix, ByteView after, std::size_t most,
                                                const std::optional<Hash256>& at) const;

  [[nodiscard]] tl::expected<Submitted, PoolRefusal> submit(ByteView extrinsic);
  [[nodiscard]] std::vector<Bytes> pending() const;
  // The account's next nonce, waiting transactions counted.
  [[nodiscard]] std::uint32_t next_nonce(const AccountId& account) const;

  Result<Block> make_block();
  // Called after each block, without the lock. Set before blocks are made.
  void on_block(std::function<void(const BlockNotice&)> listener);

 private:
  Node(std::unique_ptr<Runtime> runtime, std::unique_ptr<ChainStore> store, const Clock& clock)
      : runtime_(std::move(runtime)), store_(std::move(store)), clock_(clock) {}
  [[nodiscard]] Result<BlockNumber> number_of(const std::optional<Hash256>& at) const;
  [[nodiscard]] tl::expected<Transaction, PoolRefusal> check(ByteView bytes) const;
  [[nodiscard]] tl::expected<void, PoolRefusal> check_signature(const Transaction& transaction,
                                                                const Hash256& era_hash) const;
  [[nodiscard]] tl::expected<void, PoolRefusal> check_funds_and_call(const Transaction& transaction,
                                                                     State& state) const;

  std::unique_ptr<Runtime> runtime_;
  std::unique_ptr<ChainStore> store_;
  const Clock& clock_;
  Hash256 genesis_hash_{};
  mutable std::mutex mutex_;
  TxPool pool_;
  std::function<void(const BlockNotice&)> listener_;
};

}  // namespace adit::validator
