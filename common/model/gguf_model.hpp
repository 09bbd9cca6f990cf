// SPDX-License-Identifier: MIT
// common/model/gguf_model.hpp
//
// What a GGUF file says about a model: shape, tokenizer, chat template.
//
// Out      checked configuration; tokenizer parts as the tokenizer wants them.
// Errors   kNotFound (a missing key or tensor), kInvalidArgument, kUnimplemented (another architecture, a
//          key that is not understood); each names the file and the key or tensor.
// Threads  pure.
// Source   github.com/ggml-org/ggml docs/gguf.md, "Standardized key-value pairs"
// Tests    tests/unit/common/model/gguf_config_test.cpp, pack_test.cpp
#pragma once

#include <span>
#include <string>
#include <vector>

#include "common/base/result.hpp"
#include "common/model/gguf.hpp"
#include "common/model/model_config.hpp"
#include "common/model/tokenizer.hpp"

namespace adit::model {

[[nodiscard]] Result<ModelConfig> config_from_gguf(const Gguf& gguf);
// All files of a split model, the first one first.
[[nodiscard]] Result<ModelConfig> config_from_gguf(std::span<const Gguf* const> files);
[[nodiscard]] Result<TokenizerParts> tokenizer_from_gguf(const Gguf& gguf);
// Empty if the file has none.
[[nodiscard]] Result<std::string> chat_template_from_gguf(const Gguf& gguf);

}  // namespace adit::model
