// SPDX-License-Identifier: MIT
// validator/commands/run.hpp
//
// The bodies of adit-validator's subcommands: options in, exit code out.
//
// Out      results on stdout; errors as one line `adit-validator: …` on stderr.
// Errors   exit codes of common/base/exit_code.hpp.
// Threads  the main thread.
// Tests    tests/integration/validator_cli_test.cpp
#pragma once

#include <string>

#include "validator/commands/source.hpp"

namespace adit::validator {

// Prints the error in one line and returns `exit_code`.
int fail(const Error& error, int exit_code);

[[nodiscard]] int run_command(const std::string& config_file);
[[nodiscard]] int replay_command(const SourceOptions& source);
[[nodiscard]] int explain_command(const SourceOptions& source, Uid uid);
[[nodiscard]] int status_command(const SourceOptions& source, bool json);
[[nodiscard]] int ledger_verify_command(const std::string& ledger_file);

}  // namespace adit::validator
