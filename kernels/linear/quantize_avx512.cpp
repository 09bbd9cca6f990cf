// SPDX-License-Identifier: MIT
// Activation quantisation with AVX-512: a group of 32 is two registers, four groups go together.
#include <cstdint>

#include <immintrin.h>

#include "kernels/linear/quantize_by.h"

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

constexpr int kTogether = 4;

// The largest (as unsigned numbers) or the sum of each of four registers' sixteen.
template <class Join>
__m128i reduce_four(const __m512i (&x)[kTogether], Join join) {
  const __m512i first = join(_mm512_unpacklo_epi32(x[0], x[1]), _mm512_unpackhi_epi32(x[0], x[1]));
  const __m512i second = join(_mm512_unpacklo_epi32(x[2], x[3]), _mm512_unpackhi_epi32(x[2], x[3]));
  const __m512i all = join(_mm512_unpacklo_epi64(first, second), _mm512_unpackhi_epi64(first, second));
  const __m512i half = join(all, _mm512_shuffle_i64x2(all, all, 0x4e));
  return _mm512_castsi512_si128(join(half, _mm512_shuffle_i64x2(half, half, 0xb1)));
}
__m128i largest_of_four(const __m512i (&x)[kTogether]) {
  return reduce_four(x, [](__m512i a, __m512i b) { return _mm512_max_epu32(a, b); });
}
__m128i sums_of_four(const __m512i (&x)[kTogether]) {
  return reduce_four(x, [](__m512i a, __m512i b) { return _mm512_add_epi32(a, b); });
}

// Groups that are there, of the four that begin at `group`: as a count and as a mask.
int groups_here(const ActBuffer& act, int group) {
  return act.groups() - group < kTogether ? act.groups() - group : kTogether;
}
void store_four(std::int32_t* at, int count, __m128i x) {
  _mm_mask_storeu_epi32(at, static_cast<__mmask8>((1u << count) - 1u), x);
}

// The numbers of a group, -128..127, as words: four of its first half, four of its second, and so on.
__m512i to_words(__m512i low, __m512i high) { return _mm512_packs_epi32(low, high); }
// Words of four groups to bytes in order; only the first `count` groups are stored.
void store_bytes(std::int8_t* at, int count, const __m512i (&words)[kTogether]) {
  const __m512i order = _mm512_setr_epi32(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15);
  for (int pair = 0; pair < count; pair += 2) {
    const __m512i mixed = _mm512_packs_epi16(words[pair], words[pair + 1]);
    const __mmask16 there = pair + 1 < count ? 0xffff : 0x00ff;
    _mm512_mask_storeu_epi32(at + pair * kGroup, there, _mm512_permutexvar_epi32(order, mixed));
  }
}

// Sixteen counts, each the sum of its even and its odd 32-bit numbers, in int64.
class WideSum {
 public:
  void add(__m512i counts) {
    even_ = _mm512_add_epi64(even_, _mm512_and_si512(counts, _mm512_set1_epi64(0xffffffff)));
    odd_ = _mm512_add_epi64(odd_, _mm512_srli_epi64(counts, 32));
  }
  std::uint64_t total() const {
    return static_cast<std::uint64_t>(_mm512_reduce_add_epi64(_mm512_add_epi64(even_, odd_)));
  }

 private:
  __m512i even_ = _mm512_setzero_si512();
  __m512i odd_ = _mm512_setzero_si512();
};

__m128i times_minus_128(__m128i x) { return _mm_sub_epi32(_mm_setzero_si128(), _mm_slli_epi32(x, 7)); }

