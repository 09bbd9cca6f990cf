// SPDX-License-Identifier: MIT
#include "common/answers/extraction.hpp"

#include <gtest/gtest.h>

namespace adit::answers {
namespace {

std::string boxed(std::string_view text, AnswerType type = AnswerType::kInteger, std::size_t words = 1) {
  return extract_answer(text, Extraction::kBoxed, type, words).value_or("none");
}

std::string lenient(std::string_view text, AnswerType type = AnswerType::kInteger, std::size_t words = 1) {
  return extract_answer(text, Extraction::kLenient, type, words).value_or("none");
}

TEST(Extraction, boxed_reads_the_box_after_the_thinking) {
  EXPECT_EQ(boxed("<think>maybe \\boxed{7}</think> so \\boxed{42}."), "42");
  EXPECT_EQ(boxed("\\boxed{ 1,234 }"), "1234");
  EXPECT_EQ(boxed("\\boxed{-007}"), "-7");
  EXPECT_EQ(boxed("\\boxed{\\text{no}}"), "none");
  EXPECT_EQ(boxed("<answer>12</answer>"), "12");
  EXPECT_EQ(boxed("<answer>1</answer> <answer>Paris.</answer>", AnswerType::kWord), "paris");
}

TEST(Extraction, boxed_gives_no_answer_where_the_rule_says_so) {
  EXPECT_EQ(boxed("<think>still thinking \\boxed{7}"), "none");
  EXPECT_EQ(boxed("\\boxed{7} or \\boxed{8}"), "none");
  EXPECT_EQ(boxed("\\boxed{7} and again \\boxed{7}"), "7");
  EXPECT_EQ(boxed("\\boxed{5 or 6}"), "none");
  EXPECT_EQ(boxed("\\boxed{7"), "none");
  // One box that cannot be read spoils the others: nobody hedges.
  EXPECT_EQ(boxed("\\boxed{7} or \\boxed{8 or 9}"), "none");
  EXPECT_EQ(boxed("\\boxed{8 or 9} so \\boxed{7}"), "none");
  EXPECT_EQ(boxed("\\boxed{x} <answer>7</answer>"), "none");
  EXPECT_EQ(boxed("\\boxed{\\boxed{7}}"), "7");
  EXPECT_EQ(boxed("{\\boxed{7} and \\frac{1}{2}"), "7");
  EXPECT_EQ(boxed("7"), "none");
  EXPECT_EQ(boxed(""), "none");
}

TEST(Extraction, boxed_takes_linear_time) {
  std::string text;
  for (int i = 0; i < 200'000; ++i) text += "\\boxed{";
  EXPECT_EQ(boxed(text), "none");
  EXPECT_EQ(boxed(text + "5" + std::string(200'000, '}')), "5");
}

TEST(Extraction, lenient_takes_the_last_of_its_type) {
  EXPECT_EQ(lenient("3 + 4 = 7."), "7");
  EXPECT_EQ(lenient("It is -12"), "-12");
  EXPECT_EQ(lenient("10-3"), "3");
  EXPECT_EQ(lenient("1,000,000 people"), "1000000");
  EXPECT_EQ(lenient("1,2"), "2");
  EXPECT_EQ(lenient("-0"), "0");
  EXPECT_EQ(lenient("no number"), "none");
  EXPECT_EQ(lenient("The capital is Paris.", AnswerType::kWord), "paris");
  EXPECT_EQ(lenient("Sure: apple, River!", AnswerType::kWords, 2), "apple river");
  EXPECT_EQ(lenient("apple", AnswerType::kWords, 2), "none");
  EXPECT_EQ(lenient("...", AnswerType::kWord), "none");
}

TEST(Extraction, compares_as_many_words_as_the_answer_has) {
  EXPECT_TRUE(
      is_right("Here: Apple river stone", Extraction::kLenient, AnswerType::kWords, "apple river stone"));
  EXPECT_FALSE(is_right("river stone apple", Extraction::kLenient, AnswerType::kWords, "apple river stone"));
  EXPECT_TRUE(is_right("\\boxed{apple river}", Extraction::kBoxed, AnswerType::kWords, "apple river"));
}

}  // namespace
}  // namespace adit::answers
