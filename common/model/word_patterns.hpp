// SPDX-License-Identifier: MIT
// common/model/word_patterns.hpp
//
// The known patterns, matched by hand in one pass; only the word splitter includes this.
//
// In       a piece of a classified text.
// Out      ends of pieces: matches and what lies between them, as behaviour Isolated gives them.
// Threads  pure.
// Tests    tests/unit/common/model/word_splitter_test.cpp
#pragma once

#include <array>
#include <cstdint>
#include <string_view>
#include <vector>

#include "common/model/tokenizer_parts.hpp"
#include "common/model/unicode_classes.hpp"

namespace adit::model {

// A code point, its class and the byte where it ends.
struct Code {
  char32_t value;
  CodeClass kind;
  std::uint32_t end;
};

// [begin, end) of a text's code points; nothing beyond is seen.
class Stretch {
 public:
  Stretch(const std::vector<Code>& codes, std::size_t begin, std::size_t end)
      : codes_(codes.data()), begin_(begin), end_(end) {}
  [[nodiscard]] std::size_t begin() const { return begin_; }
  [[nodiscard]] std::size_t end() const { return end_; }
  [[nodiscard]] char32_t code(std::size_t i) const { return codes_[i].value; }
  [[nodiscard]] CodeClass kind(std::size_t i) const { return codes_[i].kind; }
  [[nodiscard]] bool has(std::size_t i, char32_t value) const { return i < end_ && codes_[i].value == value; }
  [[nodiscard]] bool is(std::size_t i, CodeClass kind) const { return i < end_ && codes_[i].kind == kind; }
  [[nodiscard]] bool is_line(std::size_t i) const { return has(i, '\n') || has(i, '\r'); }
  template <class Accept>
  [[nodiscard]] std::size_t run(std::size_t i, Accept accept) const {
    while (i < end_ && accept(codes_[i])) ++i;
    return i;
  }

 private:
  const Code* codes_;
  std::size_t begin_;
  std::size_t end_;
};

// `match` gives the end of a match that begins at a position, or the position itself.
template <class Match>
void cut_runs(const Stretch& piece, Match match, std::vector<std::size_t>& ends) {
  bool gap = false;
  std::size_t at = piece.begin();
  while (at < piece.end()) {
    const std::size_t to = match(at);
    if (to == at) {
      gap = true;
      ++at;
      continue;
    }
    if (gap) ends.push_back(at);
    gap = false;
    ends.push_back(to);
    at = to;
  }
  if (gap) ends.push_back(at);
}

extern const std::array<CodeRange, 87> kAlphabetRanges;
extern const std::string_view kAlphabetPattern;

void cut_piece(Cut pattern, const Stretch& piece, std::vector<std::size_t>& ends);

}  // namespace adit::model
