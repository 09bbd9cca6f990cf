// SPDX-License-Identifier: MIT
// kernels/core/vec_avx512.h
//
// Sixteen f32 lanes (AVX-512 F, BW, VL, DQ): the vector type that rows_vec.h and attention_vec.h are written
// for. Only for sources compiled with these flags; everything is local to the including source.
//
// In       load_n, store_n, select_n, load_f16_n, load_i8_n, store_f16_n touch only the first n lanes (1 <= n <=
//          kLanes).
// Out      exp and log: the same bits as exp_c and log_c. reduce: strides 8, 4, 2, 1.
// Threads  pure.
// Tests    tests/unit/kernels/ops_test.cpp, attention_test.cpp
#pragma once

#include <cstdint>

#include <immintrin.h>

#include "kernels/core/numerics.h"

namespace adit::kernels {
namespace {

struct Vec512 {
  using Reg = __m512;
  static constexpr int kLanes = 16;
  // Query rows that attention handles side by side.
  static constexpr int kQueries = 4;

  static __mmask16 first(int n) { return static_cast<__mmask16>((1u << n) - 1u); }
  static Reg zero() { return _mm512_setzero_ps(); }
  static Reg set1(float x) { return _mm512_set1_ps(x); }
  static Reg load(const float* p) { return _mm512_loadu_ps(p); }
  static void store(float* p, Reg x) { _mm512_storeu_ps(p, x); }
  // The other lanes are +0.
  static Reg load_n(const float* p, int n) { return _mm512_maskz_loadu_ps(first(n), p); }
  static void store_n(float* p, Reg x, int n) { _mm512_mask_storeu_ps(p, first(n), x); }
  // Lanes below n from a, the others from b.
  static Reg select_n(int n, Reg a, Reg b) { return _mm512_mask_blend_ps(first(n), b, a); }
  static Reg add(Reg a, Reg b) { return _mm512_add_ps(a, b); }
  static Reg sub(Reg a, Reg b) { return _mm512_sub_ps(a, b); }
  static Reg mul(Reg a, Reg b) { return _mm512_mul_ps(a, b); }
  static Reg div(Reg a, Reg b) { return _mm512_div_ps(a, b); }
  static Reg fma(Reg a, Reg b, Reg c) { return _mm512_fmadd_ps(a, b, c); }
  static Reg max(Reg a, Reg b) { return _mm512_max_ps(a, b); }
  static Reg neg(Reg a) { return _mm512_xor_ps(a, _mm512_set1_ps(-0.0f)); }
  static Reg abs(Reg a) { return _mm512_andnot_ps(_mm512_set1_ps(-0.0f), a); }
  // Bit i: a[i] == b[i], a[i] <= b[i].
  static std::uint32_t equal(Reg a, Reg b) { return _mm512_cmp_ps_mask(a, b, _CMP_EQ_OQ); }
  static std::uint32_t less_equal(Reg a, Reg b) { return _mm512_cmp_ps_mask(a, b, _CMP_LE_OQ); }

