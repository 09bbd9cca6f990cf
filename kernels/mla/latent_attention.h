// SPDX-License-Identifier: MIT
// kernels/mla/latent_attention.h
//
// Multi-head latent attention, absorbed: all heads share one cached row a position, c (kv_rank cells, key and
// value at once) followed by the key's RoPE part.
//
// Shapes   q     rows of [heads][cells] f32, cells = kv_rank + rope_dim: q_nope taken to the latent space, then
//                q_pe after RoPE; q_stride floats from row to row
//          cache rows of [cells] f16: c after its norm, k_pe after RoPE; LatentRows says where they are
//          out   rows of [heads][kv_rank] f32, out_stride floats from row to row
//          scratch   latent_scratch_floats(...) floats
// In       chosen null: row i (0 <= i < rows) sees positions 0 .. first_keys + i - 1.
//          Else rows is 1 and it sees the positions chosen[0 .. first_keys), ascending. first_keys >= 1.
// Out      as kernels/attention: score_j = dot<8>(q, row_j) * scale over all cells; m = max;
//          p_j = exp_c(score_j - m); by chunks of 32 of the seen rows, num by fma, den by sum<32>.
// Exact    the same bits for every Isa and every split of rows and heads over calls.
// Threads  none inside; calls on disjoint outputs and scratches may run side by side.
// Source   kernels/NUMERICS.md, "Latent attention"; DeepSeek-V2 (2405.04434), section 2.1 and appendix C
// Tests    tests/unit/kernels/latent_attention_test.cpp
#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/attention/attention.h"
#include "kernels/core/isa.h"

namespace adit::kernels {

// Blocks of kKeyBlock positions: position p is at blocks[p / 32] + offset + p % 32 * cells.
struct LatentRows {
  const std::uint16_t* const* blocks = nullptr;
  std::size_t offset = 0;
  int cells = 0;
  const std::uint16_t* row(int position) const {
    return blocks[position / kKeyBlock] + offset +
           static_cast<std::size_t>(position % kKeyBlock) * static_cast<std::size_t>(cells);
  }
};

struct LatentParams {
  int rows = 1;
  int heads = 1;
  int kv_rank = 0;
  int first_keys = 0;
  float scale = 0.0f;
  const float* q = nullptr;
  std::size_t q_stride = 0;
  LatentRows keys;
  const std::int32_t* chosen = nullptr;
  float* out = nullptr;
  std::size_t out_stride = 0;
  float* scratch = nullptr;
};

std::size_t latent_scratch_floats(int rows, int heads, int cells, int keys_max);

void attend_latent(Isa isa, const LatentParams& params);

// One cached row: c [kv_rank] after its norm and k_pe [rope_dim] after RoPE, as f16.
void store_latent(Isa isa, const float* c, int kv_rank, const float* k_pe, int rope_dim,
                  std::uint16_t* row);

}  // namespace adit::kernels
