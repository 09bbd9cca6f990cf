// SPDX-License-Identifier: MIT
// common/model/word_splitter.hpp
//
// Cuts text into the words that byte-level BPE works on.
//
// In       well-formed UTF-8.
// Out      consecutive pieces that cover the text. kGpt2 is GPT-2's pattern
//          's|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+ ;
//          kSmollm first isolates every \p{N} and applies the pattern to each stretch by itself.
// Threads  pure.
// Source   huggingface/tokenizers: pre-tokenizers ByteLevel(use_regex) and Digits(individual_digits)
// Tests    tests/unit/common/model/word_splitter_test.cpp
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace adit::model {

enum class PreTokenizer : std::uint8_t { kGpt2, kSmollm };
// GGUF's names: "gpt-2", "smollm".
[[nodiscard]] std::string_view name(PreTokenizer pre);
[[nodiscard]] std::optional<PreTokenizer> find_pre_tokenizer(std::string_view gguf_name);

[[nodiscard]] std::vector<std::string_view> split_words(PreTokenizer pre, std::string_view text);

}  // namespace adit::model
