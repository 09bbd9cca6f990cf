// SPDX-License-Identifier: MIT
#include "common/model/word_splitter.hpp"

#include <string>

#include <gtest/gtest.h>

namespace adit::model {
namespace {

using List = std::vector<std::string>;

List cut(std::string_view pre, std::string_view text) {
  Words words;
  split_words(find_pre(pre).value().steps.words, text, true, words);
  List out;
  std::size_t begin = 0;
  for (const std::size_t end : words.ends) {
    out.emplace_back(words.text.substr(begin, end - begin));
    begin = end;
  }
  EXPECT_EQ(begin, words.text.size());
  return out;
}

TEST(WordSplitter, follows_the_alternatives_in_their_order) {
  const auto split = [](std::string_view text) { return cut("gpt-2", text); };
  EXPECT_EQ(split("Hello world"), (List{"Hello", " world"}));
  EXPECT_EQ(split("it's we'll I'M"), (List{"it", "'s", " we", "'ll", " I", "'", "M"}));
  EXPECT_EQ(split("a  b"), (List{"a", " ", " b"}));
  EXPECT_EQ(split("a \n b"), (List{"a", " \n", " b"}));
  EXPECT_EQ(split("a\nb"), (List{"a", "\n", "b"}));
  EXPECT_EQ(split("end  "), (List{"end", "  "}));
  EXPECT_EQ(split("x 123!? y"), (List{"x", " 123", "!?", " y"}));
  EXPECT_EQ(split(""), List{});
}

TEST(WordSplitter, smollm_isolates_every_number) {
  const auto split = [](std::string_view text) { return cut("smollm", text); };
  EXPECT_EQ(split("a 123b"), (List{"a", " ", "1", "2", "3", "b"}));
  // Blanks before a digit stand at the end of their stretch, so they stay together.
  EXPECT_EQ(split("a  7 b"), (List{"a", "  ", "7", " b"}));
  EXPECT_EQ(split("\u0661\u00bdx"), (List{"\u0661", "\u00bd", "x"}));
}

TEST(WordSplitter, llama3_and_qwen2) {
  EXPECT_EQ(cut("llama-bpe", "I'M 12345 x"), (List{"I", "'M", " ", "123", "45", " x"}));
  EXPECT_EQ(cut("qwen2", "I'M 123"), (List{"I", "'M", " ", "1", "2", "3"}));
  EXPECT_EQ(cut("llama-bpe", "a'\u017f b"), (List{"a", "'\u017f", " b"}));
  EXPECT_EQ(cut("llama-bpe", "  \n\n  a!\n\nb"), (List{"  \n\n", " ", " a", "!\n\n", "b"}));
}

TEST(WordSplitter, names_and_patterns) {
  EXPECT_EQ(find_pre("bloom"), std::nullopt);
  for (int i = 0; i <= static_cast<int>(Cut::kPunctuation); ++i) {
    const Cut which = static_cast<Cut>(i);
    EXPECT_FALSE(pattern_of(which).empty());
    EXPECT_EQ(find_cut(pattern_of(which)), which);
  }
  EXPECT_EQ(find_cut("\\w+"), std::nullopt);
}

}  // namespace
}  // namespace adit::model
