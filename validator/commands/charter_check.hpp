// SPDX-License-Identifier: MIT
// validator/commands/charter_check.hpp
//
// `charter check FILE`: every key of a charter with its value and what it means, and the charter's hash.
//
// In       a charter file.
// Out      `out`: the table; `err`: one line if the file is refused.
// Errors   exit codes: kOk, kConfig.
// Threads  one.
// Tests    tests/unit/validator/charter_check_test.cpp
#pragma once

#include <filesystem>
#include <ostream>

namespace adit::validator {

[[nodiscard]] int run_charter_check(const std::filesystem::path& file, std::ostream& out, std::ostream& err);

}  // namespace adit::validator
