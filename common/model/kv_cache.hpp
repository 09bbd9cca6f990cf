// SPDX-License-Identifier: MIT
// common/model/kv_cache.hpp
//
// The keys and values of one sequence, all layers, in the layout of kernels/attention.
//
// In       positions_max: the sequence can never be longer.
// Shapes   k(layer, head) [ceil(positions_max/32)][head_dim][32] f16, v(layer, head) [..][head_dim] f16.
//          MLA instead: blocks of 32 positions, for each layer [32][kv_rank + rope_dim] f16 and, if the model
//          has an indexer, behind them an index block (kernels/indexer/indexer.h).
// Units    Address space for positions_max is reserved at once; the system gives memory for a block of 32
//          positions when its first row is written, so what is used grows with the sequence (a block of one
//          kv head of 64 is one page of 4 KiB).
// Errors   kResourceExhausted when the address space cannot be reserved.
// Threads  distinct (layer, head, position) may be written by different threads.
// Tests    tests/unit/common/model/kv_cache_test.cpp
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "common/base/result.hpp"
#include "common/model/model_config.hpp"
#include "kernels/indexer/indexer.h"
#include "kernels/mla/latent_attention.h"

namespace adit::model {

class KvCache {
 public:
  [[nodiscard]] static Result<KvCache> make(const ModelConfig& config, int positions_max);
  KvCache(KvCache&& other) noexcept;
  KvCache& operator=(KvCache&& other) noexcept;
  KvCache(const KvCache&) = delete;
  KvCache& operator=(const KvCache&) = delete;
  ~KvCache();

  [[nodiscard]] std::uint16_t* k(int layer, int head) const { return cells_ + plane(layer, head); }
  [[nodiscard]] std::uint16_t* v(int layer, int head) const {
    return cells_ + plane(layer, head) + plane_cells_;
  }
  // MLA.
  [[nodiscard]] kernels::LatentRows latent(int layer) const {
    return {blocks_.data(), plane(layer, 0), latent_cells_};
  }
  [[nodiscard]] kernels::IndexKeys index_keys(int layer) const {
    return {blocks_.data(), plane(layer, 0) + latent_block_cells()};
  }
  [[nodiscard]] std::uint16_t* latent_row(int layer, int position) const {
    return block_of(position) + plane(layer, 0) +
           static_cast<std::size_t>(position % kernels::kKeyBlock) * static_cast<std::size_t>(latent_cells_);
  }
  // The index block that holds `position`.
  [[nodiscard]] std::uint8_t* index_block(int layer, int position) const {
    return reinterpret_cast<std::uint8_t*>(block_of(position) + plane(layer, 0) + latent_block_cells());
  }
  [[nodiscard]] int positions_max() const { return positions_max_; }
  // Memory that is resident now, in bytes.
  [[nodiscard]] std::size_t resident_bytes() const;

 private:
  KvCache() = default;
  [[nodiscard]] std::size_t plane(int layer, int head) const {
    return static_cast<std::size_t>(layer * kv_heads_ + head) * 2 * plane_cells_;
  }
  [[nodiscard]] std::uint16_t* block_of(int position) const {
    return blocks_[static_cast<std::size_t>(position / kernels::kKeyBlock)];
  }
  [[nodiscard]] std::size_t latent_block_cells() const {
    return static_cast<std::size_t>(kernels::kKeyBlock) * static_cast<std::size_t>(latent_cells_);
  }
  std::uint16_t* cells_ = nullptr;
  std::size_t mapped_bytes_ = 0;
  std::size_t plane_cells_ = 0;
  int kv_heads_ = 0;
  int positions_max_ = 0;
  // MLA: cells of a latent row, and where each block of positions starts in the first layer's plane.
  int latent_cells_ = 0;
  std::vector<std::uint16_t*> blocks_;
};

// Bytes of keys and values that one position of one sequence takes.
[[nodiscard]] std::size_t kv_bytes_per_position(const ModelConfig& config);

}  // namespace adit::model
