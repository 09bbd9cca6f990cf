// SPDX-License-Identifier: MIT
// miner/app/serve_command.hpp
//
// `adit-miner serve --config F`: answers validators until SIGTERM.
//
// Errors   exit codes: kConfig, kKeys, kModel, kChain, kUnavailable (port, disk) with one line on
//          stderr.
// Threads  the main thread.
// Tests    tests/integration/miner_serve_test.cpp
#pragma once

namespace CLI {
class App;
}

namespace adit::miner {

void add_serve_command(CLI::App& app, int& exit_code);

}  // namespace adit::miner
