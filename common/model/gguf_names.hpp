// SPDX-License-Identifier: MIT
// common/model/gguf_names.hpp
//
// llama.cpp's names of our parts, and the order that it keeps their rows in.
//
// Out      one tensor a part, or one for each expert (files from before experts were fused).
// Threads  pure.
// Source   PyPI gguf 0.19.0 constants.py (TENSOR_NAMES); llama.cpp conversion/llama.py, conversion/deepseek.py
// Tests    tests/unit/common/model/source_formats_test.cpp
#pragma once

#include "common/model/part_rows.hpp"

namespace adit::model {

[[nodiscard]] PartNames gguf_part_names(const Part& part, const ModelConfig& config,
                                        const StoredTensors& stored);

}  // namespace adit::model
