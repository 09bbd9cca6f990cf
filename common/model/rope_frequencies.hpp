// SPDX-License-Identifier: MIT
// common/model/rope_frequencies.hpp
//
// Inverse frequencies of RoPE, scaled as a model's configuration says.
//
// Out      [rope_dim / 2] f64, descending from at most 1.
// Exact    our own f64 functions only: the same bits on every machine.
// Threads  pure.
// Source   Su et al. 2021 (RoPE); llama3: github.com/huggingface/transformers modeling_rope_utils.py;
//          yarn: Peng et al. 2023, section 3.2; DeepSeek-V3 inference/model.py, precompute_freqs_cis
// Tests    tests/unit/common/model/rope_frequencies_test.cpp
#pragma once

#include <vector>

#include "common/model/model_config.hpp"

namespace adit::model {

[[nodiscard]] std::vector<double> inverse_frequencies(const ModelConfig& config);

// YaRN's magnitude: 0.1 * mscale * ln(factor) + 1, and 1 for a factor of at most 1.
[[nodiscard]] double yarn_magnitude(double factor, double mscale);

}  // namespace adit::model
