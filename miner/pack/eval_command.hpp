// SPDX-License-Identifier: MIT
// miner/pack/eval_command.hpp
//
// `adit-miner eval --pack P --original F [--text T] [--window N] [--threads N] [--isa I] [--json]
// [--max-kl X] [--tasks FILE.jsonl|builtin [--task-tokens N]]`.
//
// Out      perplexities, mean and largest KL, top-1 agreement on stdout, as a table or one JSON object;
//          progress on stderr. With tasks (task_set.hpp): how many the pack and the reference answer rightly, and how
//          often they agree, by kind of answer. A pack that declares a bound for this text and window is held to it.
// Errors   one line on stderr; exit codes kOk, kFailed (mean KL over --max-kl or over the
//          declared bound; the figures are printed all the same), kModel, kUnavailable.
// Threads  `threads`, 0 for all cores.
// Tests    tests/unit/miner/pack/pack_command_test.cpp
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "miner/pack/evaluate.hpp"

namespace CLI {
class App;
}

namespace adit::miner {

struct EvalCommand {
  std::filesystem::path pack;
  std::filesystem::path original;
  EvaluateSettings settings;
  bool json = false;
  // A file or kBuiltinTasks; empty: none.
  std::string tasks = {};
  int task_tokens = 48;
  std::optional<double> max_kl = {};
};

[[nodiscard]] int run_eval(const EvalCommand& command);
void add_eval_command(CLI::App& app, int& exit_code);

}  // namespace adit::miner
