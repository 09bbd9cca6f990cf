// SPDX-License-Identifier: MIT
// A lane is a head: queries as quads of int8, [heads / 16][dim / 4][16][4]; a key's quads, raised by 128 to be
// unsigned, are broadcast. Four keys share each load of the queries.
#include <cstddef>
#include <cstring>

#include <immintrin.h>

#include "kernels/indexer/paths.h"
#include "kernels/indexer/row_code.h"

namespace adit::kernels {
namespace {

constexpr int kLanes = 16;
constexpr int kKeys = 4;

struct Queries {
  int vectors;
  std::int8_t* quads;
  std::int32_t* weights;
  // -128 times the sum of each head's query: what raising the keys adds.
  std::int32_t* corrections;
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
  out.corrections = reinterpret_cast<std::int32_t*>(at + padded * (dim + 4));
  std::memset(at, 0, padded * (dim + 8));
  for (int h = 0; h < p.heads; ++h) {
    const std::int8_t* q = p.q + static_cast<std::ptrdiff_t>(h) * p.dim;
    std::int8_t* base = out.quads + static_cast<std::ptrdiff_t>(h / kLanes) * p.dim * kLanes;
    std::int32_t sum = 0;
    for (int i = 0; i < p.dim; ++i) {
      base[(i / 4 * kLanes + h % kLanes) * 4 + i % 4] = q[i];
      sum += q[i];
    }
    out.weights[h] = p.weights[h];
    out.corrections[h] = -128 * sum;
  }
  return out;
}

template <int K>
void score_keys(const IndexParams& p, const Queries& q, int first) {
  const std::uint8_t* block = p.keys.block(first / kKeyBlock);
  const std::uint8_t* keys = block + index_key_at(first, p.dim);
  __m512i sum[K];
  for (int k = 0; k < K; ++k) sum[k] = _mm512_setzero_si512();
  for (int v = 0; v < q.vectors; ++v) {
    const std::int8_t* quads = q.quads + static_cast<std::ptrdiff_t>(v) * p.dim * kLanes;
    __m512i dot[K];
    for (int k = 0; k < K; ++k) dot[k] = _mm512_loadu_si512(q.corrections + v * kLanes);
    for (int i = 0; i < p.dim; i += 4) {
      const __m512i x = _mm512_loadu_si512(quads + static_cast<std::ptrdiff_t>(i) * kLanes);
      for (int k = 0; k < K; ++k) {
        std::uint32_t quad;
        std::memcpy(&quad, keys + static_cast<std::ptrdiff_t>(k) * p.dim + i, sizeof quad);
        const __m512i key = _mm512_set1_epi32(static_cast<int>(quad ^ 0x80808080u));
        dot[k] = _mm512_dpbusd_epi32(dot[k], key, x);
      }
    }
    const __m512i w = _mm512_loadu_si512(q.weights + v * kLanes);
    for (int k = 0; k < K; ++k) {
      const __m512i positive = _mm512_max_epi32(dot[k], _mm512_setzero_si512());
      const __m512i odd = _mm512_srli_epi64(positive, 32);
      sum[k] = _mm512_add_epi64(sum[k], _mm512_mul_epi32(positive, w));
      sum[k] = _mm512_add_epi64(sum[k], _mm512_mul_epi32(odd, _mm512_srli_epi64(w, 32)));
    }
  }
  for (int k = 0; k < K; ++k) {
    float scale;
    std::memcpy(&scale, block + index_scale_at(first + k, p.dim), sizeof scale);
    p.out[first + k] = static_cast<float>(_mm512_reduce_add_epi64(sum[k])) * scale;
  }
}

void scores_avx512(const IndexParams& p) {
  const Queries q = lay_out(p);
  int s = 0;
  for (; s + kKeys <= p.count; s += kKeys) score_keys<kKeys>(p, q, s);
  for (; s < p.count; ++s) score_keys<1>(p, q, s);
}

}  // namespace

const IndexOps kIndexOpsAvx512{hadamard_row, largest_of_row, row_to_int8, scores_avx512};

}  // namespace adit::kernels
