// SPDX-License-Identifier: MIT
#include "validator/consensus/fixed.hpp"

#include <cmath>
#include <limits>

#include <gtest/gtest.h>

namespace adit::validator {
namespace {

constexpr std::int64_t kMax = std::numeric_limits<std::int64_t>::max();
constexpr std::int64_t kMin = std::numeric_limits<std::int64_t>::min();

TEST(I32F32, SumsAndProductsSaturate) {
  EXPECT_EQ((I32F32::from_raw(kMax) + I32F32::one()).raw(), kMax);
  EXPECT_EQ((I32F32::from_raw(kMin) - I32F32::one()).raw(), kMin);
  EXPECT_EQ((I32F32::from_raw(kMax) * I32F32::from_raw(kMax)).raw(), kMax);
  EXPECT_EQ((I32F32::from_raw(kMax) * I32F32::from_raw(kMin)).raw(), kMin);
  EXPECT_EQ(I32F32::from_int(kMax).raw(), kMax);
}

TEST(I32F32, ProductRoundsDownAndQuotientTowardsZero) {
  const I32F32 least = I32F32::from_raw(1);
  const I32F32 minus_least = I32F32::from_raw(-1);
  EXPECT_EQ((least * I32F32::half()).raw(), 0);
  EXPECT_EQ((minus_least * I32F32::half()).raw(), -1);
  EXPECT_EQ((minus_least / I32F32::from_int(2)).raw(), 0);
  EXPECT_EQ((I32F32::from_int(-7) / I32F32::from_int(2)).raw(), -(std::int64_t{7} << 31));
}

TEST(I32F32, QuotientThatHasNoValueIsZero) {
  EXPECT_TRUE((I32F32::one() / I32F32()).is_zero());
  EXPECT_TRUE((I32F32::from_raw(kMax) / I32F32::from_raw(1)).is_zero());
  EXPECT_TRUE((I32F32::from_raw(kMin) / I32F32::from_raw(-1)).is_zero());
}

TEST(I32F32, SharesAndAmounts) {
  EXPECT_EQ(I32F32::share(65535), I32F32::one());
  EXPECT_EQ(I32F32::one().to_share(), 65535);
  EXPECT_EQ(I32F32::from_int(2).to_share(), 65535);
  EXPECT_EQ(I32F32::from_int(-2).to_share(), 0);
  EXPECT_EQ(I32F32::half().of_amount(1000000001), 500000000u);
  EXPECT_EQ(I32F32::from_int(-1).of_amount(5), 0u);
  EXPECT_EQ(I32F32::from_int(2).of_amount(std::numeric_limits<std::uint64_t>::max()),
            std::numeric_limits<std::uint64_t>::max());
}

TEST(I32F32, ExpIsCloseToTheRealOne) {
  for (double x = -25.0; x <= 25.0; x += 0.37) {
    const I32F32 value = exp_clamped(I32F32::from_raw(static_cast<std::int64_t>(x * 4294967296.0)));
    const double expected = std::exp(std::min(20.0, std::max(-20.0, x)));
    // 32 terms are short of the sum by a hundredth at 20.
    const double relative = std::abs(x) > 8.0 ? 1e-2 : 1e-6;
    EXPECT_NEAR(static_cast<double>(value.raw()) / 4294967296.0, expected, expected * relative + 1e-9) << x;
  }
  EXPECT_EQ(exp_clamped(I32F32()), I32F32::one());
}

TEST(I64F64Sum, SharesAreExactUpToTheFullRange) {
  I64F64Sum sum;
  EXPECT_TRUE(sum.share_of(5).is_zero());
  sum.add(1);
  sum.add(2);
  EXPECT_EQ(sum.share_of(1).raw(), (std::int64_t{1} << 32) / 3);
  EXPECT_EQ(sum.share_of(3), I32F32::one());
  I64F64Sum large;
  large.add(std::numeric_limits<std::uint64_t>::max());
  large.add(std::numeric_limits<std::uint64_t>::max());
  EXPECT_EQ(large.share_of(std::numeric_limits<std::uint64_t>::max()), I32F32::one());
}

}  // namespace
}  // namespace adit::validator
