// SPDX-License-Identifier: MIT
// exp_c and log_c against libm's f64 functions, f16 against an independent rule. ADIT_TEST_FULL=1
// tries every float; otherwise one in 997 (a prime, so that all low bits occur) and every edge.
#include "kernels/core/numerics.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <limits>

#include <gtest/gtest.h>

#include "tests/unit/kernels/kernel_test.hpp"

namespace adit::kernels {
namespace {

std::uint64_t stride() {
  return std::getenv("ADIT_TEST_FULL") == nullptr ? 997 : 1;
}

// |got - want| in units of the last place of f32 at `want`.
double ulps(float got, double want) {
  int exponent = 0;
  std::frexp(want, &exponent);
  const double ulp = std::ldexp(1.0, std::max(exponent, -125) - 24);
  return std::fabs(static_cast<double>(got) - want) / ulp;
}

TEST(ExpC, is_within_two_ulp_of_exp_over_all_floats) {
  double worst = 0;
  float worst_at = 0;
  for (std::uint64_t bits = 0; bits < 0x100000000ULL; bits += stride()) {
    const float x = float_of(static_cast<std::uint32_t>(bits));
    if (!std::isfinite(x)) continue;
    if (x < kExpFloor) {
      ASSERT_EQ(bits_of(exp_c(x)), 0u) << x;
    } else if (x > kExpCeiling) {
      ASSERT_EQ(exp_c(x), exp_c(kExpCeiling)) << x;
    } else {
      const double error = ulps(exp_c(x), std::exp(static_cast<double>(x)));
      if (error > worst) {
        worst = error;
        worst_at = x;
      }
    }
  }
  RecordProperty("worst_ulp", std::to_string(worst));
  EXPECT_LE(worst, 2.0) << "at " << std::hexfloat << worst_at;
  std::printf("exp_c: worst %.3f ulp at %a\n", worst, static_cast<double>(worst_at));
}

TEST(ExpC, edges) {
  EXPECT_EQ(exp_c(0.0f), 1.0f);
  EXPECT_EQ(exp_c(-0.0f), 1.0f);
  EXPECT_GT(exp_c(kExpFloor), 0x1p-126f);
  EXPECT_EQ(exp_c(std::nextafter(kExpFloor, -100.0f)), 0.0f);
  EXPECT_TRUE(std::isfinite(exp_c(std::numeric_limits<float>::max())));
  EXPECT_EQ(exp_c(-std::numeric_limits<float>::max()), 0.0f);
  // The next float's exponential no longer fits.
  EXPECT_GT(std::exp(static_cast<double>(std::nextafter(kExpCeiling, 100.0f))), 0x1.ffffffp+127);
}

TEST(LogC, is_within_two_ulp_of_log_over_all_positive_floats) {
  double worst = 0;
  float worst_at = 0;
  for (std::uint64_t bits = 1; bits < 0x7f800000u; bits += stride()) {
    const float x = float_of(static_cast<std::uint32_t>(bits));
    const double want = std::log(static_cast<double>(x));
    const double error =
        want == 0 ? std::fabs(static_cast<double>(log_c(x))) * 0x1p149 : ulps(log_c(x), want);
    if (error > worst) {
      worst = error;
      worst_at = x;
    }
  }
  EXPECT_LE(worst, 2.0) << "at " << std::hexfloat << worst_at;
  std::printf("log_c: worst %.3f ulp at %a\n", worst, static_cast<double>(worst_at));
}

TEST(LogC, is_accurate_next_to_one_where_the_result_vanishes) {
  for (int i = -100000; i <= 100000; ++i) {
    const float x = float_of(static_cast<std::uint32_t>(static_cast<int>(bits_of(1.0f)) + i));
    if (i == 0) {
      EXPECT_EQ(bits_of(log_c(x)), 0u);
    } else {
      ASSERT_LE(ulps(log_c(x), std::log(static_cast<double>(x))), 2.0) << std::hexfloat << x;
    }
  }
}

TEST(LogC, is_nan_outside_its_domain) {
  for (const float x :
       {0.0f, -0.0f, -1.0f, -0x1p-149f, std::numeric_limits<float>::infinity(),
        -std::numeric_limits<float>::infinity(), std::numeric_limits<float>::quiet_NaN()}) {
    EXPECT_EQ(bits_of(log_c(x)), 0x7fc00000u) << x;
  }
}

// The value of an f16 by its definition.
double f16_value(int bits) {
  const int exponent = (bits >> 10) & 31;
  const int fraction = bits & 1023;
  const double magnitude =
      exponent == 0 ? std::ldexp(fraction, -24) : std::ldexp(1024 + fraction, exponent - 25);
  return (bits & 0x8000) != 0 ? -magnitude : magnitude;
}

TEST(F16, every_value_widens_exactly_and_narrows_back) {
  for (int bits = 0; bits < 0x10000; ++bits) {
    if ((bits & 0x7c00) == 0x7c00) continue;
    const auto half = static_cast<std::uint16_t>(bits);
    const float wide = f32_from_f16(half);
    ASSERT_EQ(static_cast<double>(wide), f16_value(bits));
    ASSERT_EQ(std::signbit(wide), (bits & 0x8000) != 0);
    ASSERT_EQ(f16_from_f32(wide), half);
  }
}

TEST(F16, rounds_to_nearest_even_between_every_pair_of_neighbours) {
  for (int bits = 0; bits < 0x7bff; ++bits) {
    const double low = f16_value(bits);
    const double high = f16_value(bits + 1);
    const auto middle = static_cast<float>((low + high) / 2);
    const int even = bits % 2 == 0 ? bits : bits + 1;
    ASSERT_EQ(f16_from_f32(middle), even);
    ASSERT_EQ(f16_from_f32(std::nextafter(middle, 0.0f)), bits);
    ASSERT_EQ(f16_from_f32(std::nextafter(middle, 1e9f)), bits + 1);
    ASSERT_EQ(f16_from_f32(-middle), even | 0x8000);
  }
}

TEST(F16, is_clamped) {
  for (const float x : {65504.0f, 65519.9f, 65520.0f, 1e30f, std::numeric_limits<float>::max()}) {
    EXPECT_EQ(f16_from_f32(x), 0x7bff) << x;
    EXPECT_EQ(f16_from_f32(-x), 0xfbff) << x;
  }
}

}  // namespace
}  // namespace adit::kernels
