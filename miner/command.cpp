// SPDX-License-Identifier: MIT
#include "miner/command.hpp"

#include <fmt/core.h>

#include <cstdio>
#include <string>

namespace adit::miner {

int fail(const Error& error, int exit_code) {
  std::string text = error.message;
  while (!text.empty() && text.back() == '\n') text.pop_back();
  for (char& c : text) c = c == '\n' ? ' ' : c;
  fmt::print(stderr, "adit-miner: {}\n", text);
  return exit_code;
}

}  // namespace adit::miner