void quantize_a16(const float* x, float inverse, ActBuffer& act, int token) {
  const __m512 scale = _mm512_set1_ps(inverse);
  const __m512i round = _mm512_set1_epi32(128);
  WideSum sq_hi;
  WideSum sq_lo;
  for (int group = 0; group < act.groups(); group += kTogether) {
    const int count = groups_here(act, group);
    __m512i hi_words[kTogether], lo_words[kTogether], hi_sums[kTogether], lo_sums[kTogether];
    // A count holds at most 4 groups * 2 * 2^14.
    __m512i hi_squares = _mm512_setzero_si512();
    __m512i lo_squares = _mm512_setzero_si512();
#pragma GCC unroll 4
    for (int i = 0; i < kTogether; ++i) {
      const Pair values = load_group(x + (group + i) * kGroup, act.k() - (group + i) * kGroup);
      const __m512i low = _mm512_cvtps_epi32(_mm512_mul_ps(values.low, scale));
      const __m512i high = _mm512_cvtps_epi32(_mm512_mul_ps(values.high, scale));
      const __m512i hi_low = _mm512_srai_epi32(_mm512_add_epi32(low, round), 8);
      const __m512i hi_high = _mm512_srai_epi32(_mm512_add_epi32(high, round), 8);
      const __m512i lo_low = _mm512_sub_epi32(low, _mm512_slli_epi32(hi_low, 8));
      const __m512i lo_high = _mm512_sub_epi32(high, _mm512_slli_epi32(hi_high, 8));
      hi_words[i] = to_words(hi_low, hi_high);
      lo_words[i] = to_words(lo_low, lo_high);
      hi_sums[i] = _mm512_add_epi32(hi_low, hi_high);
      lo_sums[i] = _mm512_add_epi32(lo_low, lo_high);
      hi_squares = _mm512_dpwssd_epi32(hi_squares, hi_words[i], hi_words[i]);
      lo_squares = _mm512_dpwssd_epi32(lo_squares, lo_words[i], lo_words[i]);
    }
    store_bytes(act.hi(token) + group * kGroup, count, hi_words);
    store_bytes(act.lo(token) + group * kGroup, count, lo_words);
    const __m128i hi = sums_of_four(hi_sums);
    const __m128i lo = sums_of_four(lo_sums);
    store_four(act.sum_hi(token) + group, count, hi);
    store_four(act.sum_lo(token) + group, count, lo);
    store_four(act.bias_hi(token) + group, count, times_minus_128(hi));
    store_four(act.bias_lo(token) + group, count, times_minus_128(lo));
    store_four(act.shift(token) + group, count, _mm_setzero_si128());
    sq_hi.add(hi_squares);
    sq_lo.add(lo_squares);
  }
  act.sq_hi(token) = sq_hi.total();
  act.sq_lo(token) = sq_lo.total();
}

// group_shift of four groups, from the bits of their largest |x|, which are ordered like the values.
__m128i shifts_of_four(__m128i largest, float amax) {
  __m128 bound = _mm_set1_ps(amax * kA8Unit);
  __m128i shift = _mm_setzero_si128();
  for (int i = 0; i < kShiftMax; ++i) {
    shift = _mm_sub_epi32(shift, _mm_cmpgt_epi32(largest, _mm_castps_si128(bound)));
    bound = _mm_add_ps(bound, bound);
  }
  return shift;
}

// Reads the groups' largest |x| where it leaves their shifts.
void quantize_a8(const float* x, float amax, float inverse, ActBuffer& act, int token) {
  WideSum sq;
  for (int group = 0; group < act.groups(); group += kTogether) {
    const int count = groups_here(act, group);
    const auto there = static_cast<__mmask8>((1u << count) - 1u);
    const __m128i shift = shifts_of_four(_mm_maskz_loadu_epi32(there, act.shift(token) + group), amax);
    const __m128i power = _mm_sllv_epi32(_mm_set1_epi32(1), _mm_sub_epi32(_mm_set1_epi32(kShiftMax), shift));
    alignas(16) float scales[kTogether];
    alignas(16) std::int32_t twice[kTogether];
    _mm_store_ps(scales, _mm_mul_ps(_mm_set1_ps(inverse), _mm_cvtepi32_ps(power)));
    _mm_store_si128(reinterpret_cast<__m128i*>(twice), _mm_add_epi32(shift, shift));
    __m512i words[kTogether], sums[kTogether];
    // A count holds at most 4 groups * (2 * 127^2 << 12).
    __m512i squares = _mm512_setzero_si512();
#pragma GCC unroll 4
    for (int i = 0; i < kTogether; ++i) {
      const Pair values = load_group(x + (group + i) * kGroup, act.k() - (group + i) * kGroup);
      const __m512 scale = _mm512_set1_ps(scales[i]);
      const __m512i low = _mm512_cvtps_epi32(_mm512_mul_ps(values.low, scale));
      const __m512i high = _mm512_cvtps_epi32(_mm512_mul_ps(values.high, scale));
      words[i] = to_words(low, high);
      sums[i] = _mm512_add_epi32(low, high);
      const __m512i plain = _mm512_madd_epi16(words[i], words[i]);
      squares = _mm512_add_epi32(squares, _mm512_sllv_epi32(plain, _mm512_set1_epi32(twice[i])));
    }
    store_bytes(act.hi(token) + group * kGroup, count, words);
    const __m128i sum = sums_of_four(sums);
    store_four(act.sum_hi(token) + group, count, sum);
    store_four(act.sum_lo(token) + group, count, _mm_setzero_si128());
    store_four(act.bias_hi(token) + group, count, times_minus_128(sum));
    store_four(act.bias_lo(token) + group, count, _mm_setzero_si128());
    store_four(act.shift(token) + group, count, shift);
    sq.add(squares);
  }
  act.sq_hi(token) = sq.total();
  act.sq_lo(token) = 0;
}

