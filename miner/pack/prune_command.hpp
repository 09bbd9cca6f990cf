// SPDX-License-Identifier: MIT
// miner/pack/prune_command.hpp
//
// `adit-miner prune MODEL -o OUT --pattern P [--method magnitude|wanda] [--text F] [--layers A-B] [--storage S]
// [--bits 4|8] [--group 32|64|128|row] [--act a16|a8g] [--eval] [--max-kl X]`, or `--method reap --experts KEEP` for
// --pattern, --layers and --storage.
//
// In       a GGUF file or a folder as Hugging Face lays it out. Wanda and reap run the f32 reference over the text.
// Out      the pack at `output`, complete and checked, or what stood there before, untouched. On stdout each
//          pruned linear's storage, share of zeros and bytes, the sums, and with --eval perplexity and KL.
//          reap: the experts that stay (common/model/expert_prune.hpp) and always the KL; on stderr a warning for
//          models of DeepSeek-V3's architecture, and one for experts that the text did not reach.
// Errors   one line on stderr. Exit codes: kOk, kFailed (KL over --max-kl; nothing is written), kUsage, kModel,
//          kUnavailable.
// Threads  `threads`, 0 for all cores.
// Tests    tests/unit/miner/pack/prune_command_test.cpp
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "kernels/linear/params.h"

namespace CLI {
class App;
}

namespace adit::miner {

struct PruneCommand {
  std::filesystem::path input = {};
  std::filesystem::path output = {};
  std::string pattern = {};
  std::string method = "wanda";
  // Calibration and --eval; default: the built-in one.
  std::optional<std::filesystem::path> text = {};
  int calibration_tokens = 4096;
  // "A-B" or "A", of layers; empty: all.
  std::string layers = {};
  // reap: how many experts stay in each layer.
  int experts = 0;
  // A storage's name; empty: the fastest of about the smallest.
  std::string storage = {};
  // Of the linears that are not pruned.
  int bits = 8;
  kernels::ActForm act = kernels::ActForm::kA16;
  kernels::ScaleGroup group = kernels::ScaleGroup::k32;
  bool eval = false;
  std::optional<double> max_kl = {};
  int threads = 0;
};

[[nodiscard]] int run_prune(const PruneCommand& command);
void add_prune_command(CLI::App& app, int& exit_code);

}  // namespace adit::miner
