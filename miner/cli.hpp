// SPDX-License-Identifier: MIT
// miner/cli.hpp
//
// The command line of adit-miner.
//
// In       argc, argv as given to main.
// Out      the exit code, one of common/base/exit_code.hpp.
// Errors   one line on stderr.
// Threads  the main thread.
// Tests    tests/unit/miner/generate/cli_test.cpp
#pragma once

namespace adit::miner {

[[nodiscard]] int run_cli(int argc, const char* const* argv);

}  // namespace adit::miner
