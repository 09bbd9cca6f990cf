// SPDX-License-Identifier: MIT
// common/model/hf_source.hpp
//
// Weights from a folder in Hugging Face's layout.
//
// In       config.json and its companions, model.safetensors or model.safetensors.index.json with its shards.
// Errors   as weight_source.hpp; a shard that the index names and that is absent is kNotFound.
// Threads  as weight_source.hpp.
// Source   github.com/huggingface/transformers modeling_utils.py (index files), models of the families
// Tests    tests/unit/common/model/source_formats_test.cpp, mutated_models_test.cpp
#pragma once

#include <filesystem>
#include <memory>

#include "common/model/weight_source.hpp"

namespace adit::model {

[[nodiscard]] Result<std::unique_ptr<WeightSource>> hf_source(const std::filesystem::path& folder);

}  // namespace adit::model
