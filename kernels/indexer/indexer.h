// SPDX-License-Identifier: MIT
// kernels/indexer/indexer.h
//
// DeepSeek's lightning indexer in integers: which earlier positions a row attends to.
//
// In       rows of f32, finite; dim a power of two, 2 .. 1024; at most 1024 heads.
// Out      hadamard: butterflies at distances 1, 2, 4, ..., dim/2 (a + b, a - b), then times dim^-1/2.
//          quantize_int8: out = rint(x * (127 / amax)), scale = amax / 127; zeros if amax < 2^-96.
//          head_weights: v_h = w_h * q_scale_h; out_h = rint(v_h * (32767 / max|v|)), zeros if that is < 2^-96.
//          index_scores: out_s = float(sum_h weight_h * max(0, q_h . key_s)) * key_scale_s, the sum exact.
// Shapes   q [heads][dim] int8; weights [heads]; IndexKeys: blocks of 32 positions, a block [32][dim] int8
//          followed by [32] f32 scales; scratch: index_scratch_bytes(heads, dim), 64-byte aligned or not.
// Errors   quantize_int8 and head_weights return false if a value is a NaN or infinite; the row becomes zeros.
// Exact    the same bits for every Isa.
// Threads  none inside.
// Source   kernels/NUMERICS.md, "Token selection"; DeepSeek-V3.2-Exp inference/model.py, Indexer
// Tests    tests/unit/kernels/indexer_test.cpp
#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/attention/attention.h"
#include "kernels/core/isa.h"

namespace adit::kernels {

void hadamard(Isa isa, float* x, int dim);
bool quantize_int8(Isa isa, const float* x, int n, std::int8_t* out, float& scale);
bool head_weights(const float* w, const float* q_scales, int heads, std::int32_t* out);
// y = ((x - mean) * r) * w + b, mean = sum<256> / n, r = 1 / sqrt(dot<256>(x - mean) / n + 1e-6). y may be x.
void layer_norm(Isa isa, const float* x, const float* w, const float* b, int n, float* y);

// Bytes from a block's start: the key and the scale of position p (p % 32 inside of the block).
inline std::size_t index_key_at(int position, int dim) {
  return static_cast<std::size_t>(position % kKeyBlock) * static_cast<std::size_t>(dim);
}
inline std::size_t index_scale_at(int position, int dim) {
  return static_cast<std::size_t>(kKeyBlock) * static_cast<std::size_t>(dim) +
         static_cast<std::size_t>(position % kKeyBlock) * sizeof(float);
}
inline std::size_t index_block_bytes(int dim) {
  return static_cast<std::size_t>(kKeyBlock) * (static_cast<std::size_t>(dim) + sizeof(float));
}

// Block b starts at the address of blocks[b] + offset (in cells of 2 bytes).
struct IndexKeys {
  const std::uint16_t* const* blocks = nullptr;
  std::size_t offset = 0;
  const std::uint8_t* block(int index) const {
    return reinterpret_cast<const std::uint8_t*>(blocks[index] + offset);
  }
};

struct IndexParams {
  int heads = 0;
  int dim = 0;
  const std::int8_t* q = nullptr;
  const std::int32_t* weights = nullptr;
  IndexKeys keys;
  // Positions 0 .. count - 1.
  int count = 0;
  float* out = nullptr;
  std::uint8_t* scratch = nullptr;
};

std::size_t index_scratch_bytes(int heads, int dim);
void index_scores(Isa isa, const IndexParams& params);

}  // namespace adit::kernels
