// SPDX-License-Identifier: MIT
// common/model/tokenizer_steps.hpp
//
// The small parts of tokenizer.json (normalizer, pre_tokenizer, decoder, post_processor) as steps, and back.
//
// In       JSON text of one part; "null" where it is absent.
// Out      *_json: canonical text, so that equal steps give equal bytes.
// Errors   kInvalidArgument, kUnimplemented "tokenizer: key path: what was found, what was expected".
// Threads  pure.
// Source   huggingface/tokenizers 0.23, serialised forms
// Tests    tests/unit/common/model/hf_tokenizer_test.cpp
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "common/base/result.hpp"
#include "common/model/tokenizer_parts.hpp"

namespace adit::model {

[[nodiscard]] Result<std::vector<NormalizerStep>> read_normalizer(std::string_view json);
[[nodiscard]] Result<std::vector<WordStep>> read_pre_tokenizer(std::string_view json);
// Sets byte_level and strip_left.
[[nodiscard]] Result<void> read_decoder(std::string_view json, TextSteps& steps);
// The id of the token that is put before every text, or -1.
[[nodiscard]] Result<TokenId> read_post_processor(std::string_view json);
// Refuses combinations that the rest does not do.
[[nodiscard]] Result<void> check_steps(const TextSteps& steps);

[[nodiscard]] std::string normalizer_json(const std::vector<NormalizerStep>& steps);
[[nodiscard]] std::string pre_tokenizer_json(const std::vector<WordStep>& steps);
[[nodiscard]] std::string decoder_json(const TextSteps& steps);

// What kind "llama" of GGUF means: the blank is U+2581, and stands before every text if `space_prefix`.
[[nodiscard]] TextSteps sentencepiece_steps(bool space_prefix);

// A text as JSON.
[[nodiscard]] std::string json_quoted(std::string_view text);

}  // namespace adit::model