  static Reg load_f16(const std::uint16_t* p) {
    return _mm512_cvtph_ps(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(p)));
  }
  static Reg load_f16_n(const std::uint16_t* p, int n) {
    return _mm512_cvtph_ps(_mm256_maskz_loadu_epi16(first(n), p));
  }
  static Reg load_i8(const std::int8_t* p) {
    return _mm512_cvtepi32_ps(_mm512_cvtepi8_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p))));
  }
  static Reg load_i8_n(const std::int8_t* p, int n) {
    return _mm512_cvtepi32_ps(_mm512_cvtepi8_epi32(_mm_maskz_loadu_epi8(first(n), p)));
  }
  static void store_f16_n(std::uint16_t* p, Reg x, int n) {
    const Reg low = _mm512_min_ps(x, set1(kF16Max));
    const Reg clamped = _mm512_max_ps(low, set1(-kF16Max));
    const __m256i half = _mm512_cvtps_ph(clamped, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
    _mm256_mask_storeu_epi16(p, first(n), half);
  }

  static float reduce(Reg x) {
    const __m256 eight = _mm256_add_ps(_mm512_castps512_ps256(x), _mm512_extractf32x8_ps(x, 1));
    const __m128 four = _mm_add_ps(_mm256_castps256_ps128(eight), _mm256_extractf128_ps(eight, 1));
    const __m128 two = _mm_add_ps(four, _mm_movehl_ps(four, four));
    return _mm_cvtss_f32(_mm_add_ss(two, _mm_movehdup_ps(two)));
  }

  // out[i] = out[i] + reduce(x[i]).
  static void add_sums_of_four(const Reg (&x)[4], float* out) {
    _mm_storeu_ps(out, _mm_add_ps(_mm_loadu_ps(out), fold_four(x, [](Reg a, Reg b) { return add(a, b); })));
  }
  static void largest_of_four(const Reg (&x)[4], float* out) {
    _mm_storeu_ps(out, fold_four(x, [](Reg a, Reg b) { return max(a, b); }));
  }

  static Reg exp(Reg x) {
    const Reg clamped = _mm512_min_ps(x, set1(kExpCeiling));
    const Reg shifted = fma(clamped, set1(kLog2E), set1(kRoundMagic));
    const Reg n = sub(shifted, set1(kRoundMagic));
    Reg r = fma(n, set1(-kLn2Hi), clamped);
    r = fma(n, set1(-kLn2Lo), r);
    Reg q = fma(set1(kExpPoly[4]), r, set1(kExpPoly[3]));
    q = fma(q, r, set1(kExpPoly[2]));
    q = fma(q, r, set1(kExpPoly[1]));
    q = fma(q, r, set1(kExpPoly[0]));
    const Reg p = add(fma(mul(r, r), q, r), set1(1.0f));
    const __m512i scaled = _mm512_add_epi32(_mm512_castps_si512(p),
                                            _mm512_slli_epi32(_mm512_castps_si512(shifted), 23));
    const __mmask16 kept = _mm512_cmp_ps_mask(x, set1(kExpFloor), _CMP_NLT_UQ);
    return _mm512_castsi512_ps(_mm512_maskz_mov_epi32(kept, scaled));
  }

  static Reg log(Reg x) {
    const __mmask16 small = _mm512_cmp_ps_mask(x, set1(0x1p-126f), _CMP_LT_OQ);
    const __m512i bits = _mm512_castps_si512(_mm512_mask_mul_ps(x, small, x, set1(0x1p+23f)));
    const __m512i e = _mm512_srai_epi32(
        _mm512_sub_epi32(bits, _mm512_set1_epi32(static_cast<int>(kSqrtHalfBits))), 23);
    const Reg significand = _mm512_castsi512_ps(_mm512_sub_epi32(bits, _mm512_slli_epi32(e, 23)));
    const Reg f = sub(significand, set1(1.0f));
    const Reg n = _mm512_cvtepi32_ps(_mm512_mask_sub_epi32(e, small, e, _mm512_set1_epi32(23)));
    Reg q = fma(set1(kLogPoly[8]), f, set1(kLogPoly[7]));
    for (int i = 6; i >= 0; --i) q = fma(q, f, set1(kLogPoly[i]));
    const Reg f2 = mul(f, f);
    Reg tail = mul(mul(f2, f), q);
    tail = fma(n, set1(kLn2Lo), tail);
    tail = fma(f2, set1(-0.5f), tail);
    const Reg value = fma(n, set1(kLn2Hi), add(f, tail));
    const __mmask16 positive = _mm512_cmp_ps_mask(x, zero(), _CMP_GT_OQ);
    const __mmask16 good = _mm512_mask_cmp_ps_mask(positive, x, set1(0x1.fffffep+127f), _CMP_LE_OQ);
    return _mm512_mask_mov_ps(_mm512_castsi512_ps(_mm512_set1_epi32(0x7fc00000)), good, value);
  }

 private:
  // Each register's lanes folded as by reduce.
  template <class Op>
  static __m128 fold_four(const Reg (&x)[4], const Op& op) {
    const auto halves = [&](Reg a, Reg b) {
      return op(_mm512_shuffle_f32x4(a, b, 0x44), _mm512_shuffle_f32x4(a, b, 0xee));
    };
    const Reg near = halves(x[0], x[1]);
    const Reg far = halves(x[2], x[3]);
    const Reg four = op(_mm512_shuffle_f32x4(near, far, 0x88), _mm512_shuffle_f32x4(near, far, 0xdd));
    const Reg two = op(four, _mm512_permute_ps(four, 0xee));
    const Reg one = op(two, _mm512_permute_ps(two, 0x55));
    const __m512i firsts = _mm512_castsi128_si512(_mm_setr_epi32(0, 4, 8, 12));
    return _mm512_castps512_ps128(_mm512_permutexvar_ps(firsts, one));
  }
};

}  // namespace
}  // namespace adit::kernels
