// SPDX-License-Identifier: MIT
#include "validator/score/weighting.hpp"

#include <gtest/gtest.h>

namespace adit::validator {
namespace {

HotkeyScore score(std::uint8_t hotkey, std::uint64_t value, std::vector<std::uint64_t> values = {}) {
  HotkeyScore out;
  out.hotkey = {hotkey};
  out.score = value;
  out.values = std::move(values);
  return out;
}

const std::vector<PlannedMiner> kMiners = {{4, {1}}, {2, {2}}, {9, {3}}};

TEST(Weighting, is_proportional_and_names_zeros) {
  const auto weights = make_weights({}, {score(1, 50), score(2, 100), score(3, 0)}, kMiners, {});
  EXPECT_EQ(weights.uids, (std::vector<Uid>{2, 4, 9}));
  EXPECT_EQ(weights.values, (std::vector<std::uint16_t>{65535, 32768, 0}));
}

TEST(Weighting, leaves_zeros_out_when_the_charter_says_so) {
  const auto weights = make_weights({.explicit_zeros = false}, {score(1, 7)}, kMiners, {});
  EXPECT_EQ(weights.uids, (std::vector<Uid>{4}));
}

TEST(Weighting, all_zero_pays_nobody) {
  EXPECT_TRUE(make_weights({}, {score(1, 0)}, kMiners, {}).uids.empty());
  EXPECT_TRUE(make_weights({}, {}, kMiners, {}).uids.empty());
}

TEST(Weighting, a_hotkey_that_left_gets_nothing) {
  const auto weights = make_weights({}, {score(1, 10), score(77, 1000)}, kMiners, {});
  EXPECT_EQ(weights.values, (std::vector<std::uint16_t>{0, 65535, 0}));
}

TEST(Weighting, burns_its_share) {
  const auto half = make_weights({.burn = 32768, .burn_uid = 0}, {score(1, 100)}, kMiners, {});
  EXPECT_EQ(half.uids, (std::vector<Uid>{0, 2, 4, 9}));
  EXPECT_EQ(half.values, (std::vector<std::uint16_t>{65535, 0, 65535, 0}));
  const auto all = make_weights({.burn = 65536, .burn_uid = 0}, {score(1, 100)}, kMiners, {});
  EXPECT_EQ(all.values, (std::vector<std::uint16_t>{65535, 0, 0, 0}));
  const auto nobody = make_weights({.burn = 6553, .burn_uid = 0}, {}, kMiners, {});
  EXPECT_EQ(nobody.values, (std::vector<std::uint16_t>{65535, 0, 0, 0}));
}

TEST(Weighting, the_incumbent_keeps_the_crown_inside_the_noise) {
  const WeightRules rules{.rule = WeightRule::kWinnerMargin, .margin_sigma_milli = 3000};
  const HotkeyScore holder = score(1, 100, {90, 110, 95, 105});
  const HotkeyScore close = score(2, 104, {94, 114, 99, 109});
  const HotkeyScore far = score(2, 200, {190, 210, 195, 205});
  EXPECT_EQ(make_weights(rules, {holder, close}, kMiners, AccountId{1}).values,
            (std::vector<std::uint16_t>{0, 65535, 0}));
  EXPECT_EQ(make_weights(rules, {holder, far}, kMiners, AccountId{1}).values,
            (std::vector<std::uint16_t>{65535, 0, 0}));
  EXPECT_EQ(make_weights(rules, {holder, close}, kMiners, {}).values,
            (std::vector<std::uint16_t>{65535, 0, 0}));
}

TEST(Weighting, one_answer_never_dethrones) {
  EXPECT_FALSE(beats(score(2, 9, {1000}), score(1, 1, {10, 12, 11}), 3000));
}

TEST(Weighting, the_winner_of_a_vector_is_the_hotkey_it_pays_most) {
  EXPECT_EQ(winner_of({{2, 4}, {0, 65535}}, kMiners), AccountId{1});
  EXPECT_EQ(winner_of({}, kMiners), std::nullopt);
}

}  // namespace
}  // namespace adit::validator
