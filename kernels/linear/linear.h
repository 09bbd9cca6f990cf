// SPDX-License-Identifier: MIT
// kernels/linear/linear.h
//
// The linear layer: quantise activations, then exact integer products.
//
// In       quantize: x [n][ldx] f32, finite; `act` prepared for (isa, form, n, k).
//          linear: weights and act of the same k and the same ActForm.
// Out      y[t * ldy + r] = (float(sum_k W[r,k] X[t,k]) * rs[r]) * scale[t] (+ bias[r]) for every token t of
//          `act` and every row r < m in tiles [tile_begin, tile_end), a tile being 16 rows; the same bits for
//          every Isa, tiling and batch.
// Errors   quantize returns false if a value of its tokens is a NaN or infinite; those tokens become zeros.
// Exact    int32 accumulators only where fits_int32 proves the sum, else int64.
// Bound    bytes = m k (1 or 1/2) + 2 or 4 a group and row; multiply-adds = n m k (A16: two planes).
// Threads  none inside. Disjoint token ranges (quantize) or tile ranges (linear) may run side by side.
// Source   kernels/NUMERICS.md, "Activations" and "Linear layer"
// Tests    tests/unit/kernels/quantize_test.cpp, tests/unit/kernels/linear_test.cpp
#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/core/isa.h"
#include "kernels/linear/act_buffer.h"
#include "kernels/linear/params.h"

namespace adit::kernels {

bool quantize(Isa isa, const float* x, std::size_t ldx, ActBuffer& act, int token_begin,
              int token_end);

// Tiles of a linear that a caller reads next.
struct NextTiles {
  const LinearWeights* weights = nullptr;
  int tile = 0;
};

// `next`: where the caller's reading goes on after these tiles, if it does not right behind them; a call of few
// tokens sends for it in time.
void linear(Isa isa, const LinearWeights& weights, const ActBuffer& act, float* y, std::size_t ldy,
            int tile_begin, int tile_end, const NextTiles& next = {});

// Where the codes of a tile begin: most of what linear() reads. Of all tiles, where some codes are left out.
inline const std::uint8_t* tile_codes(const LinearWeights& weights, int tile) {
  if (weights.storage != Storage::kDense) return weights.q;
  const std::size_t bytes = static_cast<std::size_t>(weights.k_pad) * kTileRows;
  return weights.q + static_cast<std::size_t>(tile) * (weights.form == WeightForm::kU4 ? bytes / 2 : bytes);
}

// Whether s and o + 7 s of a u4 layer, the scales and offsets of codes less 7, fit int16: what many tokens' quickest
// kernels ask of a layer. Reads all of them, which is why LinearWeights keeps the answer.
bool raised_offsets_fit(const LinearWeights& weights);

inline int tile_count(const LinearWeights& weights) {
  return weights.m_pad / kTileRows;
}

// W[row, column], the effective integer.
int effective_weight(const LinearWeights& weights, int row, int column);

// x[k] = float(W[row, k]) * rs[row]: an embedding row.
void embedding_row(const LinearWeights& weights, int row, float* x);

// Whether int32 accumulators are proved to hold the sums of this token (each plane's, for A16).
bool fits_int32(const LinearWeights& weights, const ActBuffer& act, int token);

}  // namespace adit::kernels
