// SPDX-License-Identifier: MIT
// miner/generate/cold_start.hpp
//
// How long a user waits for the first token of a program that does not run yet.
//
// In       program: an adit-miner; it is started as `generate`, so that process start, opening the pack, tokenizer,
//          prompt and one step are in the time. evict: the pack's pages are dropped from memory first, as far as the
//          system obliges (pages that another process maps stay).
// Out      seconds from before the start to the first byte of text, one for each repetition.
// Errors   kUnavailable: the program does not start; kInternal when it fails.
// Units    seconds.
// Threads  the calling one.
// Tests    tests/unit/miner/generate/cli_test.cpp
#pragma once

#include <filesystem>
#include <string>

#include "common/base/result.hpp"
#include "kernels/core/isa.h"
#include "miner/generate/bench.hpp"

namespace adit::miner {

struct ColdStart {
  std::filesystem::path program = "/proc/self/exe";
  std::filesystem::path pack;
  std::string prompt = "What is an adit?";
  int threads = 1;
  model::KvForm kv = model::KvForm::kF16;
  kernels::Isa isa = kernels::best_isa();
  int repetitions = 5;
  bool evict = false;
};

[[nodiscard]] Result<Samples> cold_start(const ColdStart& options);

}  // namespace adit::miner
