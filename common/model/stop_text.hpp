// SPDX-License-Identifier: MIT
// common/model/stop_text.hpp
//
// Stop strings over text that grows piece by piece: what may be the beginning of one is held back.
//
// In       stops: non-empty texts; pieces of any length, a stop may span them.
// Out      push: the text that is certainly in front of every stop. The first stop to be complete ends it (of
//          several that end at one byte, the longest): the text in front of it is given, nothing after it.
//          finish: what was held back when no stop came. All outputs joined do not depend on how the text was
//          cut into pieces.
// Units    O(1) amortised a byte and stop.
// Errors   make: kInvalidArgument naming the stop: none may be empty or longer than kStopBytesMax, at most
//          kStopTextsMax.
// Threads  one thread per object.
// Tests    tests/unit/common/model/stop_text_test.cpp
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/result.hpp"

namespace adit::model {

inline constexpr std::size_t kStopTextsMax = 4;
inline constexpr std::size_t kStopBytesMax = 1024;

class StopText {
 public:
  [[nodiscard]] static Result<StopText> make(std::vector<std::string> stops);

  [[nodiscard]] std::string push(std::string_view piece);
  [[nodiscard]] std::string finish();
  [[nodiscard]] bool stopped() const { return stopped_; }

 private:
  // Knuth, Morris and Pratt's automaton: matched bytes, and for each length the next shorter border.
  struct Pattern {
    std::string text;
    std::vector<std::size_t> border;
    std::size_t matched = 0;
    void step(char byte);
  };
  std::vector<Pattern> patterns_;
  std::string held_;
  bool stopped_ = false;
};

}  // namespace adit::model
