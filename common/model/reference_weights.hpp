// SPDX-License-Identifier: MIT
// common/model/reference_weights.hpp
//
// Where the reference model gets its f32 weights: a published model or a pack.
//
// Out      rows in our order (q and k halves apart), one part at a time.
// Errors   those of the file.
// Threads  const; any thread.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "common/model/model_config.hpp"
#include "common/model/pack.hpp"
#include "common/model/weight_source.hpp"

namespace adit::model {

class ReferenceWeights {
 public:
  virtual ~ReferenceWeights() = default;
  [[nodiscard]] virtual const ModelConfig& config() const = 0;
  // out: [count][part.k]
  [[nodiscard]] virtual Result<void> rows(const Part& part, int begin, int count, float* out) const = 0;
  // out: [part.m]
  [[nodiscard]] virtual Result<void> bias(const Part& part, float* out) const = 0;
  // How activations are rounded before a linear layer; nullopt: not at all.
  [[nodiscard]] virtual std::optional<kernels::ActForm> act(const Part& part) const = 0;
};

[[nodiscard]] std::unique_ptr<ReferenceWeights> weights_of(const WeightSource& source);
[[nodiscard]] std::unique_ptr<ReferenceWeights> weights_of(const Pack& pack);

}  // namespace adit::model
