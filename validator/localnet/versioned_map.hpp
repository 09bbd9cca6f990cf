// SPDX-License-Identifier: MIT
// validator/localnet/versioned_map.hpp
//
// Keys and values with their history: what a key held after any recent block.
//
// In       blocks are committed in rising order; a change without a value removes the key.
// Out      reads as of a block from horizon() on.
// Errors   none; the caller keeps `at` within the horizon.
// Threads  one writer, or any number of readers; the owner locks.
// Tests    tests/unit/validator/localnet/store_test.cpp
#pragma once

#include <cstddef>
#include <deque>
#include <map>
#include <optional>
#include <utility>
#include <vector>

#include "common/base/bytes.hpp"
#include "common/base/strong.hpp"

namespace adit::validator {

using Changes = std::map<Bytes, std::optional<Bytes>>;

class VersionedMap {
 public:
  explicit VersionedMap(BlockNumber history_blocks) : history_blocks_(history_blocks) {}

  // nullptr: the key held nothing. The pointer is good until the next commit.
  [[nodiscard]] const Bytes* find(ByteView key, BlockNumber at) const;
  // Keys that begin with prefix, in order, greater than `after`, at most `most`.
  [[nodiscard]] std::vector<Bytes> keys(ByteView prefix, ByteView after, std::size_t most,
                                        BlockNumber at) const;

  // One version as it was stored; in order of key, then block.
  void restore(Bytes key, BlockNumber block, std::optional<Bytes> value);
  void restored(BlockNumber head);
  // What fell out of history: delete versions of `key` before `block`, and that of `block` too if `whole`.
  struct Dropped {
    Bytes key;
    BlockNumber block = 0;
    bool whole = false;
  };
  std::vector<Dropped> commit(BlockNumber block, const Changes& changes);

  // The oldest block that can be read.
  [[nodiscard]] BlockNumber horizon() const { return horizon_; }
  // blake2b-256 over every key and value as of the last block, in order, each with its length.
  [[nodiscard]] Hash256 root() const { return root_with({}); }
  // The same, with changes applied on top.
  [[nodiscard]] Hash256 root_with(const Changes& changes) const;

 private:
  struct Version {
    BlockNumber block = 0;
    std::optional<Bytes> value;
  };
  std::vector<Dropped> prune(BlockNumber head);

  BlockNumber history_blocks_;
  BlockNumber horizon_ = 0;
  std::map<Bytes, std::vector<Version>> entries_;
  std::map<BlockNumber, std::vector<Bytes>> changed_;
};

}  // namespace adit::validator
