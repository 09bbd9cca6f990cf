// SPDX-License-Identifier: MIT
// common/model/model_config.hpp
//
// The shape of a transformer and the few numbers its forward pass needs beyond weights.
//
// Out      config_json is canonical: one text for one configuration (it is part of a pack's content hash).
//          The objects rope_scaling, mla, moe and indexer are in it only where the model has them.
// Errors   kInvalidArgument naming the field, its value and what was expected.
// Threads  plain values.
// Tests    tests/unit/common/model/model_config_test.cpp
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/result.hpp"
#include "common/base/strong.hpp"

namespace adit::model {

// How inverse frequencies differ from theta^(-2i/d).
enum class RopeScaling : std::uint8_t { kNone, kLinear, kLlama3, kYarn };

struct RopeShape {
  RopeScaling scaling = RopeScaling::kNone;
  double factor = 1;
  // Positions before scaling (llama3, yarn).
  double original_context = 0;
  // llama3.
  double low_freq_factor = 1;
  double high_freq_factor = 4;
  // yarn.
  double beta_fast = 32;
  double beta_slow = 1;
  // yarn: cos and sin are multiplied by this.
  double attention_factor = 1;
  // Attention scores are multiplied by this beside 1/sqrt(head_dim) (DeepSeek's mscale squared).
  double score_factor = 1;

  bool operator==(const RopeShape&) const = default;
};

// Multi-head latent attention. kv_rank 0: the model has none.
struct MlaShape {
  // 0: queries are projected from the hidden row directly.
  int q_rank = 0;
  int kv_rank = 0;
  int nope_dim = 0;
  int rope_dim = 0;
  int v_dim = 0;

  bool operator==(const MlaShape&) const = default;
};

enum class Router : std::uint8_t { kSoftmax, kSigmoid };

// Mixture of experts in layers dense_layers, dense_layers + 1, ... experts 0: the model has none.
struct MoeShape {
  int experts = 0;
  int per_token = 0;
  // Width of one routed expert.
  int ffn = 0;
  // Width of the shared expert (all of them side by side); 0: none.
  int shared_ffn = 0;
  int dense_layers = 0;
  // Choice by groups: the best groups_per_token of `groups`, a group being worth the sum of its
  // group_top best experts. groups 1: no choice by groups.
  int groups = 1;
  int groups_per_token = 1;
  int group_top = 1;
  Router router = Router::kSoftmax;
  // A bias that is added for the choice only.
  bool has_bias = false;
  // Weights of the chosen are divided by their sum.
  bool normalise = false;
  double scale = 1;

  bool operator==(const MoeShape&) const = default;
};

// DeepSeek's lightning indexer. top_k 0: the model has none.
struct IndexerShape {
  int heads = 0;
  int head_dim = 0;
  int top_k = 0;

  bool operator==(const IndexerShape&) const = default;
};

struct ModelConfig {
  // "llama": RMSNorm, half-split RoPE, grouped attention, SwiGLU. "qwen2": biases on q, k and v.
  // "qwen3": RMSNorm of each q and k head. "deepseek_v2", "deepseek_v3": MLA, MoE. "deepseek_v32": and an
  // indexer.
  std::string family = "llama";
  std::string name;
  int layers = 0;
  int hidden = 0;
  int ffn = 0;
  int heads = 0;
  // MLA: 1, and head_dim is nope_dim + rope_dim.
  int kv_heads = 0;
  int head_dim = 0;
  int vocab = 0;
  // Positions the model was trained for; a longer sequence is refused.
  int context = 0;
  float norm_eps = 0;
  double rope_theta = 0;
  RopeShape rope;
  MlaShape mla;
  MoeShape moe;
  IndexerShape indexer;
  // The head is the embedding matrix.
  bool tied_head = false;
  // Generation ends after any of these.
  std::vector<TokenId> stop_ids;
  TokenId bos = 0;
  bool add_bos = false;

  bool operator==(const ModelConfig&) const = default;

  [[nodiscard]] bool has_qkv_bias() const { return family == "qwen2"; }
  [[nodiscard]] bool has_qk_norm() const { return family == "qwen3"; }
  [[nodiscard]] bool is_mla() const { return mla.kv_rank > 0; }
  [[nodiscard]] bool is_moe(int layer) const { return moe.experts > 0 && layer >= moe.dense_layers; }
  // Dimensions of a head that RoPE turns.
  [[nodiscard]] int rope_dim() const { return is_mla() ? mla.rope_dim : head_dim; }
  // Width of the attention's output row, which attn_o reads.
  [[nodiscard]] int attention_width() const { return heads * (is_mla() ? mla.v_dim : head_dim); }
};

// Every field within the limits of common/base/limits.hpp and consistent with the others.
[[nodiscard]] Result<void> check_config(const ModelConfig& config);

[[nodiscard]] std::string config_json(const ModelConfig& config);
// Refuses unknown and missing keys; the result has passed check_config.
[[nodiscard]] Result<ModelConfig> parse_config_json(std::string_view json);

}  // namespace adit::model
