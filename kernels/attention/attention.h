// SPDX-License-Identifier: MIT
// kernels/attention/attention.h
//
// Softmax attention over a cache of f16 or int8 keys and values, for one layer and one key-value head.
//
// Shapes   q     rows of [group][head_dim] f32 after RoPE, q_stride floats from row to row
//          k     [ceil(n/32)][head_dim][32] f16: blocks of 32 positions, transposed so that a lane is a key
//          v     [n rounded up to 32][head_dim] f16
//          KvForm::kI8: a block of k is [head_dim][32] int8 and [32] f32 scales behind them, a block of v [32]
//                   [head_dim] int8 and [32] f32 scales; both are kv_block_cells long
//          blocks   with them, k and v of block b are [head_dim][32] at blocks[b] + k_at and [32][head_dim] at
//                   blocks[b] + v_at: the 32-position blocks may lie anywhere
//          out   rows of [group][head_dim] f32, out_stride floats from row to row
//          scratch   attend_scratch_floats(...) floats, 64-byte aligned or not
// In       Row i (0 <= i < rows) sees keys 0 .. first_keys + i - 1: a block of consecutive positions of one
//          sequence. first_keys >= 1. Cache cells past the last key may hold anything.
// Out      score_j = dot<8>(q, k_j) * scale; m = max; p_j = exp_c(score_j - m); by chunks of 32 keys, num by
//          fma in ascending j and den by sum<32>; chunks added in ascending order; out = num / den.
//          kI8: score_j = (dot<8>(q, k_j) * k_scale_j) * scale, and num = fma(p_j * v_scale_j, v_j, num).
// Exact    the same bits for every Isa and every split of rows and heads over calls.
// Threads  none inside; calls on disjoint outputs and scratches may run side by side.
// Source   kernels/NUMERICS.md, "Attention"
// Tests    tests/unit/kernels/attention_test.cpp
#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/core/isa.h"

namespace adit::kernels {

constexpr int kKeyBlock = 32;
// Vector versions serve head sizes that are multiples of 8 up to this; others take the scalar
// version.
constexpr int kHeadDimMax = 256;

// What a cached key or value is: f16, or int8 with one f32 scale a row.
enum class KvForm : std::uint8_t { kF16, kI8 };

struct AttendParams {
  KvForm form = KvForm::kF16;
  int rows = 1;
  int group = 1;
  int head_dim = 0;
  int first_keys = 0;
  float scale = 0.0f;
  const float* q = nullptr;
  std::size_t q_stride = 0;
  const std::uint16_t* k = nullptr;
  const std::uint16_t* v = nullptr;
  const std::uint16_t* const* blocks = nullptr;
  std::size_t k_at = 0;
  std::size_t v_at = 0;
  float* out = nullptr;
  std::size_t out_stride = 0;
  float* scratch = nullptr;
};

// Cells of 2 bytes that 32 positions of keys, or of values, take.
constexpr std::size_t kv_block_cells(KvForm form, int head_dim) {
  const auto values = static_cast<std::size_t>(head_dim) * kKeyBlock;
  return form == KvForm::kF16 ? values : values / 2 + kKeyBlock * sizeof(float) / 2;
}
// Bytes from an int8 block's start to the scale of position p (p % 32 inside of the block).
constexpr std::size_t kv_scale_at(int position, int head_dim) {
  return static_cast<std::size_t>(head_dim) * kKeyBlock +
         static_cast<std::size_t>(position % kKeyBlock) * sizeof(float);
}

// Of internal linkage: they are compiled for several instruction sets.
static inline const std::uint16_t* key_block(const AttendParams& p, std::ptrdiff_t block) {
  return p.blocks != nullptr
             ? p.blocks[block] + p.k_at
             : p.k + block * static_cast<std::ptrdiff_t>(kv_block_cells(p.form, p.head_dim));
}
static inline const std::uint16_t* value_block(const AttendParams& p, std::ptrdiff_t block) {
  return p.blocks != nullptr
             ? p.blocks[block] + p.v_at
             : p.v + block * static_cast<std::ptrdiff_t>(kv_block_cells(p.form, p.head_dim));
}

std::size_t attend_scratch_floats(int rows, int group, int keys_max);

// `rows` consecutive query positions; loaded keys and values are shared by all of them.
void attend_rows(Isa isa, const AttendParams& params);
// One query row: params.rows == 1.
inline void attend(Isa isa, const AttendParams& params) {
  attend_rows(isa, params);
}

// Cells that a cache of `positions` needs, for keys and for values alike.
constexpr std::size_t cache_cells(int positions, int head_dim, KvForm form = KvForm::kF16) {
  return static_cast<std::size_t>((positions + kKeyBlock - 1) / kKeyBlock) * kv_block_cells(form, head_dim);
}

// Writes one position's key (after RoPE) and value, [head_dim] f32 each and finite, into the layouts above:
// rounded to f16 (nearest even, clamped), or by quantize_int8 (kernels/indexer/indexer.h).
void store_kv(Isa isa, int head_dim, int position, const float* key, const float* value,
              std::uint16_t* k, std::uint16_t* v, KvForm form = KvForm::kF16);

}  // namespace adit::kernels
