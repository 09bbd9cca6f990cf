// SPDX-License-Identifier: MIT
#include <immintrin.h>

#include "kernels/linear/sparse_expand.h"

namespace adit::kernels {
namespace {

struct EightBytes {
  static __m128i load(const std::uint8_t* at) {
    return _mm_loadl_epi64(static_cast<const __m128i*>(static_cast<const void*>(at)));
  }
  static void expand(const std::uint8_t* stored, const std::uint8_t* from, std::uint8_t* out) {
    const __m128i values = _mm_unpacklo_epi64(load(stored), _mm_set1_epi8(-128));
    _mm_storel_epi64(static_cast<__m128i*>(static_cast<void*>(out)), _mm_shuffle_epi8(values, load(from)));
  }
};

}  // namespace

void expand_tile_avx2(const LinearWeights& weights, int tile, std::uint8_t* out) {
  expand_tile_by<EightBytes>(weights, tile, out);
}

}  // namespace adit::kernels
