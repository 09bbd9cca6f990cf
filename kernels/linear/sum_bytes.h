// SPDX-License-Identifier: MIT
// kernels/linear/sum_bytes.h
//
// The group sums of quantised activations, for sources compiled with AVX2.
//
// Out      sum_bytes: the sum of 32 signed bytes. square_bytes: the sum of their squares.
// Threads  pure.
// Tests    tests/unit/kernels/quantize_test.cpp
#pragma once

#include <cstdint>

#include <immintrin.h>

namespace adit::kernels {
namespace {

// psadbw adds unsigned bytes, so the bytes are raised by 128 first.
inline std::int32_t sum_bytes(__m256i bytes) {
  const __m256i raised = _mm256_xor_si256(bytes, _mm256_set1_epi8(-128));
  const __m256i sums = _mm256_sad_epu8(raised, _mm256_setzero_si256());
  const __m128i two =
      _mm_add_epi32(_mm256_castsi256_si128(sums), _mm256_extracti128_si256(sums, 1));
  return _mm_cvtsi128_si32(_mm_add_epi32(two, _mm_unpackhi_epi64(two, two))) - 32 * 128;
}

inline std::uint32_t square_bytes(__m256i bytes) {
  const __m256i low = _mm256_cvtepi8_epi16(_mm256_castsi256_si128(bytes));
  const __m256i high = _mm256_cvtepi8_epi16(_mm256_extracti128_si256(bytes, 1));
  const __m256i eight =
      _mm256_add_epi32(_mm256_madd_epi16(low, low), _mm256_madd_epi16(high, high));
  const __m128i four =
      _mm_add_epi32(_mm256_castsi256_si128(eight), _mm256_extracti128_si256(eight, 1));
  const __m128i two = _mm_add_epi32(four, _mm_unpackhi_epi64(four, four));
  return static_cast<std::uint32_t>(
      _mm_cvtsi128_si32(_mm_add_epi32(two, _mm_shuffle_epi32(two, 0xb1))));
}

}  // namespace
}  // namespace adit::kernels
