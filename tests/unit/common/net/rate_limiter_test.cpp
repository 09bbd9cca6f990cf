// SPDX-License-Identifier: MIT
#include "common/net/rate_limiter.hpp"

#include <gtest/gtest.h>

namespace adit::net {
namespace {

AccountId hotkey(std::uint8_t tag) {
  AccountId out{};
  out[0] = tag;
  return out;
}
constexpr std::uint64_t kSecond = 1'000'000'000;

TEST(RateLimiter, allows_the_burst_then_the_rate) {
  RateLimiter limiter({.per_second = 10, .burst = 3});
  for (int i = 0; i < 3; ++i) EXPECT_EQ(limiter.take(hotkey(1), 5 * kSecond), 0U);
  EXPECT_EQ(limiter.take(hotkey(1), 5 * kSecond), 100U);
  EXPECT_EQ(limiter.take(hotkey(1), 5 * kSecond + 60'000'000), 40U);
  EXPECT_EQ(limiter.take(hotkey(1), 5 * kSecond + 100'000'000), 0U);
  EXPECT_NE(limiter.take(hotkey(1), 5 * kSecond + 100'000'000), 0U);
  // Others are not affected, and a pause fills the bucket again but not beyond its size.
  EXPECT_EQ(limiter.take(hotkey(2), 5 * kSecond), 0U);
  int passed = 0;
  while (limiter.take(hotkey(1), 500 * kSecond) == 0) ++passed;
  EXPECT_EQ(passed, 3);
}

TEST(RateLimiter, a_second_of_hammering_gives_burst_plus_rate) {
  RateLimiter limiter({.per_second = 50, .burst = 5});
  int passed = 0;
  for (std::uint64_t t = 0; t <= 1000; ++t) {
    if (limiter.take(hotkey(1), kSecond + t * 1'000'000) == 0) ++passed;
  }
  EXPECT_EQ(passed, 55);
}

TEST(RateLimiter, memory_is_bounded_and_full_buckets_are_forgotten) {
  RateLimiter limiter({.per_second = 1, .burst = 1, .hotkeys_max = 4});
  for (std::uint8_t i = 0; i < 4; ++i) EXPECT_EQ(limiter.take(hotkey(i), kSecond), 0U);
  EXPECT_NE(limiter.take(hotkey(9), kSecond), 0U);
  EXPECT_EQ(limiter.take(hotkey(9), 3 * kSecond), 0U);
}

}  // namespace
}  // namespace adit::net
