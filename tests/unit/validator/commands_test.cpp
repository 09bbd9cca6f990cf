// SPDX-License-Identifier: MIT
#include <sstream>

#include <gtest/gtest.h>

#include "tests/support/temp_dir.hpp"
#include "validator/commands/explain.hpp"
#include "validator/commands/replay.hpp"
#include "validator/commands/summary.hpp"
#include "validator/step/secrets.hpp"

namespace adit::validator {
namespace {

using protocol::Verdict;

const AccountId kOne{1};
const AccountId kTwo{2};

Charter charter() {
  return parse_charter(
             "charter: {name: t, netuid: 1}\n"
             "model: {pack: 00000000000000000000000000000000000000000000000000000000000000ff}\n"
             "tasks: [{family: text.copy, levels: [1, 2]}]\n",
             "t.yaml")
      .value();
}

// A ledger of one finished step: an honest miner with uid 3, a cheat with uid 5.
class Commands : public ::testing::Test {
 protected:
  void SetUp() override {
    PlanRow plan{.step = 1, .charter = charter_hash(charter())};
    plan.secret_commitment = commitment_of({7});
    plan.miners = {{3, kOne}, {5, kTwo}};
    ASSERT_TRUE(ledger_.append({encode_row(plan),
                                encode_row(AskedRow{.step = 1, .slot = 0, .uid = 3, .hotkey = kOne}),
                                encode_row(AskedRow{.step = 1, .slot = 1, .uid = 5, .hotkey = kTwo})}));
    ASSERT_TRUE(ledger_.append({encode_row(JudgedRow{.step = 1,
                                                     .slot = 0,
                                                     .uid = 3,
                                                     .hotkey = kOne,
                                                     .verdict = Verdict::kExact,
                                                     .tokens = 10,
                                                     .latency_ms = 100}),
                                encode_row(JudgedRow{.step = 1,
                                                     .slot = 1,
                                                     .uid = 5,
                                                     .hotkey = kTwo,
                                                     .verdict = Verdict::kTokenMismatch,
                                                     .detail = "generated token 4"})}));
    ASSERT_TRUE(ledger_.append({encode_row(WeightsRow{.step = 1, .uids = {3, 5}, .values = {65535, 0}}),
                                encode_row(SubmittedRow{.step = 1, .success = true, .block = 20})}));
  }
  test::TempDir dir_;
  Ledger ledger_ = Ledger::open(dir_.path() / "l").value();
};

TEST_F(Commands, the_summary_counts_verdicts_and_shows_landed_weights) {
  const Summary summary = summarize(ledger_, charter().rules, nullptr).value();
  ASSERT_EQ(summary.miners.size(), 2u);
  EXPECT_EQ(summary.miners[0].uid, 3);
  EXPECT_EQ(summary.miners[0].weight, 65535);
  EXPECT_GT(summary.miners[0].score.score, 0u);
  EXPECT_EQ(summary.miners[1].weight, 0);
  EXPECT_TRUE(summary.miners[1].score.zeroed);
  EXPECT_EQ(summary.vectors_landed, 1u);
  EXPECT_NE(to_json(summary).find("\"kTokenMismatch\":1"), std::string::npos);
  std::ostringstream table;
  print_table(table, summary);
  EXPECT_NE(table.str().find("1x kTokenMismatch"), std::string::npos);
}

TEST_F(Commands, incentives_come_from_the_chain) {
  chain::Metagraph graph;
  graph.neurons.push_back({.uid = 3, .hotkey = kOne, .incentive = 777});
  const Summary summary = summarize(ledger_, charter().rules, &graph).value();
  EXPECT_EQ(summary.miners[0].incentive, 777);
  EXPECT_EQ(summary.miners[1].incentive, std::nullopt);
}

TEST_F(Commands, explain_says_why_and_what_to_do) {
  std::ostringstream good;
  ASSERT_TRUE(explain(good, ledger_, charter().rules, 3));
  EXPECT_NE(good.str().find("step 1 slot 0: kExact, 10 tokens in 100 ms"), std::string::npos);
  EXPECT_NE(good.str().find("weight on chain: 65535"), std::string::npos);
  std::ostringstream bad;
  ASSERT_TRUE(explain(bad, ledger_, charter().rules, 5));
  EXPECT_NE(bad.str().find("generated token 4"), std::string::npos);
  EXPECT_NE(bad.str().find("score 0: a proved mismatch"), std::string::npos);
  EXPECT_EQ(explain(bad, ledger_, charter().rules, 99).error().code, ErrorCode::kNotFound);
}

TEST_F(Commands, replay_recomputes_every_vector) {
  std::ostringstream out;
  const ReplayReport report = replay_ledger(out, ledger_, charter(), nullptr).value();
  EXPECT_EQ(report.vectors, 1u);
  EXPECT_FALSE(report.compared);
  EXPECT_NE(out.str().find("uid    3: 65535"), std::string::npos);
}

TEST_F(Commands, replay_refuses_another_charter) {
  Charter other = charter();
  other.max_tokens = 7;
  std::ostringstream out;
  EXPECT_EQ(replay_ledger(out, ledger_, other, nullptr).error().code, ErrorCode::kFailedPrecondition);
}

TEST_F(Commands, replay_finds_a_vector_that_the_rows_do_not_give) {
  ASSERT_TRUE(ledger_.append({encode_row(WeightsRow{.step = 1, .uids = {3, 5}, .values = {0, 65535}})}));
  std::ostringstream out;
  EXPECT_EQ(replay_ledger(out, ledger_, charter(), nullptr).error().code, ErrorCode::kDataLoss);
}

}  // namespace
}  // namespace adit::validator
