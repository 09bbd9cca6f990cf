// SPDX-License-Identifier: MIT
#include "common/base/rng.hpp"

#include <array>

#include <gtest/gtest.h>

namespace adit {
namespace {

TEST(SeededRng, gives_the_published_splitmix64_stream) {
  // First outputs of the reference splitmix64.c for seed 1234567.
  SeededRng rng(1234567);
  EXPECT_EQ(rng.next(), 6457827717110365317u);
  EXPECT_EQ(rng.next(), 3203168211198807973u);
  EXPECT_EQ(rng.next(), 9817491932198370423u);
}

TEST(SeededRng, below_stays_below_and_reaches_every_value) {
  SeededRng rng(7);
  std::array<int, 5> seen{};
  for (int i = 0; i < 1000; ++i) ++seen.at(rng.below(5));
  for (const int count : seen) EXPECT_GT(count, 100);
}

TEST(OsRng, two_draws_differ) {
  OsRng rng;
  std::array<std::uint8_t, 32> a{};
  std::array<std::uint8_t, 32> b{};
  rng.fill(a);
  rng.fill(b);
  EXPECT_NE(a, b);
}

}  // namespace
}  // namespace adit
