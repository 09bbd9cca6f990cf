// SPDX-License-Identifier: MIT
// common/model/forward_moe.hpp
//
// What a forward pass keeps for layers of experts. A pair is one row at one of its chosen experts; pairs stand
// grouped by expert, so that a step reads each chosen expert once and no other.
//
// Shapes   row buffers are [rows][width], pair buffers [pairs][width].
// Threads  as forward_pass.hpp: written by stages, read after a barrier.
// Source   kernels/NUMERICS.md, "Mixture of experts"
// Tests    tests/unit/common/model/deepseek_test.cpp
#pragma once

#include <cstdint>
#include <vector>

#include "common/model/aligned_array.hpp"
#include "common/model/forward_pass.hpp"

namespace adit::model {

struct Forward::Pass::Experts {
  Experts(const ModelConfig& config, const ForwardOptions& options);
  void prepare(int rows);
  // Groups the chosen of `rows` rows by expert and prepares the activations of each.
  void group(const LayerWeights& weights, int rows, kernels::Isa isa);

  const ModelConfig& config;
  // Whether the system is told which experts' pages come next.
  bool advises = false;

  AlignedArray<float> logits;         // [rows][experts]
  std::vector<std::int32_t> chosen;   // [rows][per_token]
  std::vector<float> weights;         // [rows][per_token]
  std::vector<std::int32_t> pair_of;  // [rows][per_token]
  struct Pair {
    int row = 0;
    // Of `active`, and the token of its activations.
    int active = 0;
    int token = 0;
  };
  std::vector<Pair> pairs;
  struct Active {
    int expert = 0;
    int first_pair = 0;
    int count = 0;
  };
  std::vector<Active> active;
  // By place in `active`.
  std::vector<kernels::ActBuffer> hidden;
  std::vector<kernels::ActBuffer> gated;
  std::vector<float> gate, up;  // [pairs][ffn]
  std::vector<float> out;       // [pairs][hidden]

  std::vector<float> shared_gate, shared_up;  // [rows][shared_ffn]
  kernels::ActBuffer shared_gated;

  std::vector<std::vector<float>> scratch;  // of each worker
  struct Piles {
    WorkPile router, gate_up, down;
  };
  std::vector<Piles> piles;
};

}  // namespace adit::model
