// SPDX-License-Identifier: MIT
// kernels/linear/sparse_expand.h
//
// Sparse tiles to dense ones, eight bytes at a time, by a shuffle for each value of eight mask bits; included by
// one source per instruction set.
//
// In       Eight::expand(stored, from, out): out[i] = stored[from[i]] for i < 8, from[i] = 8 being 128. Reads
//          eight stored bytes, whatever is needed of them.
// Out      expand_tile_by: as expand_tile (sparse.h).
// Threads  pure.
// Tests    tests/unit/kernels/sparse_test.cpp
#pragma once

#include <cstdint>
#include <cstring>

#include "kernels/linear/sparse.h"

namespace adit::kernels {
namespace {

// For each mask of eight bits the source of each of eight bytes: the next stored one, or (8) the 128 of a code
// that is left out.
struct Shuffles {
  std::uint8_t from[256][8];
};
constexpr Shuffles make_shuffles() {
  Shuffles out{};
  for (int mask = 0; mask < 256; ++mask) {
    std::uint8_t next = 0;
    for (int i = 0; i < 8; ++i) {
      out.from[mask][i] = (mask >> i & 1) != 0 ? next++ : std::uint8_t{8};
    }
  }
  return out;
}
constexpr Shuffles kShuffles = make_shuffles();

// The 64 bytes of one vector; returns the stored bytes after it. Reads up to 8 bytes past them.
template <class Eight>
const std::uint8_t* expand_vector(const std::uint8_t* stored, std::uint64_t mask, std::uint8_t* out) {
  for (int i = 0; i < 8; ++i) {
    const auto eight = static_cast<unsigned>(mask >> (8 * i) & 255);
    Eight::expand(stored, kShuffles.from[eight], out + 8 * i);
    stored += __builtin_popcount(eight);
  }
  return stored;
}

// The last vectors of a 2:4 tile: nothing may be read past its 32 bytes.
template <class Eight>
void expand_last(const std::uint8_t* stored, std::uint64_t mask, std::uint8_t* out) {
  alignas(16) std::uint8_t padded[48] = {};
  std::memcpy(padded, stored, 32);
  expand_vector<Eight>(padded, mask, out);
}

inline std::uint64_t four_bytes_a_row(std::uint32_t rows) {
  std::uint64_t mask = 0;
  for (int row = 0; row < kTileRows; ++row) {
    mask |= static_cast<std::uint64_t>(rows >> row & 1) * 15 << (4 * row);
  }
  return mask;
}

template <class Eight>
void expand_blocks(const LinearWeights& weights, int tile, std::uint8_t* out) {
  const std::uint8_t* stored = stored_bytes(weights, tile);
  const std::uint16_t* rows = block_rows_of(weights, tile);
  const int vectors = weights.k_pad / 4;
  const int in_block = weights.block_columns / 4;
  for (int first = 0; first < vectors; first += in_block, ++rows) {
    const int end = first + in_block < vectors ? first + in_block : vectors;
    const auto bytes = static_cast<std::size_t>(end - first) * 64;
    if (*rows == 0) {
      std::memset(out, 128, bytes);
    } else if (*rows == 0xffff) {
      std::memcpy(out, stored, bytes);
      stored += bytes;
    } else {
      const std::uint64_t mask = four_bytes_a_row(*rows);
      for (std::size_t at = 0; at < bytes; at += 64) stored = expand_vector<Eight>(stored, mask, out + at);
    }
    out += bytes;
  }
}

template <class Eight>
void expand_tile_by(const LinearWeights& weights, int tile, std::uint8_t* out) {
  if (weights.storage == Storage::kBlock) {
    expand_blocks<Eight>(weights, tile, out);
    return;
  }
  const std::uint8_t* stored = stored_bytes(weights, tile);
  const std::uint64_t* masks = masks_of(weights, tile);
  const int vectors = weights.k_pad / 4;
  for (int vector = 0; vector + 1 < vectors; ++vector, out += 64)
    stored = expand_vector<Eight>(stored, masks[vector], out);
  if (weights.storage == Storage::k24) {
    expand_last<Eight>(stored, masks[vectors - 1], out);
  } else {
    expand_vector<Eight>(stored, masks[vectors - 1], out);
  }
}

}  // namespace
}  // namespace adit::kernels
