// SPDX-License-Identifier: MIT
// common/model/expert_prune.hpp
//
// Expert pruning (REAP): which experts of a mixture matter, and the same model without the others.
//
// In       ExpertSaliency::add: what Reference::observe_experts tells over a text.
// Out      An expert's saliency: the mean, over the tokens routed to it, of (the weight that its output is added
//          with) * (2-norm of that output); 0 if there were none. In every layer the experts with the highest stay,
//          in their order; of equal ones the lower index. A router with groups keeps the same number in every
//          group, so that it chooses among groups as before. Rows of the router and its bias go with the experts.
//          keep_experts: a model with fewer experts; everything else of it is the source's.
// Exact    the same saliencies give the same choice. They come from the f32 reference, whose last bits depend on
//          the processor.
// Errors   kInvalidArgument: a count that leaves nothing out, does not divide among the groups, or leaves less than
//          a token uses.
// Threads  ExpertSaliency: one; the source: const, any.
// Source   Lasby et al. 2025, "REAP the Experts" (arXiv 2510.13999), equation 9
// Tests    tests/unit/common/model/expert_prune_test.cpp
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "common/base/result.hpp"
#include "common/model/weight_source.hpp"

namespace adit::model {

class ExpertSaliency {
 public:
  explicit ExpertSaliency(const ModelConfig& config);
  // One token that an expert of a layer answered with y [hidden], added with `weight`.
  void add(int layer, int expert, double weight, const float* y);
  [[nodiscard]] double of(int layer, int expert) const;
  [[nodiscard]] std::uint64_t tokens(int layer, int expert) const;

 private:
  struct Seen {
    double sum = 0;
    std::uint64_t tokens = 0;
  };
  [[nodiscard]] const Seen& at(int layer, int expert) const;
  int experts_;
  int hidden_;
  std::vector<Seen> seen_;
};

// By layer, ascending; empty for a dense layer.
using KeptExperts = std::vector<std::vector<int>>;

// The configuration with `keep` experts in each layer of experts.
[[nodiscard]] Result<ModelConfig> with_experts(const ModelConfig& config, int keep);
[[nodiscard]] Result<KeptExperts> choose_experts(const ModelConfig& config, const ExpertSaliency& saliency, int keep);
// `source` must outlive the result; `kept` is of choose_experts, or has its form.
[[nodiscard]] Result<std::unique_ptr<WeightSource>> keep_experts(const WeightSource& source, KeptExperts kept);

}  // namespace adit::model
