// SPDX-License-Identifier: MIT
// kernels/core/vec_avx2.h
//
// Eight f32 lanes (AVX2, FMA, F16C): the vector type that rows_vec.h and attention_vec.h are written for.
// Only for sources compiled with these flags; everything is local to the including source.
//
// In       load_n, store_n, select_n, load_f16_n, load_i8_n, store_f16_n touch only the first n lanes (1 <= n <=
//          kLanes).
// Out      exp and log: the same bits as exp_c and log_c. reduce: strides 4, 2, 1.
// Threads  pure.
// Tests    tests/unit/kernels/ops_test.cpp, attention_test.cpp
#pragma once

#include <cstdint>

#include <immintrin.h>

#include "kernels/core/numerics.h"

namespace adit::kernels {
namespace {

struct Vec256 {
  using Reg = __m256;
  static constexpr int kLanes = 8;
  // Query rows that attention handles side by side.
  static constexpr int kQueries = 2;

  static __m256i first(int n) {
    return _mm256_cmpgt_epi32(_mm256_set1_epi32(n), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
  }
  static Reg zero() { return _mm256_setzero_ps(); }
  static Reg set1(float x) { return _mm256_set1_ps(x); }
  static Reg load(const float* p) { return _mm256_loadu_ps(p); }
  static void store(float* p, Reg x) { _mm256_storeu_ps(p, x); }
  // The other lanes are +0.
  static Reg load_n(const float* p, int n) { return _mm256_maskload_ps(p, first(n)); }
  static void store_n(float* p, Reg x, int n) { _mm256_maskstore_ps(p, first(n), x); }
  // Lanes below n from a, the others from b.
  static Reg select_n(int n, Reg a, Reg b) {
    return _mm256_blendv_ps(b, a, _mm256_castsi256_ps(first(n)));
  }
  static Reg add(Reg a, Reg b) { return _mm256_add_ps(a, b); }
  static Reg sub(Reg a, Reg b) { return _mm256_sub_ps(a, b); }
  static Reg mul(Reg a, Reg b) { return _mm256_mul_ps(a, b); }
  static Reg div(Reg a, Reg b) { return _mm256_div_ps(a, b); }
  static Reg fma(Reg a, Reg b, Reg c) { return _mm256_fmadd_ps(a, b, c); }
  static Reg max(Reg a, Reg b) { return _mm256_max_ps(a, b); }
  static Reg neg(Reg a) { return _mm256_xor_ps(a, _mm256_set1_ps(-0.0f)); }
  static Reg abs(Reg a) { return _mm256_andnot_ps(_mm256_set1_ps(-0.0f), a); }
  // Bit i: a[i] == b[i], a[i] <= b[i].
  static std::uint32_t equal(Reg a, Reg b) {
    return static_cast<std::uint32_t>(_mm256_movemask_ps(_mm256_cmp_ps(a, b, _CMP_EQ_OQ)));
  }
  static std::uint32_t less_equal(Reg a, Reg b) {
    return static_cast<std::uint32_t>(_mm256_movemask_ps(_mm256_cmp_ps(a, b, _CMP_LE_OQ)));
  }

  static Reg load_f16(const std::uint16_t* p) {
    return _mm256_cvtph_ps(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p)));
  }
  static Reg load_f16_n(const std::uint16_t* p, int n) {
    alignas(16) std::uint16_t lanes[8] = {};
    for (int i = 0; i < n; ++i) lanes[i] = p[i];
    return load_f16(lanes);
  }
  static Reg load_i8(const std::int8_t* p) {
    return _mm256_cvtepi32_ps(_mm256_cvtepi8_epi32(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(p))));
  }
  static Reg load_i8_n(const std::int8_t* p, int n) {
    alignas(8) std::int8_t lanes[8] = {};
    for (int i = 0; i < n; ++i) lanes[i] = p[i];
    return load_i8(lanes);
  }
  static void store_f16_n(std::uint16_t* p, Reg x, int n) {
    const Reg low = _mm256_min_ps(x, set1(kF16Max));
    const Reg clamped = _mm256_max_ps(low, set1(-kF16Max));
    alignas(16) std::uint16_t lanes[8];
    _mm_store_si128(reinterpret_cast<__m128i*>(lanes),
                    _mm256_cvtps_ph(clamped, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC));
    for (int i = 0; i < n; ++i) p[i] = lanes[i];
  }

