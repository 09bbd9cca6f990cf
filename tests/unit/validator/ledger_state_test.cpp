// SPDX-License-Identifier: MIT
#include "validator/replay/ledger_state.hpp"

#include <gtest/gtest.h>

#include "validator/step/secrets.hpp"

namespace adit::validator {
namespace {

using protocol::Verdict;

const AccountId kOne{1};
const AccountId kTwo{2};

PlanRow plan(std::uint64_t step, const Hash256& secret, const Hash256& revealed = {}) {
  PlanRow row{.step = step};
  row.secret_commitment = commitment_of(secret);
  row.revealed_secret = revealed;
  row.miners = {{3, kOne}, {5, kTwo}};
  return row;
}

// Builds rows and applies them, numbering as a ledger would.
class Story {
 public:
  template <class Body>
  Result<void> tell(const Body& body) {
    NewRow row = encode_row(body);
    return state.apply({++seq_, row.kind, std::move(row.body), {}});
  }
  LedgerState state{Rules{}};

 private:
  std::uint64_t seq_ = 0;
};

JudgedRow judged(std::uint64_t slot, const AccountId& hotkey, Verdict verdict) {
  return {.step = 1, .slot = slot, .uid = static_cast<Uid>(hotkey == kOne ? 3 : 5), .hotkey = hotkey,
          .verdict = verdict, .tokens = 10, .latency_ms = 30'000};
}

void ask_both(Story& story) {
  ASSERT_TRUE(story.tell(plan(1, Hash256{7})));
  ASSERT_TRUE(story.tell(AskedRow{.step = 1, .slot = 0, .uid = 3, .hotkey = kOne}));
  ASSERT_TRUE(story.tell(AskedRow{.step = 1, .slot = 1, .uid = 5, .hotkey = kTwo}));
}

TEST(LedgerState, a_whole_step_gives_the_vector_that_replay_expects) {
  Story story;
  ask_both(story);
  ASSERT_TRUE(story.tell(judged(0, kOne, Verdict::kExact)));
  ASSERT_TRUE(story.tell(judged(1, kTwo, Verdict::kTokenMismatch)));
  const WeightVector weights = story.state.weights_now();
  EXPECT_EQ(weights.uids, (std::vector<Uid>{3, 5}));
  EXPECT_EQ(weights.values, (std::vector<std::uint16_t>{65535, 0}));
  ASSERT_TRUE(story.tell(WeightsRow{.step = 1, .uids = weights.uids, .values = weights.values}));
  EXPECT_FALSE(story.state.submitted());
  ASSERT_TRUE(story.tell(SubmittedRow{.step = 1, .success = true}));
  EXPECT_EQ(story.state.landed()->values, weights.values);
  EXPECT_EQ(story.state.vectors_checked(), 1u);
}

TEST(LedgerState, a_vector_that_the_rows_do_not_give_is_found) {
  Story story;
  ask_both(story);
  ASSERT_TRUE(story.tell(judged(0, kOne, Verdict::kExact)));
  const auto told = story.tell(WeightsRow{.step = 1, .uids = {3, 5}, .values = {0, 65535}});
  ASSERT_FALSE(told);
  EXPECT_EQ(told.error().code, ErrorCode::kDataLoss);
  EXPECT_NE(told.error().message.find("not the one that the rows before give"), std::string::npos);
}

TEST(LedgerState, contradicting_rows_are_refused_by_name) {
  Story story;
  EXPECT_FALSE(story.tell(AskedRow{.step = 1}));
  ask_both(story);
  EXPECT_FALSE(story.tell(AskedRow{.step = 1, .slot = 5}));
  EXPECT_FALSE(story.tell(judged(9, kOne, Verdict::kExact)));
  EXPECT_FALSE(story.tell(judged(1, kOne, Verdict::kExact)));
  ASSERT_TRUE(story.tell(judged(0, kOne, Verdict::kExact)));
  EXPECT_NE(story.tell(judged(0, kOne, Verdict::kExact)).error().message.find("judged twice"),
            std::string::npos);
  EXPECT_FALSE(story.tell(plan(1, Hash256{8})));
  EXPECT_FALSE(story.tell(SubmittedRow{.step = 1}));
}

TEST(LedgerState, a_revealed_secret_must_be_the_committed_one) {
  Story good;
  ASSERT_TRUE(good.tell(plan(1, Hash256{7})));
  EXPECT_TRUE(good.tell(plan(2, Hash256{8}, Hash256{7})));
  Story bad;
  ASSERT_TRUE(bad.tell(plan(1, Hash256{7})));
  EXPECT_FALSE(bad.tell(plan(2, Hash256{8}, Hash256{9})));
}

TEST(LedgerState, a_failed_submission_may_be_followed_by_another) {
  Story story;
  ask_both(story);
  ASSERT_TRUE(story.tell(judged(0, kOne, Verdict::kExact)));
  const WeightVector w = story.state.weights_now();
  ASSERT_TRUE(story.tell(WeightsRow{.step = 1, .uids = w.uids, .values = w.values}));
  EXPECT_FALSE(story.tell(WeightsRow{.step = 1, .uids = w.uids, .values = w.values}));
  ASSERT_TRUE(story.tell(SubmittedRow{.step = 1, .success = false, .error = "x"}));
  EXPECT_TRUE(story.tell(WeightsRow{.step = 1, .uids = w.uids, .values = w.values}));
  EXPECT_FALSE(story.state.landed());
}

}  // namespace
}  // namespace adit::validator
