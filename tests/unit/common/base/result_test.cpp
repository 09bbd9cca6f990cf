// SPDX-License-Identifier: MIT
#include "common/base/result.hpp"

#include <gtest/gtest.h>

#include "common/base/check.hpp"

namespace adit {
namespace {

Result<int> half(int value) {
  if (value % 2 != 0) return invalid_argument("{} is odd", value);
  return value / 2;
}

Result<int> quarter(int value) {
  ADIT_TRY(const int once, half(value));
  ADIT_TRY(const int twice, half(once));
  return twice;
}

TEST(Result, try_passes_values_and_errors_on) {
  EXPECT_EQ(quarter(12).value(), 3);
  EXPECT_EQ(quarter(6).error().message, "3 is odd");
  EXPECT_EQ(quarter(6).error().code, ErrorCode::kInvalidArgument);
  EXPECT_EQ(quarter(6).error().context("here").message, "here: 3 is odd");
}

TEST(Result, every_code_has_its_own_name) {
  EXPECT_EQ(name(ErrorCode::kUnauthenticated), "unauthenticated");
  EXPECT_EQ(name(ErrorCode::kCancelled), "cancelled");
}

TEST(CheckDeathTest, a_broken_invariant_aborts) { EXPECT_DEATH(ADIT_CHECK(1 == 2), "check failed: 1 == 2"); }

}  // namespace
}  // namespace adit
