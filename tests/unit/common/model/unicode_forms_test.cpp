// SPDX-License-Identifier: MIT
// Against PyPI tokenizers, for every code point and for rows of marks (tests/conformance/tokenizer_hub.py, forms).
#include "common/model/unicode_forms.hpp"

#include <array>

#include <gtest/gtest.h>

#include "common/model/added_tokens.hpp"
#include "tests/support/hub_vectors.hpp"

namespace adit::model {
namespace {

template <class Act>
void each_code(Act act) {
  std::string one;
  for (char32_t code = 0; code < 0x110000; ++code) {
    if (code >= 0xd800 && code < 0xe000) continue;
    one.clear();
    append_utf8(code, one);
    act(one);
  }
}

std::string digest(const std::string& text) {
  return to_hex(crypto::sha256(as_bytes(text)));
}

TEST(UnicodeForms, examples) {
  EXPECT_EQ(nfc("e\u0301"), "\u00e9");
  EXPECT_EQ(nfc("\u212b \u2126 \u1100\u1161\u11a8"), "\u00c5 \u03a9 \uac01");
  EXPECT_EQ(nfc("a\u0323\u0302 a\u0302\u0323"), "\u1ead \u1ead");
  EXPECT_EQ(nfc("\u0344"), "\u0308\u0301");
  EXPECT_EQ(nfc("plain"), "plain");
  EXPECT_EQ(lower_case("\u00c5\u0130\u03a3A\u1e9e"), "\u00e5i\u0307\u03c3a\u00df");
}

TEST(UnicodeForms, every_code_point) {
  const auto wanted = test::hub_vectors().at("forms");
  std::string composed;
  std::string lower;
  each_code([&](const std::string& one) {
    composed += nfc(one) + "\n";
    lower += lower_case(one) + "\n";
  });
  EXPECT_EQ(digest(composed), wanted.at("nfc"));
  EXPECT_EQ(digest(lower), wanted.at("lower"));
}

TEST(UnicodeForms, marks_in_a_row) {
  constexpr std::array<std::array<std::uint32_t, 2>, 15> kMarked{{{0x41, 0x17f},
                                                                  {0x300, 0x36f},
                                                                  {0x340, 0x345},
                                                                  {0x590, 0x5c7},
                                                                  {0x610, 0x670},
                                                                  {0x930, 0xdff},
                                                                  {0xf71, 0xf87},
                                                                  {0x1100, 0x11ff},
                                                                  {0x1ab0, 0x1aff},
                                                                  {0x1e00, 0x1fff},
                                                                  {0x3040, 0x309f},
                                                                  {0xac00, 0xd7a3},
                                                                  {0xf900, 0xfaff},
                                                                  {0xfb1d, 0xfb4e},
                                                                  {0x1d15e, 0x1d1ad}}};
  test::SeededNumbers numbers(77);
  std::string all;
  for (int i = 0; i < 40'000; ++i) {
    std::string row;
    for (std::uint32_t left = 1 + numbers.below(6); left > 0; --left) {
      const auto& range = kMarked[numbers.below(kMarked.size())];
      append_utf8(range[0] + numbers.below(range[1] - range[0] + 1), row);
    }
    const std::string composed = nfc(row);
    EXPECT_EQ(nfc(composed), composed);
    all += composed + "\n";
  }
  EXPECT_EQ(digest(all), test::hub_vectors().at("forms").at("marks"));
}

TEST(AddedTokens, single_words_end_where_the_reference_says) {
  AddedTokens added;
  added.add("Q1", 7, AddedFlags{true, false, false, false}, false);
  std::string bits;
  std::vector<AddedTokens::Piece> pieces;
  each_code([&](const std::string& one) {
    pieces.clear();
    const std::string text = one + "Q1";
    added.split(text, false, true, pieces);
    bits.push_back(pieces.back().id == 7 ? 0 : 1);
  });
  EXPECT_EQ(digest(bits), test::hub_vectors().at("forms").at("word"));
}

}  // namespace
}  // namespace adit::model
