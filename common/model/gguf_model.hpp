// SPDX-License-Identifier: MIT
// common/model/gguf_model.hpp
//
// What a GGUF file says about a model of the llama family: shape, tokenizer, chat template, which row of a
// tensor is which row of ours.
//
// Out      checked configuration; tokenizer parts as the tokenizer wants them.
// Errors   kNotFound (a missing key or tensor), kInvalidArgument, kUnimplemented (another architecture, RoPE
//          scaling); each names the file and the key or tensor.
// Threads  pure.
// Source   github.com/ggml-org/ggml docs/gguf.md, "Standardized key-value pairs"
// Tests    tests/unit/common/model/pack_test.cpp
#pragma once

#include <string>
#include <vector>

#include "common/base/result.hpp"
#include "common/model/gguf.hpp"
#include "common/model/model_config.hpp"
#include "common/model/pack_format.hpp"
#include "common/model/tokenizer.hpp"

namespace adit::model {

[[nodiscard]] Result<ModelConfig> config_from_gguf(const Gguf& gguf);
[[nodiscard]] Result<TokenizerParts> tokenizer_from_gguf(const Gguf& gguf);
// Empty if the file has none.
[[nodiscard]] Result<std::string> chat_template_from_gguf(const Gguf& gguf);

// The tensor of a part, of the part's shape and of a type that we read.
[[nodiscard]] Result<const GgufTensor*> source_tensor(const Gguf& gguf, const Part& part);
// Refuses a file with tensors that no part takes.
[[nodiscard]] Result<void> check_no_other_tensors(const Gguf& gguf, const std::vector<Part>& parts);

// Row of the GGUF tensor that is row `row` of the part: GGUF interleaves the halves of each q and k head.
[[nodiscard]] int source_row(const ModelConfig& config, const Part& part, int row);

// theta^(-2i/d) for i = 0..d/2-1, by our own f64 functions.
[[nodiscard]] std::vector<double> inverse_frequencies(double theta, int head_dim);

}  // namespace adit::model
