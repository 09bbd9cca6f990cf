// SPDX-License-Identifier: MIT
// common/model/unicode_classes.hpp
//
// The classes of code points that word splitting asks for, and UTF-8 with replacement.
//
// Out      class_of: frozen at Unicode 16.0, so that ids do not depend on an installed library.
//          decode_utf8: a code point for each well-formed sequence, U+FFFD for each maximal ill-formed part.
// Threads  pure.
// Source   Unicode 16.0 general categories L, N, M, P, S and White_Space; Unicode 16.0 chapter 3, table 3-7
// Tests    tests/unit/common/model/unicode_classes_test.cpp
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

namespace adit::model {

// kOther: controls, formats, private and unassigned ones that are not White_Space.
enum class CodeClass : std::uint8_t { kOther, kLetter, kNumber, kSpace, kMark, kPunctuation, kSymbol };
[[nodiscard]] CodeClass class_of(char32_t code);

struct CodeRange {
  std::uint32_t first;
  std::uint32_t last;
};
extern const std::array<CodeRange, 677> kLetterRanges;
extern const std::array<CodeRange, 144> kNumberRanges;
extern const std::array<CodeRange, 72> kOtherNumberRanges;  // No, of the numbers
extern const std::array<CodeRange, 321> kMarkRanges;
extern const std::array<CodeRange, 198> kPunctuationRanges;
extern const std::array<CodeRange, 236> kSymbolRanges;

// One step of decoding: what stands at the beginning of `bytes` (not empty).
struct Utf8Step {
  enum class Kind : std::uint8_t {
    kCode,       // a well-formed sequence of `length` bytes
    kIllFormed,  // `length` bytes that can never become a character
    kUnfinished  // all bytes that are left are the beginning of a character
  };
  Kind kind;
  std::uint8_t length;
  char32_t code;
};
[[nodiscard]] Utf8Step decode_utf8(std::string_view bytes);
void append_utf8(char32_t code, std::string& out);

// `bytes` with every ill-formed or unfinished part replaced by U+FFFD.
[[nodiscard]] std::string to_valid_utf8(std::string_view bytes);
[[nodiscard]] bool is_valid_utf8(std::string_view bytes);

}  // namespace adit::model
