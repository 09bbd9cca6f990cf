// SPDX-License-Identifier: MIT
// common/model/hf_names.hpp
//
// transformers' names of our parts, and the order that it keeps their rows in.
//
// Threads  pure.
// Source   github.com/huggingface/transformers models/{llama,qwen2,qwen3,deepseek_v2,deepseek_v3};
//          deepseek-ai/DeepSeek-V3.2-Exp model.safetensors.index.json (indexer)
// Tests    tests/unit/common/model/source_formats_test.cpp
#pragma once

#include "common/model/part_rows.hpp"

namespace adit::model {

[[nodiscard]] PartNames hf_part_names(const Part& part, const ModelConfig& config,
                                      const StoredTensors& stored);

}  // namespace adit::model
