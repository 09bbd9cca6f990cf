// SPDX-License-Identifier: MIT
#include "common/model/stop_text.hpp"

#include <algorithm>
#include <utility>

namespace adit::model {
namespace {

// border[l]: the longest proper prefix of the first l bytes that is also their suffix.
std::vector<std::size_t> borders_of(std::string_view text) {
  std::vector<std::size_t> border(text.size() + 1, 0);
  std::size_t k = 0;
  for (std::size_t i = 1; i < text.size(); ++i) {
    while (k > 0 && text[i] != text[k]) k = border[k];
    if (text[i] == text[k]) ++k;
    border[i + 1] = k;
  }
  return border;
}

}  // namespace

Result<StopText> StopText::make(std::vector<std::string> stops) {
  if (stops.size() > kStopTextsMax) {
    return invalid_argument("stop: {} texts, at most {} are accepted", stops.size(), kStopTextsMax);
  }
  StopText out;
  for (std::size_t i = 0; i < stops.size(); ++i) {
    if (stops[i].empty() || stops[i].size() > kStopBytesMax) {
      return invalid_argument("stop[{}]: {} bytes, expected 1 to {}", i, stops[i].size(), kStopBytesMax);
    }
    Pattern pattern{.text = std::move(stops[i]), .border = {}};
    pattern.border = borders_of(pattern.text);
    out.patterns_.push_back(std::move(pattern));
  }
  return out;
}

void StopText::Pattern::step(char byte) {
  while (matched > 0 && text[matched] != byte) matched = border[matched];
  if (text[matched] == byte) ++matched;
}

std::string StopText::push(std::string_view piece) {
  std::string out;
  if (stopped_) return out;
  if (patterns_.empty()) return std::string(piece);
  for (const char byte : piece) {
    held_ += byte;
    std::size_t complete = 0;
    std::size_t hold = 0;
    for (Pattern& pattern : patterns_) {
      pattern.step(byte);
      hold = std::max(hold, pattern.matched);
      if (pattern.matched == pattern.text.size()) complete = std::max(complete, pattern.matched);
    }
    if (complete > 0) {
      stopped_ = true;
      out.append(held_, 0, held_.size() - complete);
      held_.clear();
      return out;
    }
    out.append(held_, 0, held_.size() - hold);
    held_.erase(0, held_.size() - hold);
  }
  return out;
}

std::string StopText::finish() {
  if (stopped_) return {};
  return std::exchange(held_, {});
}

}  // namespace adit::model
