// SPDX-License-Identifier: MIT
// kernels/linear/tile.h
//
// What a version of the linear layer reads of one tile of 16 rows; included by one source per instruction set.
//
// Out      set_tile: the arrays from the tile's first row on. scales_at: where the 16 scales (and offsets) of the
//          g-th 32 columns lie in s (and o).
// Threads  pure.
// Tests    tests/unit/kernels/linear_test.cpp
#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/linear/params.h"

namespace adit::kernels {
namespace {

struct Tile {
  const std::uint8_t* q;
  const std::uint16_t* s;
  const std::int16_t* o;
  const float* rs;
  const float* bias;
  // Those that there are, up to 16.
  int rows;
  // Of scale_shift.
  int shift;
};

// In place, field by field: a tile returned by value is copied with loads wider than the stores before them, and each
// of these loads waits until all earlier instructions are done (a tenth of a prompt's time).
template <bool kU4>
inline void set_tile(const LinearWeights& weights, int index, Tile& out) {
  const auto tile = static_cast<std::ptrdiff_t>(index);
  const std::ptrdiff_t bytes = static_cast<std::ptrdiff_t>(weights.k_pad) * kTileRows / (kU4 ? 2 : 1);
  const std::ptrdiff_t cells = static_cast<std::ptrdiff_t>(scales_of(weights)) * kTileRows;
  const int left = weights.m - index * kTileRows;
  out.q = weights.q + tile * bytes;
  out.s = weights.s + tile * cells;
  out.o = kU4 ? weights.o + tile * cells : nullptr;
  out.rs = weights.rs + tile * kTileRows;
  out.bias = weights.bias == nullptr ? nullptr : weights.bias + tile * kTileRows;
  out.rows = left < kTileRows ? left : kTileRows;
  out.shift = scale_shift(weights.group);
}

inline std::ptrdiff_t scales_at(const Tile& tile, int group) {
  return static_cast<std::ptrdiff_t>(group >> tile.shift) * kTileRows;
}

}  // namespace
}  // namespace adit::kernels
