// SPDX-License-Identifier: MIT
// tests/support/test_model.hpp
//
// Where the test model lies: the variable ADIT_TEST_MODEL, else the place that deploy/setup.sh fills. A test
// that needs it says GTEST_SKIP() << kNoTestModel when it is absent.
#pragma once

#include <cstdlib>
#include <filesystem>
#include <optional>

namespace adit::test {

inline constexpr const char* kNoTestModel =
    "the test model is not installed: run deploy/setup.sh, or set ADIT_TEST_MODEL to its GGUF";

inline std::optional<std::filesystem::path> test_model() {
  std::filesystem::path path;
  if (const char* given = std::getenv("ADIT_TEST_MODEL"); given != nullptr) {
    path = given;
  } else if (const char* home = std::getenv("HOME"); home != nullptr) {
    path = std::filesystem::path(home) / ".cache/adit/models/SmolLM2-135M-Instruct.Q4_1.gguf";
  }
  std::error_code ignored;
  if (!std::filesystem::is_regular_file(path, ignored)) return std::nullopt;
  return path;
}

}  // namespace adit::test
