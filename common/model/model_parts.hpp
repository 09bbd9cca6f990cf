// SPDX-License-Identifier: MIT
// common/model/model_parts.hpp
//
// The parts of a model: every norm, linear and table that its forward pass reads, in canonical order.
//
// Out      model_parts: every part once, in the order in which a pack's content hash takes them.
// Shapes   a linear of several heads or experts is one matrix, their rows one after another:
//          attn_k_b [heads * kv_rank][nope_dim] (W_UK transposed: takes a head's q to the latent),
//          attn_v_b [heads * v_dim][kv_rank], experts_gate and experts_up [experts * ffn][hidden],
//          experts_down [experts * hidden][ffn].
//          Heads that RoPE turns are in half-split order: dimension i is turned with i + d/2.
// Threads  pure.
// Source   kernels/NUMERICS.md, "Packs"
// Tests    tests/unit/common/model/model_parts_test.cpp
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "common/model/model_config.hpp"

namespace adit::model {

// The numbers are part of the content hash. kMatrix: f32, not quantised.
enum class PartKind : std::uint8_t { kVector = 1, kLinear = 2, kFrequencies = 3, kMatrix = 4 };

enum class PartRole : std::uint8_t {
  kEmbedding,
  kAttnNorm,
  kAttnQ,
  kAttnQA,
  kAttnQANorm,
  kAttnQB,
  kAttnK,
  kAttnV,
  kAttnQNorm,
  kAttnKNorm,
  kAttnKvA,
  kAttnKvANorm,
  kAttnKB,
  kAttnVB,
  kIndexQB,
  kIndexK,
  kIndexKNorm,
  kIndexKNormBias,
  kIndexW,
  kAttnO,
  kFfnNorm,
  kFfnGate,
  kFfnUp,
  kFfnDown,
  kRouter,
  kRouterBias,
  kExpertsGate,
  kExpertsUp,
  kExpertsDown,
  kSharedGate,
  kSharedUp,
  kSharedDown,
  kFinalNorm,
  kHead,
  kInvFreq,
};

// The name of a role inside its layer: "attn_q".
[[nodiscard]] const char* role_name(PartRole role);

// Linears of a layer that read the same row have the same number and must read it in one activation form:
// 0 the attention's normed row, 1 MLA's normed query latent, 2 the feed-forward's normed row. -1: no other.
[[nodiscard]] int shared_input(PartRole role);

struct Part {
  PartKind kind = PartKind::kVector;
  PartRole role = PartRole::kEmbedding;
  // -1: of no layer.
  int layer = -1;
  // "layers.3.attn_q", "final_norm", …
  std::string name;
  // Rows and columns; m = 1 for a vector of k.
  int m = 1;
  int k = 0;
  // A linear with a bias of m values.
  bool has_bias = false;
};

[[nodiscard]] std::vector<Part> model_parts(const ModelConfig& config);

// Multiply-adds of one token, all linears and the head; of a mixture of experts those that a token uses.
[[nodiscard]] std::uint64_t active_weights(const ModelConfig& config);

}  // namespace adit::model
