// SPDX-License-Identifier: MIT
// common/model/lora_adapter.hpp
//
// A low-rank adapter as PEFT saves it: for some linears y = W x + scale * B (A x).
//
// In       adapter_config.json and adapter_model.safetensors (F32, F16, BF16), the model it is for.
// Out      pairs in the order of model_parts; rows of B in our order (MLA: RoPE rows in half-split order).
// Shapes   a [rank][in], b [out][rank], in and out those of the part.
// Errors   kInvalidArgument, kNotFound, kUnimplemented naming file, key or tensor, and what was expected. Refused
//          with the reason: DoRA, biases, modules_to_save, embeddings, kv_b_proj and routed experts (absorbed or
//          stacked here), initialisations that change the base model.
// Threads  pure.
// Source   github.com/huggingface/peft tuners/lora/{config,model,layer}.py, utils/other.py (get_pattern_key),
//          utils/save_and_load.py (names of tensors)
// Tests    tests/unit/common/model/lora_adapter_test.cpp, tests/fuzz/lora_fuzz.cpp
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/bytes.hpp"
#include "common/base/result.hpp"
#include "common/model/model_config.hpp"
#include "common/model/model_parts.hpp"

namespace adit::model {

struct LoraPair {
  // The linear's name, layer, role and shape.
  Part part;
  int rank = 0;
  // lora_alpha / rank, with use_rslora lora_alpha / sqrt(rank).
  float scale = 0;
  std::vector<float> a;
  std::vector<float> b;
};

struct LoraAdapter {
  std::vector<LoraPair> pairs;
};

[[nodiscard]] Result<LoraAdapter> load_lora(const std::filesystem::path& folder, const ModelConfig& config);
// The two files' contents; `label` is put before their names.
[[nodiscard]] Result<LoraAdapter> parse_lora(std::string_view adapter_config, ByteView tensors,
                                             const std::string& label, const ModelConfig& config);

}  // namespace adit::model
