// SPDX-License-Identifier: MIT
// miner/progress/progress_line.hpp
//
// A share of work done, on stderr: one line that is overwritten on a terminal, a line each 25 % elsewhere.
//
// In       done: 0..1; what: a few words behind the percentage (a terminal shows them whenever they change).
//          note(): a whole line that stays.
// Threads  one.
// Tests    tests/unit/miner/progress/progress_line_test.cpp
#pragma once

#include <cstdio>
#include <string>
#include <string_view>

namespace adit::miner {

class ProgressLine {
 public:
  explicit ProgressLine(std::string title);
  // For tests: the stream, and whether it is a terminal.
  ProgressLine(std::string title, std::FILE* out, bool is_terminal);
  ~ProgressLine();
  ProgressLine(const ProgressLine&) = delete;
  ProgressLine& operator=(const ProgressLine&) = delete;
  void show(double done, std::string_view what = {});
  void note(std::string_view line);

 private:
  void clear();

  std::string title_;
  std::FILE* out_;
  bool terminal_;
  bool drawn_ = false;
  int last_ = -1;
  std::string what_;
};

}  // namespace adit::miner
