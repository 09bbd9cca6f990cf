// SPDX-License-Identifier: MIT
// tests/support/scripted_chain.hpp
//
// A ScriptedNode that answers the reading half of a chain's RPC from blocks and storage that a test puts
// there. It serves the local chain's metadata and checks signatures for real; submission is left to the
// test.
//
// Use      put(): one storage value. add_block(): a block on top, final at once unless hold_final.
// Threads  any; one mutex.
#pragma once

#include <atomic>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "common/chain/events.hpp"
#include "common/chain/extrinsic.hpp"
#include "common/chain/localnet_metadata.hpp"
#include "common/chain/metadata.hpp"
#include "common/chain/storage_key.hpp"
#include "tests/support/scripted_node.hpp"

namespace adit::test {

class ScriptedChain {
 public:
  ScriptedChain();

  ScriptedNode node;
  std::atomic<std::uint32_t> spec_version = 461;
  std::atomic<std::uint32_t> nonce = 0;  // what account_nextIndex answers
  std::atomic<bool> hold_final = false;  // new blocks are not final
  // Replaces the metadata that is served.
  void serve_metadata(Bytes blob);

  [[nodiscard]] const chain::Metadata& metadata() const { return metadata_; }
  void put(std::string_view item, std::vector<Bytes> parts, Bytes value);
  // Returns the block's number. `error`: "Pallet.Error" by which every extrinsic fails; empty: success.
  BlockNumber add_block(std::vector<Bytes> extrinsics = {}, const std::string& error = "",
                        std::vector<chain::Event> more = {});
  // The block and all above it are replaced by an empty one.
  void reorganise(BlockNumber from);
  void finalize_all();
  [[nodiscard]] std::string hash_of(BlockNumber number);
  [[nodiscard]] Hash256 hash256_of(BlockNumber number);
  // Whether it is signed for this chain with the current nonce.
  [[nodiscard]] bool accepts(const Bytes& xt);

 private:
  struct Block {
    Hash256 hash{};
    std::vector<Bytes> extrinsics;
    Bytes events;
  };
  void script();
  Block make_block(std::vector<Bytes> extrinsics, const std::string& error, std::vector<chain::Event> more);
  Bytes events_of(const std::vector<Bytes>& extrinsics, const std::string& error,
                  std::vector<chain::Event> more) const;
  const Block* find(const Json& hash) const;
  Json storage_at(const std::string& key, const Json& hash) const;

  mutable std::mutex mutex_;
  Bytes blob_;
  chain::Metadata metadata_;
  std::vector<Block> blocks_;
  std::size_t final_ = 0;
  std::uint8_t branch_ = 0;
  std::map<std::string, std::string> storage_;
  std::string events_key_;
};

}  // namespace adit::test
