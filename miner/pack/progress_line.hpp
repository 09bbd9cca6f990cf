// SPDX-License-Identifier: MIT
// miner/pack/progress_line.hpp
//
// A share of work done, on stderr: one line that is overwritten on a terminal, a line each 25 % elsewhere.
//
// Threads  one.
#pragma once

#include <string>
#include <string_view>

namespace adit::miner {

class ProgressLine {
 public:
  explicit ProgressLine(std::string title);
  ~ProgressLine();
  ProgressLine(const ProgressLine&) = delete;
  ProgressLine& operator=(const ProgressLine&) = delete;
  // done: 0..1.
  void show(double done, std::string_view what = {});

 private:
  std::string title_;
  bool terminal_;
  int last_ = -1;
};

}  // namespace adit::miner
