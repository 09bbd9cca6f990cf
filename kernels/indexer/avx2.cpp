// SPDX-License-Identifier: MIT
// A lane is a head: queries as pairs of int16, [heads / 8][dim / 2][8][2]; a key's pairs are broadcast.
#include <cstddef>
#include <cstring>

#include <immintrin.h>

#include "kernels/indexer/paths.h"
#include "kernels/indexer/row_code.h"

namespace adit::kernels {
namespace {

constexpr int kLanes = 8;

struct Queries {
  int vectors;
  std::int16_t* pairs;
  std::int32_t* weights;
  std::int16_t* key;
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
  out.pairs = reinterpret_cast<std::int16_t*>(at);
  out.weights = reinterpret_cast<std::int32_t*>(at + padded * dim * 2);
  out.key = reinterpret_cast<std::int16_t*>(at + padded * (dim * 2 + 4));
  std::memset(at, 0, padded * (dim * 2 + 4));
  for (int h = 0; h < p.heads; ++h) {
    const std::int8_t* q = p.q + static_cast<std::ptrdiff_t>(h) * p.dim;
    std::int16_t* base = out.pairs + static_cast<std::ptrdiff_t>(h / kLanes) * p.dim * kLanes;
    for (int i = 0; i < p.dim; ++i) base[(i / 2 * kLanes + h % kLanes) * 2 + i % 2] = q[i];
    out.weights[h] = p.weights[h];
  }
  return out;
}

__m256i dots(const Queries& q, int vector, int dim) {
  const auto* pairs = reinterpret_cast<const __m256i*>(
      q.pairs + static_cast<std::ptrdiff_t>(vector) * dim * kLanes);
  __m256i even = _mm256_setzero_si256();
  __m256i odd = _mm256_setzero_si256();
  for (int i = 0; i < dim; i += 4) {
    std::int32_t two[2];
    std::memcpy(two, q.key + i, sizeof two);
    const __m256i a = _mm256_loadu_si256(pairs + i / 2);
    const __m256i b = _mm256_loadu_si256(pairs + i / 2 + 1);
    even = _mm256_add_epi32(even, _mm256_madd_epi16(a, _mm256_set1_epi32(two[0])));
    odd = _mm256_add_epi32(odd, _mm256_madd_epi16(b, _mm256_set1_epi32(two[1])));
  }
  return _mm256_add_epi32(even, odd);
}

std::int64_t sum_heads(const Queries& q, int dim) {
  __m256i sum = _mm256_setzero_si256();
  for (int v = 0; v < q.vectors; ++v) {
    const __m256i dot = _mm256_max_epi32(dots(q, v, dim), _mm256_setzero_si256());
    const __m256i w = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(q.weights + v * kLanes));
    sum = _mm256_add_epi64(sum, _mm256_mul_epi32(dot, w));
    sum = _mm256_add_epi64(sum, _mm256_mul_epi32(_mm256_srli_epi64(dot, 32), _mm256_srli_epi64(w, 32)));
  }
  alignas(32) std::int64_t lanes[4];
  _mm256_store_si256(reinterpret_cast<__m256i*>(lanes), sum);
  return lanes[0] + lanes[1] + lanes[2] + lanes[3];
}

void scores_avx2(const IndexParams& p) {
  const Queries q = lay_out(p);
  for (int s = 0; s < p.count; ++s) {
    const std::uint8_t* block = p.keys.block(s / kKeyBlock);
    const auto* key = reinterpret_cast<const std::int8_t*>(block + index_key_at(s, p.dim));
    for (int i = 0; i < p.dim; ++i) q.key[i] = key[i];
    float scale;
    std::memcpy(&scale, block + index_scale_at(s, p.dim), sizeof scale);
    p.out[s] = static_cast<float>(sum_heads(q, p.dim)) * scale;
  }
}

}  // namespace

const IndexOps kIndexOpsAvx2{hadamard_row, largest_of_row, row_to_int8, scores_avx2};

}  // namespace adit::kernels
