// SPDX-License-Identifier: MIT
// common/model/eval.hpp
//
// How far one model's answers are from another's on a text: perplexities, KL divergence, agreement.
//
// In       ids cut into windows; every window starts from an empty context.
// Out      mean_kl: mean over positions of KL(reference || other) in nats; perplexity over the ids that
//          follow a position in the same window; top1: share of positions where both rank the same id first.
// Errors   those of the sources; kInvalidArgument for fewer than two ids.
// Units    nats; shares are 0..1.
// Threads  compare_models: `threads` for the comparison; sources use their own.
// Tests    tests/conformance/quality_test.cpp
#pragma once

#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "common/base/result.hpp"
#include "common/base/strong.hpp"
#include "common/model/forward.hpp"
#include "common/model/pack.hpp"
#include "common/model/reference.hpp"

namespace adit::model {

// Called with the share of the work done, 0..1.
using EvalProgress = std::function<void(double)>;

// A model that gives logits for the positions of windows.
class LogitsSource {
 public:
  virtual ~LogitsSource() = default;
  // Once, before logits; the windows stay valid.
  [[nodiscard]] virtual Result<void> begin(std::span<const std::vector<TokenId>> windows,
                                           const EvalProgress& progress) = 0;
  // out: [count][vocab]. Windows and positions are asked for in ascending order, each once.
  [[nodiscard]] virtual Result<void> logits(std::size_t window, int first, int count, float* out) = 0;
};

// The argument must outlive the source.
[[nodiscard]] std::unique_ptr<LogitsSource> reference_source(const Reference& reference);
[[nodiscard]] std::unique_ptr<LogitsSource> engine_source(const Pack& pack, const ForwardOptions& options);

struct EvalReport {
  std::size_t positions = 0;
  std::size_t scored = 0;
  double perplexity_reference = 0;
  double perplexity_pack = 0;
  double mean_kl = 0;
  double max_kl = 0;
  double top1 = 0;
};

struct EvalOptions {
  int vocab = 0;
  int window = 1024;
  int threads = 0;
};

[[nodiscard]] Result<EvalReport> compare_models(std::span<const TokenId> ids, LogitsSource& reference,
                                                LogitsSource& other, const EvalOptions& options,
                                                const EvalProgress& progress);

}  // namespace adit::model
