// SPDX-License-Identifier: MIT
// kernels/core/vec_neon.h
//
// Eight f32 lanes (two registers of arm64's NEON): the vector type that rows_vec.h and attention_vec.h are
// written for. Every operation is one IEEE operation a lane; NaNs and zeros are chosen by comparison, as the
// scalar functions do, for NEON's own minimum and maximum treat them in another way.
//
// In       load_n, store_n, select_n, load_f16_n, load_i8_n, store_f16_n touch only the first n lanes (1 <= n <=
//          kLanes).
// Out      exp and log: the same bits as exp_c and log_c. reduce: strides 4, 2, 1.
// Threads  pure.
// Tests    tests/unit/kernels/ops_test.cpp, attention_test.cpp
#pragma once

#include <cstdint>
#include <cstring>

#include <arm_neon.h>

#include "kernels/core/numerics.h"

namespace adit::kernels {
namespace {

struct VecNeon {
  struct Reg {
    float32x4_t low;
    float32x4_t high;
  };
  static constexpr int kLanes = 8;
  // Query rows that attention handles side by side.
  static constexpr int kQueries = 2;

  static Reg zero() { return set1(0.0f); }
  static Reg set1(float x) { return {vdupq_n_f32(x), vdupq_n_f32(x)}; }
  static Reg load(const float* p) { return {vld1q_f32(p), vld1q_f32(p + 4)}; }
  static void store(float* p, Reg x) {
    vst1q_f32(p, x.low);
    vst1q_f32(p + 4, x.high);
  }
  // The other lanes are +0.
  static Reg load_n(const float* p, int n) {
    float lanes[kLanes] = {};
    std::memcpy(lanes, p, static_cast<std::size_t>(n) * sizeof(float));
    return load(lanes);
  }
  static void store_n(float* p, Reg x, int n) {
    float lanes[kLanes];
    store(lanes, x);
    std::memcpy(p, lanes, static_cast<std::size_t>(n) * sizeof(float));
  }
  // Lanes below n from a, the others from b.
  static Reg select_n(int n, Reg a, Reg b) {
    const int32x4_t count = vdupq_n_s32(n);
    const int32x4_t index = {0, 1, 2, 3};
    return {vbslq_f32(vcltq_s32(index, count), a.low, b.low),
            vbslq_f32(vcltq_s32(vaddq_s32(index, vdupq_n_s32(4)), count), a.high, b.high)};
  }
  static Reg add(Reg a, Reg b) { return {vaddq_f32(a.low, b.low), vaddq_f32(a.high, b.high)}; }
  static Reg sub(Reg a, Reg b) { return {vsubq_f32(a.low, b.low), vsubq_f32(a.high, b.high)}; }
  static Reg mul(Reg a, Reg b) { return {vmulq_f32(a.low, b.low), vmulq_f32(a.high, b.high)}; }
  static Reg div(Reg a, Reg b) { return {vdivq_f32(a.low, b.low), vdivq_f32(a.high, b.high)}; }
  static Reg fma(Reg a, Reg b, Reg c) {
    return {vfmaq_f32(c.low, a.low, b.low), vfmaq_f32(c.high, a.high, b.high)};
  }
  // a if it is larger, else b.
  static Reg max(Reg a, Reg b) {
    return {vbslq_f32(vcgtq_f32(a.low, b.low), a.low, b.low),
            vbslq_f32(vcgtq_f32(a.high, b.high), a.high, b.high)};
  }
  static Reg neg(Reg a) { return {vnegq_f32(a.low), vnegq_f32(a.high)}; }
  static Reg abs(Reg a) { return {vabsq_f32(a.low), vabsq_f32(a.high)}; }
  // Bit i: a[i] == b[i], a[i] <= b[i].
  static std::uint32_t equal(Reg a, Reg b) {
    return bits(vceqq_f32(a.low, b.low), vceqq_f32(a.high, b.high));
  }
  static std::uint32_t less_equal(Reg a, Reg b) {
    return bits(vcleq_f32(a.low, b.low), vcleq_f32(a.high, b.high));
  }

  static Reg load_f16(const std::uint16_t* p) { return widen(vld1q_u16(p)); }
  static Reg load_f16_n(const std::uint16_t* p, int n) {
    std::uint16_t lanes[kLanes] = {};
    std::memcpy(lanes, p, static_cast<std::size_t>(n) * sizeof(std::uint16_t));
    return load_f16(lanes);
  }
  static Reg load_i8(const std::int8_t* p) {
    const int16x8_t words = vmovl_s8(vld1_s8(p));
    return {vcvtq_f32_s32(vmovl_s16(vget_low_s16(words))), vcvtq_f32_s32(vmovl_s16(vget_high_s16(words)))};
  }
  static Reg load_i8_n(const std::int8_t* p, int n) {
    std::int8_t lanes[kLanes] = {};
    std::memcpy(lanes, p, static_cast<std::size_t>(n));
    return load_i8(lanes);
  }
  static void store_f16_n(std::uint16_t* p, Reg x, int n) {
    std::uint16_t lanes[kLanes];
    vst1_u16(lanes, narrow(x.low));
    vst1_u16(lanes + 4, narrow(x.high));
    std::memcpy(p, lanes, static_cast<std::size_t>(n) * sizeof(std::uint16_t));
  }

  static float reduce(Reg x) {
    const float32x4_t four = vaddq_f32(x.low, x.high);
    const float32x2_t two = vadd_f32(vget_low_f32(four), vget_high_f32(four));
    return vget_lane_f32(two, 0) + vget_lane_f32(two, 1);
  }

