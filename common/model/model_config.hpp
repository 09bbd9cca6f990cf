// SPDX-License-Identifier: MIT
// common/model/model_config.hpp
//
// The shape of a transformer and the few numbers its forward pass needs beyond weights.
//
// Out      config_json is canonical: one text for one configuration (it is part of a pack's content hash).
// Errors   kInvalidArgument naming the field, its value and what was expected.
// Threads  plain values.
// Tests    tests/unit/common/model/model_config_test.cpp
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "common/base/result.hpp"
#include "common/base/strong.hpp"

namespace adit::model {

struct ModelConfig {
  // "llama": RMSNorm, half-split RoPE, grouped attention, SwiGLU.
  std::string family = "llama";
  std::string name;
  int layers = 0;
  int hidden = 0;
  int ffn = 0;
  int heads = 0;
  int kv_heads = 0;
  int head_dim = 0;
  int vocab = 0;
  // Positions the model was trained for; a longer sequence is refused.
  int context = 0;
  float norm_eps = 0;
  double rope_theta = 0;
  // The head is the embedding matrix.
  bool tied_head = false;
  // Generation ends after any of these.
  std::vector<TokenId> stop_ids;
  TokenId bos = 0;
  bool add_bos = false;

  bool operator==(const ModelConfig&) const = default;
};

// Every field within the limits of common/base/limits.hpp and consistent with the others.
[[nodiscard]] Result<void> check_config(const ModelConfig& config);

[[nodiscard]] std::string config_json(const ModelConfig& config);
// Refuses unknown and missing keys; the result has passed check_config.
[[nodiscard]] Result<ModelConfig> parse_config_json(std::string_view json);

}  // namespace adit::model
