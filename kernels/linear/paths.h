// SPDX-License-Identifier: MIT
// kernels/linear/paths.h
//
// The versions behind linear.h, one a source file, compiled for its own instruction set.
//
// In       as linear.h says, already checked by linear.cpp.
// Threads  as linear.h.
#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/linear/act_buffer.h"
#include "kernels/linear/params.h"

namespace adit::kernels {

struct NextTiles;

struct LinearCall {
  const LinearWeights* weights;
  const ActBuffer* act;
  float* y;
  std::size_t ldy;
  int tile_begin;
  int tile_end;
  // A token whose sums of squares are at most this is proved to fit int32 accumulators.
  std::uint64_t sq_limit;
  // Where the caller reads on after tile_end; null, or no weights: right behind it.
  const NextTiles* next = nullptr;
};

// Whether int32 accumulators hold the sums of all tokens [begin, end).
static inline bool block_fits(const LinearCall& call, int begin, int end) {
  bool fits = true;
  for (int token = begin; token < end; ++token) {
    fits &= call.act->sq_hi(token) <= call.sq_limit && call.act->sq_lo(token) <= call.sq_limit;
  }
  return fits;
}

bool quantize_token_scalar(const float* x, ActBuffer& act, int token);
bool quantize_token_avx2(const float* x, ActBuffer& act, int token);
bool quantize_token_avx512(const float* x, ActBuffer& act, int token);
bool quantize_token_neon(const float* x, ActBuffer& act, int token);

// A16: writes the place of a quantised token in its panel.
void fill_product_avx512(ActBuffer& act, int token);

// Dense weights, by instruction set.
void linear_dense(Isa isa, const LinearCall& call);
void linear_scalar(const LinearCall& call);
void linear_avx2(const LinearCall& call);
void linear_avx512(const LinearCall& call);
// Scales of more than 32 columns.
void linear_spans_avx512(const LinearCall& call);
void linear_neon(const LinearCall& call);

// A token's planes, sums and scale as for amax = 0.
void zero_token(ActBuffer& act, int token);

}  // namespace adit::kernels
