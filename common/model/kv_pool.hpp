// SPDX-License-Identifier: MIT
// common/model/kv_pool.hpp
//
// Keys and values of all sequences in blocks of 32 positions, with a budget, and an index of blocks that hold
// known prefixes, so that a sequence which begins like an earlier one need not compute it again.
//
// In       publish: the key of a full block, which stands for every token up to its end (prefix_key).
// Out      take: an unused block, else the published block that was left unused for longest. find: a
//          published block, held for the caller.
// Shapes   plane p (a layer's keys or values of one head; MLA: a layer) of block b is at base(b) + p * plane_cells(),
//          block_cells() cells of 2 bytes (f16, or int8 and its scales).
//          leaves(b): trace leaves [32][lanes][32] bytes, if the pool keeps them.
// Units    Address space for all blocks is reserved at once; the system gives memory when a block is first
//          written, and blocks with low numbers are given out first.
// Errors   kResourceExhausted when the address space cannot be reserved.
// Threads  one thread for everything but the cells, which any thread may write for blocks it owns.
// Tests    tests/unit/common/model/kv_cache_test.cpp
#pragma once

#include <cstddef>
#include <cstdint>
#include <list>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "common/base/bytes.hpp"
#include "common/base/result.hpp"
#include "common/base/strong.hpp"
#include "common/model/kv_form.hpp"
#include "common/model/model_config.hpp"

namespace adit::model {

inline constexpr int kKvBlock = 32;

[[nodiscard]] constexpr int kv_blocks(int positions) {
  return (positions + kKvBlock - 1) / kKvBlock;
}

struct KvShape {
  int planes = 0;
  KvForm form = KvForm::kF16;
  // Cells of one block in one plane.
  std::size_t block_cells = 0;
  // Leaves of one block; 0: none are kept.
  std::size_t leaf_bytes = 0;

  [[nodiscard]] std::size_t block_bytes() const {
    return static_cast<std::size_t>(planes) * block_cells * sizeof(std::uint16_t) + leaf_bytes;
  }
};
[[nodiscard]] KvShape kv_shape(const ModelConfig& config, bool keeps_leaves, KvForm form = KvForm::kF16);

// The key of a block: everything that its cells depend on but their form, which a pool has one of.
// parent: the key of the block before it, or for the first one prefix_root.
[[nodiscard]] Hash256 prefix_root(const Hash256& pack, const Hash256& adapter);
[[nodiscard]] Hash256 prefix_key(const Hash256& parent, std::span<const TokenId> ids);

class KvPool {
 public:
  [[nodiscard]] static Result<std::shared_ptr<KvPool>> make(const KvShape& shape, int blocks);
  KvPool(const KvPool&) = delete;
  KvPool& operator=(const KvPool&) = delete;
  ~KvPool();

  [[nodiscard]] int blocks() const { return static_cast<int>(states_.size()); }
  // Blocks that take() can give.
  [[nodiscard]] int available() const { return static_cast<int>(free_.size() + idle_.size()); }
  [[nodiscard]] int published() const { return static_cast<int>(index_.size()); }

  // The block is held once; nullopt: every block is in use.
  [[nodiscard]] std::optional<int> take();
  [[nodiscard]] std::optional<int> find(const Hash256& key);
  void release(int block);
  // Nothing happens when another block has the key.
  void publish(int block, const Hash256& key);

  [[nodiscard]] std::uint16_t* base(int block) const {
    return cells_ + static_cast<std::size_t>(block) * shape_.block_cells;
  }
  [[nodiscard]] std::size_t plane_cells() const { return plane_cells_; }
  [[nodiscard]] KvForm form() const { return shape_.form; }
  // nullptr if the pool keeps none.
  [[nodiscard]] std::uint8_t* leaves(int block) const {
    return shape_.leaf_bytes == 0 ? nullptr : leaves_ + static_cast<std::size_t>(block) * shape_.leaf_bytes;
  }
  // Memory that is resident now, in bytes.
  [[nodiscard]] std::size_t resident_bytes() const;

 private:
  struct State {
    int holders = 0;
    bool is_published = false;
    Hash256 key{};
    // In idle_, when nobody holds a published block.
    std::list<int>::iterator place{};
  };
  KvPool(const KvShape& shape, int blocks, void* memory, std::size_t bytes);

  KvShape shape_;
  void* memory_;
  std::size_t mapped_bytes_;
  std::size_t plane_cells_;
  std::uint16_t* cells_;
  std::uint8_t* leaves_;
  std::vector<State> states_;
  // The lowest number last.
  std::vector<int> free_;
  // Published and held by nobody, the one left first in front.
  std::list<int> idle_;
  std::map<Hash256, int> index_;
};

}  // namespace adit::model
