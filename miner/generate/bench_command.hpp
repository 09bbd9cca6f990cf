// SPDX-License-Identifier: MIT
// miner/generate/bench_command.hpp
//
// `adit-miner bench --pack P… [-p 512,…] [-n 128,…] [-t 1,2] [-b 1,4,16] [-r 5] [--no-warmup] [--cold] [--json]`.
//
// Out      a table in markdown as llama-bench prints one, mean ± standard deviation, or with --json one JSON object
//          with every sample. The machine's load is printed with it: a figure taken on a busy machine says little.
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
