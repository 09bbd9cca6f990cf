// SPDX-License-Identifier: MIT
#include "miner/progress/progress_line.hpp"

#include <algorithm>
#include <utility>

#include <fmt/core.h>
#include <unistd.h>

namespace adit::miner {

ProgressLine::ProgressLine(std::string title)
    : ProgressLine(std::move(title), stderr, isatty(STDERR_FILENO) == 1) {}

ProgressLine::ProgressLine(std::string title, std::FILE* out, bool is_terminal)
    : title_(std::move(title)), out_(out), terminal_(is_terminal) {}

ProgressLine::~ProgressLine() {
  clear();
}

void ProgressLine::clear() {
  if (drawn_) fmt::print(out_, "\r\033[K");
  drawn_ = false;
}

void ProgressLine::show(double done, std::string_view what) {
  const int percent = static_cast<int>(std::clamp(done, 0.0, 1.0) * 100);
  if (terminal_) {
    if (drawn_ && percent == last_ && what == what_) return;
    fmt::print(out_, "\r\033[K{} {:3d} %  {}", title_, percent, what);
    drawn_ = true;
    last_ = percent;
    what_ = what;
    std::fflush(out_);
    return;
  }
  if (percent / 25 == last_) return;
  last_ = percent / 25;
  fmt::print(out_, "{} {} %\n", title_, last_ * 25);
  std::fflush(out_);
}

void ProgressLine::note(std::string_view line) {
  clear();
  fmt::print(out_, "{}\n", line);
  std::fflush(out_);
}

}  // namespace adit::miner
