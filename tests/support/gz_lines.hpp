// SPDX-License-Identifier: MIT
// tests/support/gz_lines.hpp
//
// Reads the lines of a gzip file of tests/vectors. Throws (failing the test) when it cannot.
#pragma once

#include <stdexcept>
#include <string>
#include <vector>

#include <zlib.h>

namespace adit::test {

inline std::vector<std::string> gz_lines(const std::string& name) {
  const std::string path = std::string(ADIT_TEST_VECTORS) + "/" + name;
  gzFile file = gzopen(path.c_str(), "rb");
  if (file == nullptr) throw std::runtime_error(path + ": cannot be opened");
  std::string text;
  char block[1 << 15];
  int got = 0;
  while ((got = gzread(file, block, sizeof block)) > 0) text.append(block, static_cast<std::size_t>(got));
  const bool whole = got == 0 && gzclose(file) == Z_OK;
  if (!whole) throw std::runtime_error(path + ": is not a whole gzip file");
  std::vector<std::string> lines;
  std::size_t at = 0;
  while (at < text.size()) {
    const std::size_t end = text.find('\n', at);
    lines.push_back(text.substr(at, end - at));
    at = end == std::string::npos ? text.size() : end + 1;
  }
  return lines;
}

}  // namespace adit::test
