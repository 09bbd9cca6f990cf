// SPDX-License-Identifier: MIT
#include "validator/score/scoreboard.hpp"

#include <gtest/gtest.h>

namespace adit::validator {
namespace {

using protocol::Verdict;

constexpr ScoreRules kRules{.exact = 10,
                            .correct = 20,
                            .speed_bonus_max = 8,
                            .cap_tokens = 100,
                            .window_steps = 2,
                            .deadline_ms = 1000};

JudgedRow answer(std::uint64_t step, std::uint8_t hotkey, Verdict verdict, std::uint64_t tokens = 10,
                 std::uint64_t latency_ms = 1000) {
  return {.step = step, .hotkey = {hotkey}, .verdict = verdict, .tokens = tokens, .latency_ms = latency_ms};
}

const HotkeyScore& of(const std::vector<HotkeyScore>& scores, std::uint8_t hotkey) {
  for (const HotkeyScore& score : scores) {
    if (score.hotkey == AccountId{hotkey}) return score;
  }
  throw std::runtime_error("no such hotkey");
}

TEST(Scoreboard, pays_exact_right_and_fast_answers_by_the_formula) {
  Scoreboard board(kRules);
  board.apply(answer(1, 1, Verdict::kExact, 10, 500));     // 10 + 20 + 4 = 34, times 10
  board.apply(answer(1, 1, Verdict::kWrongAnswer, 6, 0));  // 10, times 6: no bonus for a wrong answer
  const auto scores = board.scores(1);
  EXPECT_EQ(of(scores, 1).score, (340u + 60u) / 2);
  EXPECT_EQ(of(scores, 1).correct, 1u);
  EXPECT_EQ(of(scores, 1).tokens, 16u);
}

TEST(Scoreboard, silence_and_refusals_weigh_in_the_same_mean) {
  Scoreboard board(kRules);
  board.apply(answer(1, 1, Verdict::kWrongAnswer));
  board.apply(answer(1, 2, Verdict::kWrongAnswer));
  board.apply(answer(1, 2, Verdict::kNoReply, 0));
  const auto scores = board.scores(1);
  EXPECT_EQ(of(scores, 1).score, 100u);
  EXPECT_EQ(of(scores, 2).score, 50u);
}

TEST(Scoreboard, a_proved_mismatch_zeroes_the_window_and_then_is_forgotten) {
  Scoreboard board(kRules);
  board.apply(answer(1, 1, Verdict::kTokenMismatch));
  board.apply(answer(2, 1, Verdict::kWrongAnswer));
  EXPECT_TRUE(of(board.scores(2), 1).zeroed);
  EXPECT_EQ(of(board.scores(2), 1).score, 0u);
  board.apply(answer(3, 1, Verdict::kWrongAnswer));
  EXPECT_FALSE(of(board.scores(3), 1).zeroed);
  EXPECT_EQ(of(board.scores(3), 1).score, 100u);
}

TEST(Scoreboard, tokens_above_the_cap_pay_no_more) {
  Scoreboard board(kRules);
  board.apply(answer(1, 1, Verdict::kWrongAnswer, 100));
  board.apply(answer(1, 2, Verdict::kWrongAnswer, 400));
  EXPECT_EQ(of(board.scores(1), 1).score, of(board.scores(1), 2).score);
}

TEST(Scoreboard, a_step_in_which_nobody_replied_counts_for_nobody) {
  Scoreboard board(kRules);
  board.apply(answer(1, 1, Verdict::kWrongAnswer));
  board.apply(answer(2, 1, Verdict::kNoReply, 0));
  board.apply(answer(2, 2, Verdict::kNoReply, 0));
  const auto scores = board.scores(2);
  EXPECT_EQ(of(scores, 1).score, 100u);
  EXPECT_EQ(scores.size(), 1u);
}

TEST(Scoreboard, steps_before_the_window_and_after_the_asked_one_do_not_count) {
  Scoreboard board(kRules);
  board.apply(answer(1, 1, Verdict::kWrongAnswer));
  board.apply(answer(5, 2, Verdict::kWrongAnswer));
  EXPECT_TRUE(board.scores(1).empty());
  EXPECT_EQ(board.scores(6).size(), 1u);
  EXPECT_TRUE(board.scores(7).empty());
}

}  // namespace
}  // namespace adit::validator
