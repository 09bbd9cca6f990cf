// SPDX-License-Identifier: MIT
// common/model/hf_model.hpp
//
// What a folder in Hugging Face's layout says about a model.
//
// In       config.json (both spellings of RoPE: rope_theta with rope_scaling, and rope_parameters),
//          generation_config.json (end-of-text ids), tokenizer_config.json (add_bos_token).
// Out      checked configuration. config.name is the last part of _name_or_path, if there is one.
// Errors   kNotFound (no config.json), kInvalidArgument, kUnimplemented; each names file, key, value and what
//          was expected. A key that is not understood is refused unless it is null, false or empty.
// Threads  pure.
// Source   github.com/huggingface/transformers configuration_{llama,qwen2,qwen3,deepseek_v2,deepseek_v3}.py,
//          modeling_rope_utils.py; deepseek-ai/DeepSeek-V3 inference/model.py, DeepSeek-V3.2-Exp config
// Tests    tests/unit/common/model/hf_model_test.cpp, tests/fuzz/hf_config_fuzz.cpp
#pragma once

#include <filesystem>
#include <string_view>

#include "common/base/result.hpp"
#include "common/model/model_config.hpp"

namespace adit::model {

[[nodiscard]] Result<ModelConfig> config_from_hf(const std::filesystem::path& folder);

// The texts of the three files; an empty one stands for an absent file. `label` is put before their names.
struct HfConfigTexts {
  std::string_view config;
  std::string_view generation;
  std::string_view tokenizer;
};
[[nodiscard]] Result<ModelConfig> parse_hf_config(const HfConfigTexts& texts, const std::string& label);

}  // namespace adit::model