  // out[i] = out[i] + reduce(x[i]).
  static void add_sums_of_four(const Reg (&x)[4], float* out) {
    const auto sum = [](float32x4_t a, float32x4_t b) { return vaddq_f32(a, b); };
    vst1q_f32(out, vaddq_f32(vld1q_f32(out), fold_four(x, sum)));
  }
  static void largest_of_four(const Reg (&x)[4], float* out) {
    vst1q_f32(out, fold_four(x, [](float32x4_t a, float32x4_t b) { return vbslq_f32(vcgtq_f32(a, b), a, b); }));
  }

  static Reg exp(Reg x) { return {exp(x.low), exp(x.high)}; }
  static Reg log(Reg x) { return {log(x.low), log(x.high)}; }

 private:
  // Each register's lanes folded as by reduce.
  template <class Op>
  static float32x4_t fold_four(const Reg (&x)[4], const Op& op) {
    const auto two = [&](Reg a, Reg b) {
      const float64x2_t near = vreinterpretq_f64_f32(op(a.low, a.high));
      const float64x2_t far = vreinterpretq_f64_f32(op(b.low, b.high));
      return op(vreinterpretq_f32_f64(vzip1q_f64(near, far)), vreinterpretq_f32_f64(vzip2q_f64(near, far)));
    };
    const float32x4_t near = two(x[0], x[1]);
    const float32x4_t far = two(x[2], x[3]);
    return op(vuzp1q_f32(near, far), vuzp2q_f32(near, far));
  }
  static std::uint32_t bits(uint32x4_t low, uint32x4_t high) {
    const uint32x4_t first = {1, 2, 4, 8};
    return vaddvq_u32(vorrq_u32(vandq_u32(low, first), vandq_u32(high, vshlq_n_u32(first, 4))));
  }
  static Reg widen(uint16x8_t half) {
    const float16x8_t cells = vreinterpretq_f16_u16(half);
    return {vcvt_f32_f16(vget_low_f16(cells)), vcvt_high_f32_f16(cells)};
  }
  static float32x4_t smaller(float32x4_t a, float32x4_t b) { return vbslq_f32(vcltq_f32(a, b), a, b); }
  // Nearest even, clamped; a NaN gives the largest value.
  static uint16x4_t narrow(float32x4_t x) {
    const float32x4_t low = smaller(x, vdupq_n_f32(kF16Max));
    const float32x4_t bound = vdupq_n_f32(-kF16Max);
    return vreinterpret_u16_f16(vcvt_f16_f32(vbslq_f32(vcgtq_f32(low, bound), low, bound)));
  }
  static float32x4_t fma(float32x4_t a, float b, float32x4_t c) { return vfmaq_n_f32(c, a, b); }
  // q * r + next coefficient.
  static float32x4_t step(float32x4_t q, float32x4_t r, float coefficient) {
    return vfmaq_f32(vdupq_n_f32(coefficient), q, r);
  }

  static float32x4_t exp(float32x4_t x) {
    const float32x4_t magic = vdupq_n_f32(kRoundMagic);
    const float32x4_t clamped = smaller(x, vdupq_n_f32(kExpCeiling));
    const float32x4_t shifted = fma(clamped, kLog2E, magic);
    const float32x4_t n = vsubq_f32(shifted, magic);
    float32x4_t r = fma(n, -kLn2Hi, clamped);
    r = fma(n, -kLn2Lo, r);
    float32x4_t q = vdupq_n_f32(kExpPoly[4]);
    for (int i = 3; i >= 0; --i) q = step(q, r, kExpPoly[i]);
    const float32x4_t p = vaddq_f32(vfmaq_f32(r, vmulq_f32(r, r), q), vdupq_n_f32(1.0f));
    const uint32x4_t scaled =
        vaddq_u32(vreinterpretq_u32_f32(p), vshlq_n_u32(vreinterpretq_u32_f32(shifted), 23));
    return vreinterpretq_f32_u32(vbicq_u32(scaled, vcltq_f32(x, vdupq_n_f32(kExpFloor))));
  }

  static float32x4_t log(float32x4_t x) {
    const uint32x4_t small = vcltq_f32(x, vdupq_n_f32(0x1p-126f));
    const int32x4_t word = vreinterpretq_s32_f32(vbslq_f32(small, vmulq_f32(x, vdupq_n_f32(0x1p+23f)), x));
    const int32x4_t e = vshrq_n_s32(vsubq_s32(word, vdupq_n_s32(static_cast<int>(kSqrtHalfBits))), 23);
    const float32x4_t significand = vreinterpretq_f32_s32(vsubq_s32(word, vshlq_n_s32(e, 23)));
    const float32x4_t f = vsubq_f32(significand, vdupq_n_f32(1.0f));
    const int32x4_t lowered = vandq_s32(vreinterpretq_s32_u32(small), vdupq_n_s32(23));
    const float32x4_t n = vcvtq_f32_s32(vsubq_s32(e, lowered));
    float32x4_t q = vdupq_n_f32(kLogPoly[8]);
    for (int i = 7; i >= 0; --i) q = step(q, f, kLogPoly[i]);
    const float32x4_t f2 = vmulq_f32(f, f);
    float32x4_t tail = vmulq_f32(vmulq_f32(f2, f), q);
    tail = fma(n, kLn2Lo, tail);
    tail = fma(f2, -0.5f, tail);
    const float32x4_t value = fma(n, kLn2Hi, vaddq_f32(f, tail));
    const uint32x4_t good =
        vandq_u32(vcgtq_f32(x, vdupq_n_f32(0.0f)), vcleq_f32(x, vdupq_n_f32(0x1.fffffep+127f)));
    return vbslq_f32(good, value, vreinterpretq_f32_u32(vdupq_n_u32(0x7fc00000u)));
  }
};

}  // namespace
}  // namespace adit::kernels