  static float reduce(Reg x) {
    const __m128 four = _mm_add_ps(_mm256_castps256_ps128(x), _mm256_extractf128_ps(x, 1));
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
    const Reg clamped = _mm256_min_ps(x, set1(kExpCeiling));
    const Reg shifted = fma(clamped, set1(kLog2E), set1(kRoundMagic));
    const Reg n = sub(shifted, set1(kRoundMagic));
    Reg r = fma(n, set1(-kLn2Hi), clamped);
    r = fma(n, set1(-kLn2Lo), r);
    Reg q = fma(set1(kExpPoly[4]), r, set1(kExpPoly[3]));
    q = fma(q, r, set1(kExpPoly[2]));
    q = fma(q, r, set1(kExpPoly[1]));
    q = fma(q, r, set1(kExpPoly[0]));
    const Reg p = add(fma(mul(r, r), q, r), set1(1.0f));
    const __m256i scaled = _mm256_add_epi32(_mm256_castps_si256(p),
                                            _mm256_slli_epi32(_mm256_castps_si256(shifted), 23));
    return _mm256_andnot_ps(_mm256_cmp_ps(x, set1(kExpFloor), _CMP_LT_OQ),
                            _mm256_castsi256_ps(scaled));
  }

  static Reg log(Reg x) {
    const Reg small = _mm256_cmp_ps(x, set1(0x1p-126f), _CMP_LT_OQ);
    const __m256i bits = _mm256_castps_si256(_mm256_blendv_ps(x, mul(x, set1(0x1p+23f)), small));
    const __m256i e = _mm256_srai_epi32(
        _mm256_sub_epi32(bits, _mm256_set1_epi32(static_cast<int>(kSqrtHalfBits))), 23);
    const Reg significand = _mm256_castsi256_ps(_mm256_sub_epi32(bits, _mm256_slli_epi32(e, 23)));
    const Reg f = sub(significand, set1(1.0f));
    const __m256i lowered = _mm256_and_si256(_mm256_castps_si256(small), _mm256_set1_epi32(23));
    const Reg n = _mm256_cvtepi32_ps(_mm256_sub_epi32(e, lowered));
    Reg q = fma(set1(kLogPoly[8]), f, set1(kLogPoly[7]));
    for (int i = 6; i >= 0; --i) q = fma(q, f, set1(kLogPoly[i]));
    const Reg f2 = mul(f, f);
    Reg tail = mul(mul(f2, f), q);
    tail = fma(n, set1(kLn2Lo), tail);
    tail = fma(f2, set1(-0.5f), tail);
    const Reg value = fma(n, set1(kLn2Hi), add(f, tail));
    const Reg good = _mm256_and_ps(_mm256_cmp_ps(x, zero(), _CMP_GT_OQ),
                                   _mm256_cmp_ps(x, set1(0x1.fffffep+127f), _CMP_LE_OQ));
    return _mm256_blendv_ps(_mm256_castsi256_ps(_mm256_set1_epi32(0x7fc00000)), value, good);
  }

 private:
  // Each register's lanes folded as by reduce.
  template <class Op>
  static __m128 fold_four(const Reg (&x)[4], const Op& op) {
    const auto halves = [&](Reg a, Reg b) {
      return op(_mm256_permute2f128_ps(a, b, 0x20), _mm256_permute2f128_ps(a, b, 0x31));
    };
    const Reg near = halves(x[0], x[1]);
    const Reg far = halves(x[2], x[3]);
    const Reg two = op(_mm256_shuffle_ps(near, far, 0x44), _mm256_shuffle_ps(near, far, 0xee));
    const Reg one = op(_mm256_shuffle_ps(two, two, 0x88), _mm256_shuffle_ps(two, two, 0xdd));
    return _mm_unpacklo_ps(_mm256_castps256_ps128(one), _mm256_extractf128_ps(one, 1));
  }
};

}  // namespace
}  // namespace adit::kernels
