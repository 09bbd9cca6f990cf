// SPDX-License-Identifier: MIT
#include "miner/progress/progress_line.hpp"

#include <gtest/gtest.h>

#include <array>
#include <memory>

namespace adit::miner {
namespace {

struct Close {
  void operator()(std::FILE* file) const { std::fclose(file); }
};

std::string written(const std::unique_ptr<std::FILE, Close>& file) {
  std::rewind(file.get());
  std::array<char, 4096> text{};
  return {text.data(), std::fread(text.data(), 1, text.size(), file.get())};
}

TEST(ProgressLine, writes_a_line_each_quarter_when_there_is_no_terminal) {
  const std::unique_ptr<std::FILE, Close> file(std::tmpfile());
  {
    ProgressLine line("packing", file.get(), false);
    for (int i = 0; i <= 100; ++i) line.show(i / 100.0, "ignored");
  }
  EXPECT_EQ("packing 0 %\npacking 25 %\npacking 50 %\npacking 75 %\npacking 100 %\n", written(file));
}

TEST(ProgressLine, overwrites_one_line_on_a_terminal_and_clears_it) {
  const std::unique_ptr<std::FILE, Close> file(std::tmpfile());
  {
    ProgressLine line("fetching", file.get(), true);
    line.show(0.5, "a");
    line.show(0.5, "a");
    line.show(0.5, "b");
    line.note("kept");
  }
  EXPECT_EQ("\r\033[Kfetching  50 %  a\r\033[Kfetching  50 %  b\r\033[Kkept\n", written(file));
}

}  // namespace
}  // namespace adit::miner
