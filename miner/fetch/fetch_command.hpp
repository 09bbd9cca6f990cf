// SPDX-License-Identifier: MIT
// miner/fetch/fetch_command.hpp
//
// `adit-miner fetch REPO [--revision main] [--endpoint URL] [-o DIR] [--include GLOB]… [--exclude GLOB]…
//  [--token-file F] [--ca-file F] [--force]`.
//
// Out      the folder, and a summary on stdout; progress and what happened to each file on stderr.
// Errors   one line on stderr; exit codes kOk, kUsage (arguments, nothing to fetch), kKeys (a token is needed or
//          refused), kFailed (a digest differs, a file was changed here), kUnavailable (network, disk, lock).
// Threads  the main thread.
// Tests    tests/unit/miner/fetch/fetch_command_test.cpp
#pragma once

namespace CLI {
class App;
}

namespace adit::miner {

void add_fetch_command(CLI::App& app, int& exit_code);

}  // namespace adit::miner