// The bits of the token's largest |x|; of A8g32 also those of each group, in the place of the shifts.
std::uint32_t find_largest(const float* x, ActBuffer& act, int token) {
  __m512i largest = _mm512_setzero_si512();
  for (int group = 0; group < act.groups(); group += kTogether) {
    __m512i four[kTogether];
#pragma GCC unroll 4
    for (int i = 0; i < kTogether; ++i) {
      four[i] = magnitudes(load_group(x + (group + i) * kGroup, act.k() - (group + i) * kGroup));
      largest = _mm512_max_epu32(largest, four[i]);
    }
    if (act.form() == ActForm::kA8g32)
      store_four(act.shift(token) + group, groups_here(act, group), largest_of_four(four));
  }
  return _mm512_reduce_max_epu32(largest);
}

// Modulo 2^32: _mm512_reduce_add_epi32 adds its last two as plain ints.
std::uint32_t wrapped_sum(__m512i x) {
  const __m256i half = _mm256_add_epi32(_mm512_castsi512_si256(x), _mm512_extracti64x4_epi64(x, 1));
  const __m128i four = _mm_add_epi32(_mm256_castsi256_si128(half), _mm256_extracti128_si256(half, 1));
  const __m128i two = _mm_add_epi32(four, _mm_unpackhi_epi64(four, four));
  return static_cast<std::uint32_t>(_mm_cvtsi128_si32(two)) + static_cast<std::uint32_t>(_mm_extract_epi32(two, 1));
}

}  // namespace

bool quantize_token_avx512(const float* x, ActBuffer& act, int token) {
  const std::uint32_t magnitude = find_largest(x, act, token);
  return quantize_by(
      magnitude, act, token, [&](float inverse) { quantize_a16(x, inverse, act, token); },
      [&](float amax, float inverse) { quantize_a8(x, amax, inverse, act, token); });
}

void fill_product_avx512(ActBuffer& act, int token) {
  const int slot = token % kProductTokens;
  const int groups = act.groups();
  const std::int32_t* const hi = act.sum_hi(token);
  const std::int32_t* const lo = act.sum_lo(token);
  ProductGroup* const panel = act.product(token);
  // Columns 0, 2, 1, 3 of each four.
  const __m512i order = _mm512_set4_epi32(0x0f0e0b0a, 0x0d0c0908, 0x07060302, 0x05040100);
  const auto words = [](const std::int8_t* bytes) {
    return _mm512_cvtepi8_epi16(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(bytes)));
  };
  for (int group = 0; group < groups; ++group) {
    ProductGroup& to = panel[group];
    const std::ptrdiff_t at = std::ptrdiff_t{group} * kGroup;
    const __m512i x = _mm512_add_epi16(_mm512_slli_epi16(words(act.hi(token) + at), 8), words(act.lo(token) + at));
    const __m512i pairs = _mm512_shuffle_epi8(x, order);
    _mm512_store_si512(to.x[slot], pairs);
    // The even columns times the odd ones, in the lower half of each four.
    const __m512i products = _mm512_madd_epi16(pairs, _mm512_srli_epi64(pairs, 32));
    to.start[slot] = (1u << 15) - wrapped_sum(products);
    to.set_sum(slot, 256 * hi[group] + lo[group]);
  }
}

}  // namespace adit::kernels
