// SPDX-License-Identifier: MIT
// validator/cli.hpp
//
// adit-validator's command line.
//
// In       argv as given to main.
// Out      the exit code (common/base/exit_code.hpp); errors go to stderr as one line.
// Threads  the main thread.
// Tests    tests/integration/validator_cli_test.cpp
#pragma once

namespace adit::validator {

[[nodiscard]] int run_cli(int argc, const char* const* argv);

}  // namespace adit::validator
