// SPDX-License-Identifier: MIT
#include "common/model/word_splitter.hpp"

#include <string>

#include <gtest/gtest.h>

namespace adit::model {
namespace {

using Words = std::vector<std::string_view>;

TEST(WordSplitter, follows_the_alternatives_in_their_order) {
  const auto split = [](std::string_view text) { return split_words(PreTokenizer::kGpt2, text); };
  EXPECT_EQ(split("Hello world"), (Words{"Hello", " world"}));
  EXPECT_EQ(split("it's we'll I'M"), (Words{"it", "'s", " we", "'ll", " I", "'", "M"}));
  EXPECT_EQ(split("a  b"), (Words{"a", " ", " b"}));
  EXPECT_EQ(split("a \n b"), (Words{"a", " \n", " b"}));
  EXPECT_EQ(split("a\nb"), (Words{"a", "\n", "b"}));
  EXPECT_EQ(split("end  "), (Words{"end", "  "}));
  EXPECT_EQ(split("x 123!? y"), (Words{"x", " 123", "!?", " y"}));
  EXPECT_EQ(split(""), Words{});
}

TEST(WordSplitter, smollm_isolates_every_number) {
  const auto split = [](std::string_view text) { return split_words(PreTokenizer::kSmollm, text); };
  EXPECT_EQ(split("a 123b"), (Words{"a", " ", "1", "2", "3", "b"}));
  // Blanks before a digit stand at the end of their stretch, so they stay together.
  EXPECT_EQ(split("a  7 b"), (Words{"a", "  ", "7", " b"}));
  EXPECT_EQ(split("\u0661\u00bdx"), (Words{"\u0661", "\u00bd", "x"}));
}

TEST(WordSplitter, names) {
  EXPECT_EQ(find_pre_tokenizer("smollm"), PreTokenizer::kSmollm);
  EXPECT_EQ(find_pre_tokenizer("gpt-2"), PreTokenizer::kGpt2);
  EXPECT_EQ(find_pre_tokenizer("llama-bpe"), std::nullopt);
}

}  // namespace
}  // namespace adit::model
