// SPDX-License-Identifier: MIT
// common/model/reference.hpp
//
// A plain f32 forward pass, straight from the equations and independent of kernels/: what exact inference is
// measured against.
//
// In       from_gguf: dequantised weights, nothing else rounded. from_pack: the pack's effective weights
//          W * rs and, before each linear layer, activations rounded as the pack's form says: the exact
//          engine up to f32 rounding and the f16 KV cache.
// Shapes   hidden(): final-normed rows [sum of lengths][hidden], sequences in order; logits [n][vocab].
// Errors   those of the file; kInvalidArgument for an id outside the vocabulary or an empty sequence.
// Units    about 1e11 multiply-adds a second and core with AVX2; memory: the activations and one matrix.
// Threads  the object is const after opening; work is spread over `threads` (0: all cores).
// Source   Touvron et al. 2023 (LLaMA); Su et al. 2021 (RoPE); Ainslie et al. 2023 (GQA)
// Tests    tests/unit/common/model/reference_test.cpp, tests/conformance/reference_test.cpp
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "common/base/result.hpp"
#include "common/base/strong.hpp"
#include "common/model/model_config.hpp"
#include "common/model/pack.hpp"
#include "common/model/weight_source.hpp"

namespace adit::model {

class Reference {
 public:
  // The source or pack must outlive the Reference.
  [[nodiscard]] static Result<Reference> from_source(const WeightSource& source, int threads);
  [[nodiscard]] static Result<Reference> from_pack(const Pack& pack, int threads);
  Reference(Reference&&) noexcept;
  Reference& operator=(Reference&&) noexcept;
  ~Reference();

  [[nodiscard]] const ModelConfig& config() const;
  // Called by hidden() with the rows [n][part.k] that a linear of a layer reads, in order of the layers; of
  // experts, those that one reads, whose rows of the part begin at `first`. W_UK and W_UV are not observed.
  using Observer = std::function<void(const Part& part, int first, const float* x, int n)>;
  void observe(Observer observer);
  // Called by hidden() for each token and expert that it is routed to, in order of layers, experts and tokens: the
  // expert's output y [hidden] and the weight that it is added with.
  using ExpertObserver = std::function<void(int layer, int expert, double weight, const float* y)>;
  void observe_experts(ExpertObserver observer);
  // `progress` is called with the share of layers done.
  [[nodiscard]] Result<std::vector<float>> hidden(std::span<const std::vector<TokenId>> sequences,
                                                  const std::function<void(double)>& progress = {}) const;
  // Prepares the head on the first call.
  [[nodiscard]] Result<void> logits(const float* hidden_rows, int n, float* out) const;

 private:
  struct State;
  explicit Reference(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace adit::model
