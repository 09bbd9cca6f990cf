// SPDX-License-Identifier: MIT
// miner/app/describe_command.hpp
//
// `adit-miner describe`: the card of a pack, or what the running miner of some settings says of
// itself.
//
// Out      lines of text, or with --json one object; the card hash is what validators and charters
//          name.
// Errors   exit codes: kUsage, kConfig, kKeys, kModel, kUnavailable (no miner answers there).
// Threads  the main thread.
// Tests    tests/integration/miner_serve_test.cpp
#pragma once

namespace CLI {
class App;
}

namespace adit::miner {

void add_describe_command(CLI::App& app, int& exit_code);

}  // namespace adit::miner
