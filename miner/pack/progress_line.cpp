// SPDX-License-Identifier: MIT
#include "miner/pack/progress_line.hpp"

#include <unistd.h>

#include <cstdio>

#include <fmt/core.h>

namespace adit::miner {

ProgressLine::ProgressLine(std::string title)
    : title_(std::move(title)), terminal_(isatty(STDERR_FILENO) == 1) {}

ProgressLine::~ProgressLine() {
  if (terminal_ && last_ >= 0) fmt::print(stderr, "\r\033[K");
}

void ProgressLine::show(double done, std::string_view what) {
  const int percent = static_cast<int>(done * 100);
  if (terminal_) {
    if (percent != last_) fmt::print(stderr, "\r\033[K{} {:3d} %  {}", title_, percent, what);
    last_ = percent;
    std::fflush(stderr);
    return;
  }
  if (percent / 25 == last_) return;
  last_ = percent / 25;
  fmt::print(stderr, "{} {} %\n", title_, last_ * 25);
}

}  // namespace adit::miner
