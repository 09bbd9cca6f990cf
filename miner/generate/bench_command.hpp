// SPDX-License-Identifier: MIT
// miner/generate/bench_command.hpp
//
// `adit-miner bench`: prompt and decode speed of a pack at several thread counts.
//
// Out      a table, or with --json one JSON object. The machine's load is printed with it: a figure
// taken on a
//          busy machine says little.
// Errors   exit codes: kUsage for arguments, kModel for the pack and the run.
// Threads  the main thread.
// Tests    tests/unit/miner/generate/cli_test.cpp
#pragma once

namespace CLI {
class App;
}

namespace adit::miner {

void add_bench_command(CLI::App& app, int& exit_code);

}  // namespace adit::miner
