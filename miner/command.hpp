// SPDX-License-Identifier: MIT
// miner/command.hpp
//
// What the subcommands of adit-miner share: how they join the command line, and how they fail.
//
// Use      each subcommand stands in its own file and has one function add_x_command(app,
// exit_code) that
//          declares its flags; its callback runs the command and sets exit_code. cli.cpp lists
//          them.
// Errors   fail() prints `adit-miner: <message>` in one line on stderr.
// Threads  the main thread.
// Tests    tests/unit/miner/generate/cli_test.cpp
#pragma once

#include "common/base/result.hpp"

namespace CLI {
class App;
}

namespace adit::miner {

// Prints the error and returns `exit_code`.
int fail(const Error& error, int exit_code);

}  // namespace adit::miner
