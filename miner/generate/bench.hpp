// SPDX-License-Identifier: MIT
// miner/generate/bench.hpp
//
// How fast this machine reads prompts and decodes: the body of `adit-miner bench`.
//
// In       a pack; every combination of thread counts with prompt lengths, and with decode lengths and batch sizes;
//          repetitions, after one unmeasured round (warm_up) that brings the pack into memory.
// Out      tokens per second of each repetition, all sequences of a batch together. pp<N>: one sequence of N tokens
//          read in chunks, and one token chosen. tg<N>: N tokens from an empty context, one row a step and sequence,
//          logits and greedy choice included. The trace is computed in both, as it is when serving.
// Errors   kInvalidArgument for a length over the model's context; those of place_workers and Forward.
// Threads  runs the given numbers of threads in turn.
// Tests    tests/unit/miner/generate/bench_test.cpp
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "common/base/result.hpp"
#include "common/model/generator.hpp"
#include "common/model/kv_form.hpp"
#include "common/model/pack.hpp"
#include "common/model/thread_pins.hpp"
#include "kernels/core/isa.h"

namespace adit::miner {

struct BenchOptions {
  kernels::Isa isa = kernels::best_isa();
  model::KvForm kv = model::KvForm::kF16;
  std::vector<int> threads{1};
  // Where the threads stay.
  model::PinChoice pin{};
  std::vector<int> prompts{512};
  std::vector<int> decodes{128};
  // Sequences that decode side by side.
  std::vector<int> batches{1};
  int prefill_chunk = model::EngineOptions{}.prefill_chunk;
  int repetitions = 5;
  bool warm_up = true;
};

struct Samples {
  std::vector<double> values;

  [[nodiscard]] double mean() const;
  // Of the values as a sample (n - 1); 0 for fewer than two.
  [[nodiscard]] double deviation() const;
  [[nodiscard]] double best() const;
  [[nodiscard]] double median() const;
};

struct BenchRow {
  int threads = 0;
  bool is_prompt = false;
  // Of one sequence.
  int tokens = 0;
  int batch = 1;
  Samples speed;

  // "pp512", "tg128", "tg128 x16".
  [[nodiscard]] std::string test() const;
};

// Called with each row when it is measured.
using OnBenchRow = std::function<void(const BenchRow&)>;
[[nodiscard]] Result<void> bench(const model::Pack& pack, const BenchOptions& options,
                                 const OnBenchRow& on_row);

}  // namespace adit::miner
