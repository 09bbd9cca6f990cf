// SPDX-License-Identifier: MIT
// common/model/forward.hpp
//
// The exact forward pass of the llama family over a flat list of rows from several sequences: prompt chunks,
// single decode rows and any mixture are one code path.
//
// In       step(): segments as in step_plan.hpp; positions of a sequence come in order, each once.
// Out      keys and values in each sequence's cache, leaves in its trace, and for wanted rows the residual
//          row leaving the last layer, from which logits() computes.
// Shapes   logits: [count][vocab], row i of the answer at i * logits_stride().
// Errors   kInvalidArgument: token out of the vocabulary, position out of the cache, too many rows.
//          kDataLoss: a value of the pass is a NaN or infinite (the step's results are void).
// Exact    the same bits for every instruction set, thread count, chunk and batch.
// Units    buffers are made once for rows_max rows; attention scratch grows with the longest sequence.
// Threads  one thread per object; it runs a team of options.threads.
// Source   kernels/NUMERICS.md
// Tests    tests/unit/common/model/forward_test.cpp, tests/unit/common/model/exactness_test.cpp
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <vector>

#include "common/base/result.hpp"
#include "common/model/expert_pages.hpp"
#include "common/model/kv_form.hpp"
#include "common/model/model_config.hpp"
#include "common/model/pack.hpp"
#include "common/model/step_plan.hpp"
#include "common/model/thread_team.hpp"
#include "kernels/core/isa.h"

namespace adit::model {

struct ForwardOptions {
  kernels::Isa isa = kernels::best_isa();
  // Of the caches that steps name; check_kv(config, kv) holds.
  KvForm kv = KvForm::kF16;
  int threads = 1;
  // Where each thread stays (thread_pins.hpp); none: where the system puts it.
  std::vector<int> cpus{};
  // Rows of one step.
  int rows_max = 512;
  // Rows of one call of logits().
  int logits_rows_max = 16;
  ExpertAdvice expert_advice = ExpertAdvice::kAuto;
};

class Forward {
 public:
  // `pack` must outlive the object.
  Forward(const Pack& pack, const ForwardOptions& options);
  ~Forward();
  Forward(const Forward&) = delete;
  Forward& operator=(const Forward&) = delete;

  [[nodiscard]] Result<void> step(std::span<const Segment> segments);
  // Wanted rows of the last step, in row order.
  [[nodiscard]] int wanted() const;
  // Logits of wanted rows [first, first + count), valid until the next call.
  [[nodiscard]] Result<const float*> logits(int first, int count);
  [[nodiscard]] std::size_t logits_stride() const;

  [[nodiscard]] const ForwardOptions& options() const;
  [[nodiscard]] const ModelConfig& config() const;
  [[nodiscard]] ThreadTeam& team();

 private:
  class Pass;
  std::unique_ptr<Pass> pass_;
};

}  // namespace adit::model
