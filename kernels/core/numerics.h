// SPDX-License-Identifier: MIT
// kernels/core/numerics.h
//
// The canonical f32 functions: exp_c, log_c and f16 conversion. Only additions, multiplications, fused
// multiply-adds and integer operations, so that every processor returns the same bits.
//
// In       finite values. exp_c: any. log_c: positive.
// Out      exp_c: 0 below -87; from kExpCeiling up, exp(kExpCeiling) (finite). Error <= 2 ulp between.
//          log_c: error <= 2 ulp; NaN unless 0 < x < infinity.
//          f16_from_f32: nearest even, clamped to +-65504 (a NaN gives 65504). f32_from_f16: exact.
// Exact    needs -ffp-contract=off (nvcc --fmad=false), no flush-to-zero, round to nearest even.
// Threads  pure.
// Source   kernels/NUMERICS.md, "Primitives" (the coefficients' making is told there)
// Tests    tests/unit/kernels/numerics_test.cpp
#pragma once

#include <cstdint>
#include <cstring>

#include <math.h>

#include "kernels/core/hd.h"

namespace adit::kernels {

// exp: p(r) = 1 + (r + r^2 * (e0 + e1 r + ... + e4 r^4)) on |r| <= ln2 / 2.
constexpr float kExpFloor = -87.0f;
// The largest f32 whose exponential is below 2^128.
constexpr float kExpCeiling = 0x1.62e42ep+6f;
constexpr float kLog2E = 0x1.715476p+0f;
// ln 2 in two parts; the first has 15 significant bits, so n * kLn2Hi is exact for every exponent
// n.
constexpr float kLn2Hi = 0x1.62e4p-1f;
constexpr float kLn2Lo = 0x1.7f7d1cp-20f;
// 1.5 * 2^23: adding it leaves the nearest integer in the low bits.
constexpr float kRoundMagic = 0x1.8p+23f;
constexpr float kExpPoly[5] = {0x1.fffffcp-2f, 0x1.555490p-3f, 0x1.5558fap-5f, 0x1.123b0ep-7f,
                               0x1.6a21f8p-10f};
// log: log(1 + f) = f - f^2 / 2 + f^3 * (l0 + l1 f + ... + l8 f^8) on sqrt(1/2) <= 1 + f < sqrt 2.
constexpr float kLogPoly[9] = {0x1.555548p-2f,  -0x1.000006p-2f, 0x1.99a4bep-3f,
                               -0x1.555c76p-3f, 0x1.2336e4p-3f,  -0x1.fc1cc0p-4f,
                               0x1.e6f21ep-4f,  -0x1.de5896p-4f, 0x1.147508p-4f};
constexpr std::uint32_t kSqrtHalfBits = 0x3f3504f3u;
constexpr float kF16Max = 65504.0f;

ADIT_HD std::uint32_t bits_of(float value) {
  std::uint32_t bits;
  memcpy(&bits, &value, sizeof bits);
  return bits;
}

ADIT_HD float float_of(std::uint32_t bits) {
  float value;
  memcpy(&value, &bits, sizeof value);
  return value;
}

ADIT_HD float exp_c(float x) {
  const float clamped = x < kExpCeiling ? x : kExpCeiling;
  const float shifted = fmaf(clamped, kLog2E, kRoundMagic);
  const float n = shifted - kRoundMagic;
  float r = fmaf(n, -kLn2Hi, clamped);
  r = fmaf(n, -kLn2Lo, r);
  float q = fmaf(kExpPoly[4], r, kExpPoly[3]);
  q = fmaf(q, r, kExpPoly[2]);
  q = fmaf(q, r, kExpPoly[1]);
  q = fmaf(q, r, kExpPoly[0]);
  const float p = fmaf(r * r, q, r) + 1.0f;
  const float scaled = float_of(bits_of(p) + (bits_of(shifted) << 23));
  return x < kExpFloor ? 0.0f : scaled;
}

ADIT_HD float log_c(float x) {
  if (!(x > 0.0f) || bits_of(x) >= 0x7f800000u) return float_of(0x7fc00000u);
  const bool small = x < 0x1p-126f;
  const std::uint32_t bits = bits_of(small ? x * 0x1p+23f : x);
  // The exponent that brings the significand into [sqrt(1/2), sqrt 2).
  const std::int32_t e = static_cast<std::int32_t>(bits - kSqrtHalfBits) >> 23;
  const float f = float_of(bits - (static_cast<std::uint32_t>(e) << 23)) - 1.0f;
  const float n = static_cast<float>(small ? e - 23 : e);
  float q = fmaf(kLogPoly[8], f, kLogPoly[7]);
  for (int i = 6; i >= 0; --i) q = fmaf(q, f, kLogPoly[i]);
  const float f2 = f * f;
  float tail = (f2 * f) * q;
  tail = fmaf(n, kLn2Lo, tail);
  tail = fmaf(f2, -0.5f, tail);
  return fmaf(n, kLn2Hi, f + tail);
}

ADIT_HD std::uint16_t f16_from_f32(float x) {
  float clamped = x < kF16Max ? x : kF16Max;
  clamped = clamped > -kF16Max ? clamped : -kF16Max;
  const std::uint32_t bits = bits_of(clamped);
  const std::uint32_t sign = (bits >> 16) & 0x8000u;
  const std::uint32_t magnitude = bits & 0x7fffffffu;
  if (magnitude < 0x38800000u) {
    // Below 2^-14: subnormal. Adding 1/2 leaves the value in units of 2^-24, rounded to nearest
    // even.
    const float aligned = float_of(magnitude) + 0.5f;
    return static_cast<std::uint16_t>(sign | (bits_of(aligned) - 0x3f000000u));
  }
  // Re-bias the exponent by 15 - 127 and round the 13 dropped bits to nearest even.
  const std::uint32_t odd = (magnitude >> 13) & 1u;
  const std::uint32_t rounded = magnitude - (112u << 23) + 0xfffu + odd;
  return static_cast<std::uint16_t>(sign | (rounded >> 13));
}

ADIT_HD float f32_from_f16(std::uint16_t h) {
  const std::uint32_t sign = (static_cast<std::uint32_t>(h) & 0x8000u) << 16;
  const std::uint32_t magnitude = static_cast<std::uint32_t>(h) & 0x7fffu;
  if (magnitude >= 0x7c00u) return float_of(sign | 0x7f800000u | ((magnitude & 0x3ffu) << 13));
  if (magnitude < 0x400u) {
    const float value = static_cast<float>(static_cast<std::int32_t>(magnitude)) * 0x1p-24f;
    return float_of(sign | bits_of(value));
  }
  return float_of(sign | ((magnitude << 13) + (112u << 23)));
}

}  // namespace adit::kernels
