// SPDX-License-Identifier: MIT
#include "common/protocol/replay_window.hpp"

#include <gtest/gtest.h>

#include <map>

#include "common/base/rng.hpp"

namespace adit::protocol {
namespace {

constexpr std::uint64_t kSecond = 1'000'000'000;
constexpr std::uint64_t kNow = 1'800'000'000 * kSecond;

AccountId hotkey(std::uint8_t tag) {
  AccountId out{};
  out[0] = tag;
  return out;
}

TEST(ReplayWindow, admits_a_nonce_once_per_hotkey) {
  ReplayWindow window;
  EXPECT_TRUE(window.record(hotkey(1), kNow, kNow));
  EXPECT_EQ(window.record(hotkey(1), kNow, kNow).error().code, ErrorCode::kUnauthenticated);
  EXPECT_TRUE(window.record(hotkey(2), kNow, kNow));
  EXPECT_TRUE(window.record(hotkey(1), kNow + 1, kNow));
  EXPECT_EQ(window.size(), 3U);
}

TEST(ReplayWindow, remembers_for_the_retention_and_forgets_afterwards) {
  ReplayWindow window;
  ASSERT_TRUE(window.record(hotkey(1), kNow, kNow));
  EXPECT_FALSE(window.record(hotkey(1), kNow, kNow + 60 * kSecond));
  // Past the retention the nonce is refused as too old, and its memory is free.
  EXPECT_FALSE(window.record(hotkey(1), kNow, kNow + 60 * kSecond + 1));
  ASSERT_TRUE(window.record(hotkey(2), kNow + 100 * kSecond, kNow + 100 * kSecond));
  EXPECT_EQ(window.size(), 1U);
}

TEST(ReplayWindow, a_clock_that_steps_back_readmits_nothing) {
  ReplayWindow window;
  ASSERT_TRUE(window.record(hotkey(1), kNow, kNow));
  ASSERT_TRUE(window.record(hotkey(1), kNow + 90 * kSecond, kNow + 90 * kSecond));
  EXPECT_FALSE(window.record(hotkey(1), kNow, kNow));
}

TEST(ReplayWindow, refuses_when_full_instead_of_forgetting) {
  ReplayWindow window(
      {.retention_ns = 60 * kSecond, .entries_max = 6, .entries_per_hotkey_max = 4});
  for (std::uint64_t i = 0; i < 4; ++i) ASSERT_TRUE(window.record(hotkey(1), kNow + i, kNow));
  EXPECT_EQ(window.record(hotkey(1), kNow + 9, kNow).error().code, ErrorCode::kResourceExhausted);
  ASSERT_TRUE(window.record(hotkey(2), kNow, kNow));
  ASSERT_TRUE(window.record(hotkey(3), kNow, kNow));
  EXPECT_EQ(window.record(hotkey(4), kNow, kNow).error().code, ErrorCode::kResourceExhausted);
  EXPECT_EQ(window.size(), 6U);
  // Room comes back by time alone.
  EXPECT_TRUE(window.record(hotkey(4), kNow + 61 * kSecond, kNow + 61 * kSecond));
}

// Against a plain map that never forgets, over a random run in the order a real clock gives.
TEST(ReplayWindow, agrees_with_a_model_that_remembers_everything) {
  SeededRng rng(20261125);
  ReplayWindow window;
  std::map<std::pair<AccountId, std::uint64_t>, bool> all;
  std::uint64_t now = kNow;
  for (int i = 0; i < 20000; ++i) {
    now += rng.below(20'000'000);
    const AccountId who = hotkey(static_cast<std::uint8_t>(rng.below(3)));
    // Fresh nonces only, on a coarse grid so that many repeat.
    const std::uint64_t nonce = (now - rng.below(10 * kSecond)) / 50'000'000 * 50'000'000;
    const bool first = all.emplace(std::pair{who, nonce}, true).second;
    ASSERT_EQ(window.record(who, nonce, now).has_value(), first) << i;
  }
  EXPECT_LT(window.size(), 4000U);
}

}  // namespace
}  // namespace adit::protocol
