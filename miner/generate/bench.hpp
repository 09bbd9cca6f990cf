// SPDX-License-Identifier: MIT
// miner/generate/bench.hpp
//
// How fast this machine reads prompts and decodes: the body of `adit-miner bench`.
//
// In       a pack; lengths; thread counts; repetitions.
// Out      tokens per second, best and median of the repetitions. Prompt: one sequence read in
// chunks, and one
//          token chosen. Decode: one row a step from an empty context, logits and greedy choice
//          included. The trace is computed in both, as it is when serving.
// Errors   those of Forward.
// Threads  runs the given numbers of threads in turn.
// Tests    tests/unit/miner/generate/generate_test.cpp
#pragma once

#include <vector>

#include "common/base/result.hpp"
#include "common/model/pack.hpp"
#include "kernels/core/isa.h"

namespace adit::miner {

struct BenchOptions {
  kernels::Isa isa = kernels::best_isa();
  std::vector<int> threads{1, 2};
  int prefill_chunk = 512;
  int prompt_tokens = 512;
  int decode_tokens = 128;
  int repetitions = 3;
};

struct Speed {
  double best = 0;
  double median = 0;
};

struct BenchRow {
  int threads = 0;
  Speed prompt;
  Speed decode;
};

[[nodiscard]] Result<std::vector<BenchRow>> bench(const model::Pack& pack,
                                                  const BenchOptions& options);

}  // namespace adit::miner
