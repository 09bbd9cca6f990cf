// SPDX-License-Identifier: MIT
// A lane is a head: queries as quads of int8, [heads / 16][dim / 4][16][4]; a key's quads are broadcast. Four
// keys share each load of the queries.
#include <cstddef>
#include <cstring>

#include <arm_neon.h>

#include "kernels/indexer/paths.h"
#include "kernels/indexer/row_code.h"

namespace adit::kernels {
namespace {

// Four registers of four heads.
constexpr int kRegs = 4;
constexpr int kLanes = 4 * kRegs;
constexpr int kKeys = 4;

struct Queries {
  int vectors;
  std::int8_t* quads;
  std::int32_t* weights;
};

std::uint8_t* aligned(std::uint8_t* p) {
  return p + (64 - reinterpret_cast<std::uintptr_t>(p) % 64) % 64;
}

Queries lay_out(const IndexParams& p) {
  Queries out{};
  out.vectors = (p.heads + kLanes - 1) / kLanes;
  const auto padded = static_cast<std::size_t>(out.vectors * kLanes);
  const auto dim = static_cast<std::size_t>(p.dim);
  std::uint8_t* at = aligned(p.scratch);
  out.quads = reinterpret_cast<std::int8_t*>(at);
  out.weights = reinterpret_cast<std::int32_t*>(at + padded * dim);
  std::memset(at, 0, padded * (dim + 4));
  for (int h = 0; h < p.heads; ++h) {
    const std::int8_t* q = p.q + static_cast<std::ptrdiff_t>(h) * p.dim;
    std::int8_t* base = out.quads + static_cast<std::ptrdiff_t>(h / kLanes) * p.dim * kLanes;
    for (int i = 0; i < p.dim; ++i) base[(i / 4 * kLanes + h % kLanes) * 4 + i % 4] = q[i];
    out.weights[h] = p.weights[h];
  }
  return out;
}

// sum + weight * max(0, dot) of four heads.
int64x2_t add_heads(int64x2_t sum, int32x4_t dot, int32x4_t weight) {
  const int32x4_t positive = vmaxq_s32(dot, vdupq_n_s32(0));
  return vmlal_high_s32(vmlal_s32(sum, vget_low_s32(positive), vget_low_s32(weight)), positive, weight);
}

template <int K>
void score_keys(const IndexParams& p, const Queries& q, int first) {
  const std::uint8_t* block = p.keys.block(first / kKeyBlock);
  const std::uint8_t* keys = block + index_key_at(first, p.dim);
  int64x2_t sum[K];
  for (int k = 0; k < K; ++k) sum[k] = vdupq_n_s64(0);
  for (int v = 0; v < q.vectors; ++v) {
    const std::int8_t* quads = q.quads + static_cast<std::ptrdiff_t>(v) * p.dim * kLanes;
    int32x4_t dot[K][kRegs];
    for (int k = 0; k < K; ++k) {
      for (int r = 0; r < kRegs; ++r) dot[k][r] = vdupq_n_s32(0);
    }
    for (int i = 0; i < p.dim; i += 4) {
      int8x16_t x[kRegs];
      for (int r = 0; r < kRegs; ++r)
        x[r] = vld1q_s8(quads + static_cast<std::ptrdiff_t>(i) * kLanes + 16 * r);
      for (int k = 0; k < K; ++k) {
        std::int32_t quad;
        std::memcpy(&quad, keys + static_cast<std::ptrdiff_t>(k) * p.dim + i, sizeof quad);
        const int8x16_t key = vreinterpretq_s8_s32(vdupq_n_s32(quad));
        for (int r = 0; r < kRegs; ++r) dot[k][r] = vdotq_s32(dot[k][r], x[r], key);
      }
    }
    for (int r = 0; r < kRegs; ++r) {
      const int32x4_t weight = vld1q_s32(q.weights + v * kLanes + 4 * r);
      for (int k = 0; k < K; ++k) sum[k] = add_heads(sum[k], dot[k][r], weight);
    }
  }
  for (int k = 0; k < K; ++k) {
    float scale;
    std::memcpy(&scale, block + index_scale_at(first + k, p.dim), sizeof scale);
    p.out[first + k] = static_cast<float>(vaddvq_s64(sum[k])) * scale;
  }
}

void scores_neon(const IndexParams& p) {
  const Queries q = lay_out(p);
  int s = 0;
  for (; s + kKeys <= p.count; s += kKeys) score_keys<kKeys>(p, q, s);
  for (; s < p.count; ++s) score_keys<1>(p, q, s);
}

}  // namespace

const IndexOps kIndexOpsNeon{hadamard_row, largest_of_row, row_to_int8, scores_neon};

}  // namespace adit::kernels
