// SPDX-License-Identifier: MIT
// common/model/unicode_forms.hpp
//
// Normalization form C and lower case, as Hugging Face's tokenizers do them.
//
// In       well-formed UTF-8.
// Out      nfc: canonical composition by tables frozen at what the reference knows (Unicode 9's combining
//          classes and compositions; younger code points stand for themselves). lower_case: code point by code
//          point; U+0130 gives two.
// Threads  pure.
// Source   Unicode 16.0 chapter 3.11 and UAX #15; tables by make_unicode_forms.py
// Tests    tests/unit/common/model/unicode_forms_test.cpp
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

namespace adit::model {

struct CombiningRange {
  std::uint32_t first;
  std::uint32_t last;
  std::uint8_t combining_class;
};
// kDecompositions: code, its parts (second 0: one part). kCompositions: first part, second part, code.
struct CodePair {
  std::uint32_t a;
  std::uint32_t b;
  std::uint32_t c;
};
// first, first + step, … last, each plus change.
struct LowerRange {
  std::uint32_t first;
  std::uint32_t last;
  std::uint32_t step;
  std::int32_t change;
};
extern const std::array<CombiningRange, 333> kCombiningRanges;
extern const std::array<CodePair, 2060> kDecompositions;
extern const std::array<CodePair, 940> kCompositions;
extern const std::array<LowerRange, 185> kLowerRanges;

[[nodiscard]] std::string nfc(std::string_view text);
[[nodiscard]] std::string lower_case(std::string_view text);

}  // namespace adit::model
