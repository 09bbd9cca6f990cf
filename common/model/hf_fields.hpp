// SPDX-License-Identifier: MIT
// common/model/hf_fields.hpp
//
// Parts of config.json that need a file of their own; only hf_model.cpp calls them.
//
// In       the fields of config.json, a configuration whose shape has been read.
// Errors   as hf_model.hpp.
// Threads  pure.
// Tests    tests/unit/common/model/hf_model_test.cpp
#pragma once

#include "common/base/result.hpp"
#include "common/model/json_fields.hpp"
#include "common/model/model_config.hpp"

namespace adit::model {

// rope_theta, rope_scaling or rope_parameters.
[[nodiscard]] Result<void> read_hf_rope(JsonFields& fields, ModelConfig& config);
// MLA, experts and indexer of the families deepseek_v2, deepseek_v3 and deepseek_v32.
[[nodiscard]] Result<void> read_hf_deepseek(JsonFields& fields, ModelConfig& config);

}  // namespace adit::model
