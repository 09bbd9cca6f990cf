// SPDX-License-Identifier: MIT
// common/model/tokenizer_reader.hpp
//
// tokenizer.json, ours or Hugging Face's, as parts.
//
// In       text of at most limits::kTokenizerJsonBytesMax bytes.
// Out      parts with steps; ids without a token become unused tokens "[PADn]", as GGUF files have them. Keys that
//          change no id (version, truncation, padding) are passed over.
// Errors   "tokenizer: key path: what was found, what was expected"
// Threads  pure.
// Source   huggingface/tokenizers 0.23, serialised forms
// Tests    tests/unit/common/model/tokenizer_test.cpp, hf_tokenizer_test.cpp
#pragma once

#include <string_view>

#include "common/base/result.hpp"
#include "common/model/tokenizer_parts.hpp"

namespace adit::model {

[[nodiscard]] Result<TokenizerParts> read_tokenizer_json(std::string_view text);

}  // namespace adit::model
