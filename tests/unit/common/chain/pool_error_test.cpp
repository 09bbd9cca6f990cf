// SPDX-License-Identifier: MIT
#include "common/chain/pool_error.hpp"

#include <gtest/gtest.h>

namespace adit::chain {
namespace {

TEST(PoolError, names_the_runtime_s_reasons) {
  const PoolError error = pool_error(1010, "Custom error: 6", "Invalid Transaction");
  EXPECT_EQ(error.kind, PoolErrorKind::kRefused);
  EXPECT_EQ(error.text, "1010: RateLimitExceeded (Custom error: 6)");
  EXPECT_EQ(pool_error(1010, "Custom error: 200", "").text, "1010: unknown reason (Custom error: 200)");
  EXPECT_EQ(pool_error(1010, "Custom error: x", "").text, "1010: unknown reason (Custom error: x)");
  EXPECT_EQ(custom_error_name(0), std::optional<std::string_view>("ColdkeyInSwapSchedule"));
  EXPECT_EQ(custom_error_name(10), std::optional<std::string_view>("HotKeyNotRegisteredInNetwork"));
  EXPECT_EQ(custom_error_name(27), std::optional<std::string_view>("DelegateTakeTooHigh"));
  EXPECT_EQ(custom_error_name(255), std::optional<std::string_view>("BadRequest"));
  EXPECT_FALSE(custom_error_name(28).has_value());
  EXPECT_FALSE(custom_error_name(-1).has_value());
}

TEST(PoolError, says_what_to_do_next) {
  EXPECT_EQ(pool_error(1010, "Transaction is outdated", "").kind, PoolErrorKind::kStaleNonce);
  EXPECT_EQ(pool_error(1010, "Transaction has a bad signature", "").kind, PoolErrorKind::kStaleRuntime);
  EXPECT_EQ(pool_error(1010, "Inability to pay some fees", "").kind, PoolErrorKind::kRefused);
  EXPECT_EQ(pool_error(1012, "", "temporarily banned").kind, PoolErrorKind::kAlreadySent);
  EXPECT_EQ(pool_error(1013, "", "Already Imported").kind, PoolErrorKind::kAlreadySent);
  EXPECT_EQ(pool_error(1014, "", "Priority is too low").kind, PoolErrorKind::kNonceTaken);
  EXPECT_EQ(pool_error(1016, "", "Immediately Dropped").kind, PoolErrorKind::kPoolFull);
  EXPECT_EQ(pool_error(-32000, "", "odd").kind, PoolErrorKind::kRefused);
}

}  // namespace
}  // namespace adit::chain
