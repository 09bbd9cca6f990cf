// SPDX-License-Identifier: MIT
// common/answers/extraction.hpp
//
// Finds the answer in a generated text and compares it: one rule for all tasks, right or wrong, nothing
// between.
//
// Boxed    the text after the last </think> (an open <think> without its end: no answer); the last balanced
//          \boxed{…}, else the last <answer>…</answer>; two boxed answers that differ or cannot
//          be read: none.
// Lenient  the last integer, the last word, or the last words (as many as the answer has).
// Then     lower case, blanks and final punctuation dropped; integers without leading zeros.
// Threads  pure.
// Source   design "Tasks"
// Tests    tests/unit/common/answers/extraction_test.cpp, tests/fuzz/extraction_fuzz.cpp
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace adit::answers {

enum class AnswerType : std::uint8_t { kInteger, kWord, kWords };

// How a charter looks for answers.
enum class Extraction : std::uint8_t { kBoxed, kLenient };

// The canonical form of the answer in `text`; none if there is no answer of that type. `words` is the number
// of words of a kWords answer.
[[nodiscard]] std::optional<std::string> extract_answer(std::string_view text, Extraction rule,
                                                        AnswerType type, std::size_t words = 1);
[[nodiscard]] bool is_right(std::string_view text, Extraction rule, AnswerType type, std::string_view answer);

}  // namespace adit::answers
