// SPDX-License-Identifier: MIT
// kernels/linear/sparse.h
//
// Linear layers whose codes are not all stored (Storage in params.h), behind linear.h.
//
// In       int8 weights of a storage other than dense; as linear.h says otherwise.
// Out      linear_sparse: the bits of the dense layer with zeros. expand_tile: the vectors of one tile in the
//          dense form, out [k_pad/4][16][4], left-out codes as 128; 64-byte aligned for the vector versions.
//          sparse_code: the code of one weight; sparse_row: those of a row, [k_pad].
// Errors   none; a thread's first call may throw std::bad_alloc (two dense tiles).
// Bound    bytes of a weight: 2:4 5/8, bitmask 1/8 + share, blocks share (+ 1/16 for the scales). A few tokens:
//          a vector is expanded in registers, once for up to 8 tokens. More: a tile is expanded into the
//          cache and the dense layer runs on it, except for blocks, of which the absent ones are skipped.
// Threads  as linear.h.
// Source   kernels/NUMERICS.md, "Packs"
// Tests    tests/unit/kernels/sparse_test.cpp
#pragma once

#include <cstdint>

#include "kernels/core/isa.h"
#include "kernels/linear/params.h"
#include "kernels/linear/paths.h"

namespace adit::kernels {

void linear_sparse(Isa isa, const LinearCall& call);
void expand_tile(Isa isa, const LinearWeights& weights, int tile, std::uint8_t* out);
int sparse_code(const LinearWeights& weights, int row, int column);
void sparse_row(const LinearWeights& weights, int row, std::int8_t* codes);

// The versions. AVX-512 without VBMI2 expands bytes as AVX2 does.
void expand_tile_scalar(const LinearWeights& weights, int tile, std::uint8_t* out);
void expand_tile_avx2(const LinearWeights& weights, int tile, std::uint8_t* out);
void expand_tile_vbmi2(const LinearWeights& weights, int tile, std::uint8_t* out);
void expand_tile_neon(const LinearWeights& weights, int tile, std::uint8_t* out);
// Whether it did the work: where not, expanded tiles are what is left.
bool linear_sparse_avx512(const LinearCall& call);
// Up to 8 tokens; k24 and kBitmask.
void linear_sparse_vbmi2(const LinearCall& call);
// Any number of tokens; kBlock.
void linear_block_avx512(const LinearCall& call);
// Any storage, any number of tokens.
void linear_by_expansion(Isa isa, const LinearCall& call,
                         void (*expand)(const LinearWeights&, int, std::uint8_t*));

// Where the stored bytes of a tile begin.
static inline const std::uint8_t* stored_bytes(const LinearWeights& weights, int tile) {
  const auto vectors = static_cast<std::uint64_t>(weights.k_pad / 4);
  const auto index = static_cast<std::uint64_t>(tile);
  return weights.q + (weights.storage == Storage::k24 ? index * vectors * 32 : weights.offsets[tile]);
}
static inline const std::uint64_t* masks_of(const LinearWeights& weights, int tile) {
  return weights.mask + static_cast<std::uint64_t>(tile) * static_cast<std::uint64_t>(weights.k_pad / 4);
}
static inline const std::uint16_t* block_rows_of(const LinearWeights& weights, int tile) {
  return weights.block_rows +
         static_cast<std::uint64_t>(tile) * static_cast<std::uint64_t>(blocks_of(weights));
}

}  // namespace adit::kernels
