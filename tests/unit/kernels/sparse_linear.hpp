// SPDX-License-Identifier: MIT
// tests/unit/kernels/sparse_linear.hpp
//
// The sparse storages of a layer, made from its dense form one weight at a time, and codes for them.
//
// In       int8 layers. k24: at most two codes of any four are not 0.
// Out      a view that stores the codes that are not 0 and what a storage stores beside them (k24: two of each
//          four; kBlock: whole blocks of block_rows x block_columns).
// Threads  one.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "tests/unit/kernels/random_linear.hpp"

namespace adit::kernels {

struct SparseForm {
  Storage storage = Storage::kBitmask;
  int block_rows = 0;
  int block_columns = 0;
};

class SparseLinear {
 public:
  SparseLinear(const LinearWeights& dense, const SparseForm& form) : dense_(dense), form_(form) {
    const int vectors = dense.k_pad / 4;
    const int tiles = dense.m_pad / kTileRows;
    if (form.storage == Storage::kBlock)
      blocks_ = (dense.k_pad + form.block_columns - 1) / form.block_columns;
    for (int tile = 0; tile < tiles; ++tile) {
      offsets_.push_back(q_.size());
      for (int block = 0; block < blocks_; ++block) rows_.push_back(rows_with(tile, block));
      for (int vector = 0; vector < vectors; ++vector) {
        const std::uint64_t mask = mask_of(tile, vector);
        if (form.storage != Storage::kBlock) mask_.push_back(mask);
        for (int byte = 0; byte < 64; ++byte) {
          if ((mask >> byte & 1) == 0) continue;
          q_.push_back(static_cast<std::uint8_t>(
              code(tile * kTileRows + byte / 4, 4 * vector + byte % 4) + 128));
        }
      }
    }
    offsets_.push_back(q_.size());
    if (form.storage != Storage::k24) q_.resize(q_.size() + 64);
  }

  LinearWeights view() const {
    LinearWeights out = dense_;
    out.storage = form_.storage;
    out.q = q_.data();
    if (form_.storage == Storage::kBlock) {
      out.block_rows = rows_.data();
      out.block_columns = form_.block_columns;
    } else {
      out.mask = mask_.data();
    }
    if (form_.storage != Storage::k24) out.offsets = offsets_.data();
    return out;
  }
  std::size_t stored_bytes() const {
    return q_.size() + 8 * mask_.size() + 2 * rows_.size() + 8 * offsets_.size();
  }

 private:
  // 0 in the padding.
  int code(int row, int column) const {
    if (row >= dense_.m || column >= dense_.k) return 0;
    const std::size_t vector =
        static_cast<std::size_t>(row / kTileRows) * static_cast<std::size_t>(dense_.k_pad / 4) +
        static_cast<std::size_t>(column / 4);
    return dense_.q[vector * 64 + static_cast<std::size_t>(row % kTileRows * 4 + column % 4)] - 128;
  }
  std::uint16_t rows_with(int tile, int block) const {
    const int height = std::max(form_.block_rows, 1);
    std::uint16_t rows = 0;
    for (int lane = 0; lane < kTileRows; ++lane) {
      const int first = (tile * kTileRows + lane) / height * height;
      bool any = false;
      for (int row = first; row < first + height; ++row) {
        for (int i = 0; i < form_.block_columns; ++i)
          any |= code(row, block * form_.block_columns + i) != 0;
      }
      if (any) rows = static_cast<std::uint16_t>(rows | 1 << lane);
    }
    return rows;
  }
  std::uint64_t mask_of(int tile, int vector) const {
    std::uint64_t mask = 0;
    if (form_.storage == Storage::kBlock) {
      const std::size_t block = static_cast<std::size_t>(tile) * static_cast<std::size_t>(blocks_) +
                                static_cast<std::size_t>(4 * vector / form_.block_columns);
      for (int lane = 0; lane < kTileRows; ++lane)
        mask |= static_cast<std::uint64_t>(rows_[block] >> lane & 1) * 15 << (4 * lane);
      return mask;
    }
    for (int byte = 0; byte < 64; ++byte) {
      if (code(tile * kTileRows + byte / 4, 4 * vector + byte % 4) != 0)
        mask |= std::uint64_t{1} << byte;
    }
    if (form_.storage == Storage::kBitmask) return mask;
    for (int four = 0; four < 64; four += 4) {
      for (int bit = four; bit < four + 4 && __builtin_popcountll(mask >> four & 15) < 2; ++bit)
        mask |= std::uint64_t{1} << bit;
    }
    return mask;
  }

  LinearWeights dense_;
  SparseForm form_;
  int blocks_ = 0;
  std::vector<std::uint8_t> q_;
  std::vector<std::uint64_t> mask_;
  std::vector<std::uint16_t> rows_;
  std::vector<std::uint64_t> offsets_;
};

// Sets codes to 0 so that the form can store the layer; before build(). `dropped`: of 8, how many go (not k24).
inline void sparsify(TestLinear& layer, const SparseForm& form, int m, int k, int dropped,
                     Random& random) {
  const int height = form.storage == Storage::kBlock ? form.block_rows : 1;
  const int width = form.storage == Storage::kBlock ? form.block_columns
                                                    : (form.storage == Storage::k24 ? 4 : 1);
  for (int row = 0; row < m; row += height) {
    for (int column = 0; column < k; column += width) {
      const bool drop = random.between(0, 7) < dropped;
      const int keep_a = random.between(0, 3), keep_b = random.between(0, 3);
      for (int r = row; r < std::min(row + height, m); ++r) {
        for (int i = 0; i < width && column + i < k; ++i) {
          const bool kept = form.storage == Storage::k24 ? i == keep_a || i == keep_b : !drop;
          if (!kept) layer.code(r, column + i) = 0;
        }
      }
    }
  }
}

}  // namespace adit::kernels
