// SPDX-License-Identifier: MIT
// Activation quantisation with AVX2: a group of 32 is four registers. Besides the planes it fills the int16
// form that the AVX2 linear layer reads.
#include <cstdint>

#include <immintrin.h>

#include "kernels/linear/group_sums.h"
#include "kernels/linear/quantize_by.h"
#include "kernels/linear/sum_bytes.h"

namespace adit::kernels {
namespace {

constexpr int kRegs = 4;

struct Group {
  __m256 part[kRegs];
};

// 32 values, +0 behind the last of `count`.
Group load_group(const float* x, int count) {
  Group group;
  const __m256i index = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
  for (int i = 0; i < kRegs; ++i) {
    const int left = count - 8 * i;
    group.part[i] = left >= 8 ? _mm256_loadu_ps(x + 8 * i)
                              : _mm256_maskload_ps(
                                    x + 8 * i, _mm256_cmpgt_epi32(_mm256_set1_epi32(left), index));
  }
  return group;
}

// The bits of |x|, non-negative as int32: ordered like the values, NaNs on top.
__m256i magnitudes(const Group& group) {
  const __m256i mask = _mm256_set1_epi32(0x7fffffff);
  __m256i largest = _mm256_setzero_si256();
  for (int i = 0; i < kRegs; ++i) {
    largest = _mm256_max_epi32(largest, _mm256_and_si256(_mm256_castps_si256(group.part[i]), mask));
  }
  return largest;
}

std::uint32_t largest_lane(__m256i x) {
  const __m128i four = _mm_max_epi32(_mm256_castsi256_si128(x), _mm256_extracti128_si256(x, 1));
  const __m128i two = _mm_max_epi32(four, _mm_shuffle_epi32(four, 0x4e));
  return static_cast<std::uint32_t>(
      _mm_cvtsi128_si32(_mm_max_epi32(two, _mm_shuffle_epi32(two, 0xb1))));
}

// rint(x * scale) as 2 x 16 int16; all values fit.
struct Words {
  __m256i part[2];
};
Words to_words(const Group& group, float scale) {
  const __m256 factor = _mm256_set1_ps(scale);
  __m256i q[kRegs];
  for (int i = 0; i < kRegs; ++i) q[i] = _mm256_cvtps_epi32(_mm256_mul_ps(group.part[i], factor));
  return Words{{_mm256_permute4x64_epi64(_mm256_packs_epi32(q[0], q[1]), 0xd8),
                _mm256_permute4x64_epi64(_mm256_packs_epi32(q[2], q[3]), 0xd8)}};
}

__m256i signed_bytes(__m256i first, __m256i second) {
  return _mm256_permute4x64_epi64(_mm256_packs_epi16(first, second), 0xd8);
}

__m256i low_bytes(const Words& words) {
  const __m256i mask = _mm256_set1_epi16(255);
  const __m256i packed = _mm256_packus_epi16(_mm256_and_si256(words.part[0], mask),
                                             _mm256_and_si256(words.part[1], mask));
  return _mm256_permute4x64_epi64(packed, 0xd8);
}

void store(void* at, __m256i bytes) {
  _mm256_storeu_si256(static_cast<__m256i*>(at), bytes);
}

// Each four columns in the order 0 2 1 3.
void store_wide(std::int16_t* at, __m256i first, __m256i second) {
  store(at, _mm256_shufflehi_epi16(_mm256_shufflelo_epi16(first, 0xd8), 0xd8));
  store(at + 16, _mm256_shufflehi_epi16(_mm256_shufflelo_epi16(second, 0xd8), 0xd8));
}

void quantize_a16(const float* x, float inverse, ActBuffer& act, int token) {
  const GroupSums sums(act, token);
  const __m256i round = _mm256_set1_epi16(128);
  std::uint64_t sq_hi = 0;
  std::uint64_t sq_lo = 0;
  for (int group = 0; group < act.groups(); ++group) {
    const Words words = to_words(load_group(x + group * kGroup, act.k() - group * kGroup), inverse);
    const __m256i hi = signed_bytes(_mm256_srai_epi16(_mm256_add_epi16(words.part[0], round), 8),
                                    _mm256_srai_epi16(_mm256_add_epi16(words.part[1], round), 8));
    const __m256i lo = low_bytes(words);
    store(act.hi(token) + group * kGroup, hi);
    store(act.lo(token) + group * kGroup, lo);
    if (act.has_wide()) store_wide(act.wide(token) + group * kGroup, words.part[0], words.part[1]);
    sums.set(group, sum_bytes(hi), sum_bytes(lo), 0);
    sq_hi += square_bytes(hi);
    sq_lo += square_bytes(lo);
  }
  act.sq_hi(token) = sq_hi;
  act.sq_lo(token) = sq_lo;
}

void quantize_a8(const float* x, float amax, float inverse, ActBuffer& act, int token) {
  const GroupSums sums(act, token);
  std::uint64_t sq = 0;
  for (int group = 0; group < act.groups(); ++group) {
    const Group values = load_group(x + group * kGroup, act.k() - group * kGroup);
    const int shift = group_shift(float_of(largest_lane(magnitudes(values))), amax);
    const Words words = to_words(values, inverse * static_cast<float>(1 << (kShiftMax - shift)));
    const __m256i bytes = signed_bytes(words.part[0], words.part[1]);
    store(act.hi(token) + group * kGroup, bytes);
    if (act.has_wide()) {
      const __m128i count = _mm_cvtsi32_si128(shift);
      store_wide(act.wide(token) + group * kGroup, _mm256_sll_epi16(words.part[0], count),
                 _mm256_sll_epi16(words.part[1], count));
    }
    sums.set(group, sum_bytes(bytes), 0, shift);
    sq += static_cast<std::uint64_t>(square_bytes(bytes)) << (2 * shift);
  }
  act.sq_hi(token) = sq;
  act.sq_lo(token) = 0;
}

}  // namespace

bool quantize_token_avx2(const float* x, ActBuffer& act, int token) {
  __m256i largest = _mm256_setzero_si256();
  for (int i = 0; i < act.k(); i += kGroup) {
    largest = _mm256_max_epi32(largest, magnitudes(load_group(x + i, act.k() - i)));
  }
  const std::uint32_t magnitude = largest_lane(largest);
  return quantize_by(
      magnitude, act, token, [&](float inverse) { quantize_a16(x, inverse, act, token); },
      [&](float amax, float inverse) { quantize_a8(x, amax, inverse, act, token); });
}

}  // namespace adit::kernels
