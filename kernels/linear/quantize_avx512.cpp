// SPDX-License-Identifier: MIT
// Activation quantisation with AVX-512: a group of 32 is two registers.
#include <cstdint>

#include <immintrin.h>

#include "kernels/linear/group_sums.h"
#include "kernels/linear/paths.h"
#include "kernels/linear/quantize_numbers.h"
#include "kernels/linear/sum_bytes.h"

namespace adit::kernels {
namespace {

struct Pair {
  __m512 low;
  __m512 high;
};

__mmask16 lanes(int n) {
  return n >= 16 ? static_cast<__mmask16>(0xffff)
                 : static_cast<__mmask16>((1u << (n < 0 ? 0 : n)) - 1u);
}

// 32 values, +0 behind the last of `count`.
Pair load_group(const float* x, int count) {
  if (count >= kGroup) return Pair{_mm512_loadu_ps(x), _mm512_loadu_ps(x + 16)};
  return Pair{_mm512_maskz_loadu_ps(lanes(count), x),
              _mm512_maskz_loadu_ps(lanes(count - 16), x + 16)};
}

// The bits of |x|: ordered like the values, NaNs on top.
__m512i magnitudes(Pair x) {
  const __m512i mask = _mm512_set1_epi32(0x7fffffff);
  return _mm512_max_epu32(_mm512_and_si512(_mm512_castps_si512(x.low), mask),
                          _mm512_and_si512(_mm512_castps_si512(x.high), mask));
}

float float_of_bits(std::uint32_t bits) {
  return _mm_cvtss_f32(_mm_castsi128_ps(_mm_cvtsi32_si128(static_cast<int>(bits))));
}

__m256i to_bytes(__m512i low, __m512i high) {
  return _mm256_inserti128_si256(_mm256_castsi128_si256(_mm512_cvtepi32_epi8(low)),
                                 _mm512_cvtepi32_epi8(high), 1);
}

// Sums of squares of signed bytes, kept as 16 counts: a group adds at most 2 * 2^14 to each, so int32 holds
// 2^16 groups.
class Squares {
 public:
  void add(__m256i bytes) {
    const __m512i words = _mm512_cvtepi8_epi16(bytes);
    counts_ = _mm512_dpwssd_epi32(counts_, words, words);
  }
  std::uint64_t total() const {
    const __m512i low = _mm512_cvtepu32_epi64(_mm512_castsi512_si256(counts_));
    const __m512i high = _mm512_cvtepu32_epi64(_mm512_extracti64x4_epi64(counts_, 1));
    return static_cast<std::uint64_t>(_mm512_reduce_add_epi64(_mm512_add_epi64(low, high)));
  }

 private:
  __m512i counts_ = _mm512_setzero_si512();
};

// The same for 2^shift * bytes, whose squares need int64.
class ShiftedSquares {
 public:
  void add(__m256i bytes, int shift) {
    const __m512i words = _mm512_sll_epi16(_mm512_cvtepi8_epi16(bytes), _mm_cvtsi32_si128(shift));
    const __m512i counts = _mm512_madd_epi16(words, words);
    low_ = _mm512_add_epi64(low_, _mm512_cvtepu32_epi64(_mm512_castsi512_si256(counts)));
    high_ = _mm512_add_epi64(high_, _mm512_cvtepu32_epi64(_mm512_extracti64x4_epi64(counts, 1)));
  }
  std::uint64_t total() const {
    return static_cast<std::uint64_t>(_mm512_reduce_add_epi64(_mm512_add_epi64(low_, high_)));
  }

 private:
  __m512i low_ = _mm512_setzero_si512();
  __m512i high_ = _mm512_setzero_si512();
};

void store_bytes(std::int8_t* at, __m256i bytes) {
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(at), bytes);
}

void quantize_a16(const float* x, float inverse, ActBuffer& act, int token) {
  const GroupSums sums(act, token);
  const __m512 scale = _mm512_set1_ps(inverse);
  const __m512i round = _mm512_set1_epi32(128);
  Squares sq_hi;
  Squares sq_lo;
  for (int group = 0; group < act.groups(); ++group) {
    const Pair values = load_group(x + group * kGroup, act.k() - group * kGroup);
    const __m512i low = _mm512_cvtps_epi32(_mm512_mul_ps(values.low, scale));
    const __m512i high = _mm512_cvtps_epi32(_mm512_mul_ps(values.high, scale));
    const __m512i hi_low = _mm512_srai_epi32(_mm512_add_epi32(low, round), 8);
    const __m512i hi_high = _mm512_srai_epi32(_mm512_add_epi32(high, round), 8);
    const __m256i hi = to_bytes(hi_low, hi_high);
    // The low byte of xq - 256 * hi is the low byte of xq.
    const __m256i lo = to_bytes(low, high);
    store_bytes(act.hi(token) + group * kGroup, hi);
    store_bytes(act.lo(token) + group * kGroup, lo);
    sums.set(group, sum_bytes(hi), sum_bytes(lo), 0);
    sq_hi.add(hi);
    sq_lo.add(lo);
  }
  act.sq_hi(token) = sq_hi.total();
  act.sq_lo(token) = sq_lo.total();
}

void quantize_a8(const float* x, float amax, float inverse, ActBuffer& act, int token) {
  const GroupSums sums(act, token);
  ShiftedSquares sq;
  for (int group = 0; group < act.groups(); ++group) {
    const Pair values = load_group(x + group * kGroup, act.k() - group * kGroup);
    const float group_amax = float_of_bits(_mm512_reduce_max_epu32(magnitudes(values)));
    const int shift = group_shift(group_amax, amax);
    const __m512 scale = _mm512_set1_ps(inverse * static_cast<float>(1 << (kShiftMax - shift)));
    const __m256i bytes = to_bytes(_mm512_cvtps_epi32(_mm512_mul_ps(values.low, scale)),
                                   _mm512_cvtps_epi32(_mm512_mul_ps(values.high, scale)));
    store_bytes(act.hi(token) + group * kGroup, bytes);
    sums.set(group, sum_bytes(bytes), 0, shift);
    sq.add(bytes, shift);
  }
  act.sq_hi(token) = sq.total();
  act.sq_lo(token) = 0;
}

}  // namespace

bool quantize_token_avx512(const float* x, ActBuffer& act, int token) {
  __m512i largest = _mm512_setzero_si512();
  for (int i = 0; i < act.k(); i += kGroup) {
    largest = _mm512_max_epu32(largest, magnitudes(load_group(x + i, act.k() - i)));
  }
  const std::uint32_t magnitude = _mm512_reduce_max_epu32(largest);
  const float amax = float_of_bits(magnitude);
  if (magnitude >= kInfinityBits || amax < kAmaxFloor) {
    zero_token(act, token);
    return magnitude < kInfinityBits;
  }
  if (act.form() == ActForm::kA16) {
    act.scale(token) = amax / kA16Max;
    quantize_a16(x, kA16Max / amax, act, token);
  } else {
    act.scale(token) = (amax / kA8Max) * kA8Unit;
    quantize_a8(x, amax, kA8Max / amax, act, token);
  }
  return true;
}

}  // namespace adit::kernels
