// SPDX-License-Identifier: MIT
// common/model/kv_cache.hpp
//
// The keys and values of one sequence, all layers: blocks of 32 positions of a pool, in the layout of
// kernels/attention.
//
// In       positions_max: the sequence can never be longer.
// Shapes   keys(layer, head, position): the block that holds `position`, [head_dim][32] f16; values: [32]
//          [head_dim] f16; or int8 and scales (kernels/attention/attention.h, KvForm::kI8).
//          table(): the blocks' bases, for the kernels; keys_at and values_at are the
//          offsets of a plane from each base.
//          MLA instead: for each layer [32][kv_rank + rope_dim] f16 and, if the model has an indexer, behind
//          them an index block (kernels/indexer/indexer.h).
// Errors   kResourceExhausted when the address space of a pool of its own cannot be reserved.
// Threads  distinct (layer, head, position) may be written by different threads; adopt and grow by one.
// Tests    tests/unit/common/model/kv_cache_test.cpp
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "common/base/result.hpp"
#include "common/model/kv_pool.hpp"
#include "common/model/model_config.hpp"
#include "kernels/indexer/indexer.h"
#include "kernels/mla/latent_attention.h"

namespace adit::model {

class KvCache {
 public:
  // With a pool of its own that holds the longest sequence, all blocks taken.
  [[nodiscard]] static Result<KvCache> make(const ModelConfig& config, int positions_max,
                                            KvForm form = KvForm::kF16);
  // Of a pool whose shape is that of the model; empty.
  KvCache(std::shared_ptr<KvPool> pool, const ModelConfig& config, int positions_max);
  KvCache(KvCache&& other) noexcept = default;
  KvCache& operator=(KvCache&& other) noexcept;
  KvCache(const KvCache&) = delete;
  KvCache& operator=(const KvCache&) = delete;
  ~KvCache();

  // Appends a block that the caller holds; it is released with the others.
  void adopt(int block);
  // Takes blocks until `positions` fit; false when the pool has none left.
  [[nodiscard]] bool grow(int positions);

  [[nodiscard]] std::uint16_t* keys(int layer, int head, int position) const {
    return table_[block_of(position)] + keys_at(layer, head);
  }
  [[nodiscard]] std::uint16_t* values(int layer, int head, int position) const {
    return table_[block_of(position)] + values_at(layer, head);
  }
  [[nodiscard]] std::uint16_t* const* table() const { return table_.data(); }
  [[nodiscard]] std::size_t keys_at(int layer, int head) const {
    return static_cast<std::size_t>(layer * kv_heads_ + head) * 2 * pool_->plane_cells();
  }
  [[nodiscard]] std::size_t values_at(int layer, int head) const {
    return keys_at(layer, head) + pool_->plane_cells();
  }
  // MLA.
  [[nodiscard]] kernels::LatentRows latent(int layer) const {
    return {table_.data(), latent_at(layer), latent_cells_};
  }
  [[nodiscard]] kernels::IndexKeys index_keys(int layer) const {
    return {table_.data(), latent_at(layer) + latent_block_cells()};
  }
  [[nodiscard]] std::uint16_t* latent_row(int layer, int position) const {
    return table_[block_of(position)] + latent_at(layer) +
           static_cast<std::size_t>(position % kKvBlock) * static_cast<std::size_t>(latent_cells_);
  }
  // The index block that holds `position`.
  [[nodiscard]] std::uint8_t* index_block(int layer, int position) const {
    return reinterpret_cast<std::uint8_t*>(table_[block_of(position)] + latent_at(layer) +
                                           latent_block_cells());
  }
  // Leaves of the block that holds `position`, [32][lanes][32]; nullptr if the pool keeps none.
  [[nodiscard]] std::uint8_t* leaves(int position) const {
    return pool_->leaves(blocks_[block_of(position)]);
  }

  [[nodiscard]] KvForm form() const { return pool_->form(); }
  [[nodiscard]] int block(int index) const { return blocks_[static_cast<std::size_t>(index)]; }
  [[nodiscard]] int block_count() const { return static_cast<int>(blocks_.size()); }
  // Positions for which there are blocks.
  [[nodiscard]] int positions() const { return block_count() * kKvBlock; }
  [[nodiscard]] int positions_max() const { return positions_max_; }
  // Memory of the pool that is resident now, in bytes.
  [[nodiscard]] std::size_t resident_bytes() const { return pool_->resident_bytes(); }

 private:
  [[nodiscard]] static std::size_t block_of(int position) {
    return static_cast<std::size_t>(position / kKvBlock);
  }
  [[nodiscard]] std::size_t latent_at(int layer) const {
    return static_cast<std::size_t>(layer) * pool_->plane_cells();
  }
  [[nodiscard]] std::size_t latent_block_cells() const {
    return std::size_t{kKvBlock} * static_cast<std::size_t>(latent_cells_);
  }
  void release();

  std::shared_ptr<KvPool> pool_;
  std::vector<int> blocks_;
  std::vector<std::uint16_t*> table_;
  int kv_heads_ = 0;
  // MLA: cells of a latent row.
  int latent_cells_ = 0;
  int positions_max_ = 0;
};

// Bytes of keys and values that one position of one sequence takes.
[[nodiscard]] std::size_t kv_bytes_per_position(const ModelConfig& config, KvForm form = KvForm::kF16);

}  // namespace adit::model
