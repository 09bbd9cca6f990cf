// SPDX-License-Identifier: MIT
#include "common/model/unicode_classes.hpp"

#include <gtest/gtest.h>

namespace adit::model {
namespace {

TEST(UnicodeClasses, tables_are_sorted_and_apart) {
  const auto check = [](const auto& ranges) {
    for (std::size_t i = 0; i < ranges.size(); ++i) {
      EXPECT_LE(ranges[i].first, ranges[i].last);
      EXPECT_TRUE(i == 0 || ranges[i].first > ranges[i - 1].last + 1) << i;
    }
  };
  check(kLetterRanges);
  check(kNumberRanges);
  check(kMarkRanges);
  check(kPunctuationRanges);
  check(kSymbolRanges);
  std::size_t letters = 0;
  for (char32_t code = 0; code < 0x110000; ++code) letters += class_of(code) == CodeClass::kLetter ? 1 : 0;
  // DerivedGeneralCategory-16.0.0.txt: the totals of Lu, Ll, Lt, Lm and Lo.
  EXPECT_EQ(letters, 141'028u);
}

TEST(UnicodeClasses, examples) {
  EXPECT_EQ(class_of(U'a'), CodeClass::kLetter);
  EXPECT_EQ(class_of(U'_'), CodeClass::kPunctuation);
  EXPECT_EQ(class_of(U'@'), CodeClass::kPunctuation);
  EXPECT_EQ(class_of(U'['), CodeClass::kPunctuation);
  EXPECT_EQ(class_of(U'\u4e00'), CodeClass::kLetter);
  EXPECT_EQ(class_of(U'\u0663'), CodeClass::kNumber);
  EXPECT_EQ(class_of(U'\u2163'), CodeClass::kNumber);
  EXPECT_EQ(class_of(U'\u0085'), CodeClass::kSpace);
  EXPECT_EQ(class_of(U'$'), CodeClass::kSymbol);
  EXPECT_EQ(class_of(U'\U0001f600'), CodeClass::kSymbol);
  EXPECT_EQ(class_of(U'\U00020000'), CodeClass::kLetter);
  EXPECT_EQ(class_of(U'\u200b'), CodeClass::kOther);
  EXPECT_EQ(class_of(U'\u0301'), CodeClass::kMark);
}

// The examples of Unicode 16.0, chapter 3, tables 3-8 to 3-11 (maximal ill-formed parts).
TEST(Utf8, replaces_each_maximal_part_once) {
  const std::string r = "\xef\xbf\xbd";
  EXPECT_EQ(to_valid_utf8("\xc0\xaf\xe0\x80\xbf\xf0\x81\x82\x41"), r + r + r + r + r + r + r + r + "A");
  EXPECT_EQ(to_valid_utf8("\xed\xa0\x80\xed\xbf\xbf\xed\xaf\x41"), r + r + r + r + r + r + r + r + "A");
  EXPECT_EQ(to_valid_utf8("\xf4\x91\x92\x93\xff\x41\x80\xbf\x42"), r + r + r + r + r + "A" + r + r + "B");
  EXPECT_EQ(to_valid_utf8("\xe1\x80\xe2\xf0\x91\x92\xf1\xbf\x41"), r + r + r + r + "A");
  EXPECT_TRUE(is_valid_utf8("\xf4\x8f\xbf\xbf\xed\x9f\xbf\xc2\x80"));
  EXPECT_FALSE(is_valid_utf8("\xf0\x9f\x98"));
}

}  // namespace
}  // namespace adit::model
