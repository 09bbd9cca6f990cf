// SPDX-License-Identifier: MIT
// tests/support/vectors.hpp
//
// Reads a file of tests/vectors. Throws (failing the test) when it is missing or is not JSON.
#pragma once

#include <fstream>
#include <stdexcept>
#include <string>

#include <nlohmann/json.hpp>

namespace adit::test {

inline nlohmann::json load_vectors(const std::string& name) {
  const std::string path = std::string(ADIT_TEST_VECTORS) + "/" + name;
  std::ifstream stream(path, std::ios::binary);
  if (!stream) throw std::runtime_error(path + ": cannot be opened");
  return nlohmann::json::parse(stream);
}

}  // namespace adit::test
