// SPDX-License-Identifier: MIT
// The f64 routines against libm in long double (64-bit significand).
#include "kernels/core/numerics_f64.h"

#include <cmath>

#include <gtest/gtest.h>

#include "tests/unit/kernels/kernel_test.hpp"

namespace adit::kernels {
namespace {

TEST(SincosC, is_within_2_to_minus_50_up_to_a_billion_radians) {
  Random random(test_seed());
  for (int round = 0; round < 200000; ++round) {
    const double angle = std::ldexp(static_cast<double>(random.unit()), random.between(-20, 30));
    double s = 0;
    double c = 0;
    sincos_c(angle, s, c);
    ASSERT_NEAR(s, static_cast<double>(std::sin(static_cast<long double>(angle))), 0x1p-50)
        << std::hexfloat << angle;
    ASSERT_NEAR(c, static_cast<double>(std::cos(static_cast<long double>(angle))), 0x1p-50)
        << std::hexfloat << angle;
  }
}

TEST(SincosC, the_quadrants) {
  double s = 1;
  double c = 0;
  sincos_c(0.0, s, c);
  EXPECT_EQ(s, 0.0);
  EXPECT_EQ(c, 1.0);
  for (int n = -9; n <= 9; ++n) {
    sincos_c(n * 0x1.921fb54442d18p+0, s, c);
    EXPECT_NEAR(s, std::sin(n * 0x1.921fb54442d18p+0), 0x1p-50);
    EXPECT_NEAR(c, std::cos(n * 0x1.921fb54442d18p+0), 0x1p-50);
  }
}

TEST(ExpD, is_within_2_to_minus_50) {
  Random random(test_seed());
  EXPECT_EQ(exp_d(0.0), 1.0);
  for (int round = 0; round < 200000; ++round) {
    const double x = 700.0 * static_cast<double>(random.unit());
    const long double want = std::exp(static_cast<long double>(x));
    ASSERT_LE(std::fabs(static_cast<double>((static_cast<long double>(exp_d(x)) - want) / want)),
              0x1p-50)
        << x;
  }
}

TEST(LogD, is_within_2_to_minus_50_relative) {
  Random random(test_seed());
  EXPECT_EQ(log_d(1.0), 0.0);
  for (int round = 0; round < 200000; ++round) {
    const int spread = random.between(0, 1) == 0 ? 0 : random.between(-1000, 1000);
    const double x = std::ldexp(1.0 + 0.7 * static_cast<double>(random.unit()), spread);
    const long double want = std::log(static_cast<long double>(x));
    if (want == 0) continue;
    ASSERT_LE(std::fabs(static_cast<double>((static_cast<long double>(log_d(x)) - want) / want)),
              0x1p-50)
        << std::hexfloat << x;
  }
}

TEST(PowD, gives_the_inverse_frequencies_of_rope) {
  for (int i = 0; i < 32; ++i) {
    const double exponent = -static_cast<double>(2 * i) / 64.0;
    const long double want = std::pow(100000.0L, static_cast<long double>(exponent));
    EXPECT_LE(std::fabs(static_cast<double>(
                  static_cast<long double>(pow_d(100000.0, exponent)) / want - 1)),
              0x1p-47);
  }
}

}  // namespace
}  // namespace adit::kernels
