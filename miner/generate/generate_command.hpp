// SPDX-License-Identifier: MIT
// miner/generate/generate_command.hpp
//
// `adit-miner generate`: one prompt on the terminal.
//
// Out      the text as it grows, then one line of figures on stderr; with --json one JSON object
// instead. Errors   exit codes: kUsage for arguments, kModel for the pack and the run. Threads  the
// main thread. Tests    tests/unit/miner/generate/cli_test.cpp
#pragma once

namespace CLI {
class App;
}

namespace adit::miner {

void add_generate_command(CLI::App& app, int& exit_code);

}  // namespace adit::miner
