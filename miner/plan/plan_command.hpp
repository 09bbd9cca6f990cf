// SPDX-License-Identifier: MIT
// miner/plan/plan_command.hpp
//
// `adit-miner plan MODEL [--context N] [--probe SECONDS] [--json]`.
//
// Out      what the model takes and, for this machine and a table of cards, which pack fits, how long a sequence may
//          be, and the tokens per second that memory bandwidth allows: a table, or one JSON object.
// Errors   one line on stderr; exit codes kOk, kUsage, kModel, kUnavailable.
// Threads  the main thread; the probe uses one a processor.
// Tests    tests/unit/miner/plan/plan_command_test.cpp
#pragma once

namespace CLI {
class App;
}

namespace adit::miner {

void add_plan_command(CLI::App& app, int& exit_code);

}  // namespace adit::miner
