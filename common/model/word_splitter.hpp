// SPDX-License-Identifier: MIT
// common/model/word_splitter.hpp
//
// Cuts text into the words that byte pair encoding works on.
//
// In       well-formed UTF-8; steps in the order of tokenizer.json's pre_tokenizer. Each step works on the pieces
//          that the step before left; nothing in a pattern looks beyond its piece.
// Out      consecutive pieces that cover the text (Words::text, which Metaspace and prefix blanks change). Linear
//          in the text for every pattern.
// Threads  pure.
// Source   huggingface/tokenizers: Split (behaviour Isolated), ByteLevel, Digits, Metaspace; the patterns of GPT-2,
//          Llama 3, Qwen2 and DeepSeek as pattern_of gives them. \s, \p{…} and (?i) mean what the reference's
//          engine (Oniguruma) means: White_Space, general categories, 's also with U+017F.
// Tests    tests/unit/common/model/word_splitter_test.cpp
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "common/model/tokenizer_parts.hpp"

namespace adit::model {

// The regular expression of a cut, as tokenizer.json writes it.
[[nodiscard]] std::string_view pattern_of(Cut cut);
[[nodiscard]] std::optional<Cut> find_cut(std::string_view pattern);

// What GGUF's names ("smollm", "gpt-2", "llama-bpe", "qwen2", "deepseek-llm", …) stand for.
struct PreSteps {
  TextSteps steps;
  bool ignore_merges = false;
  bool add_bos = false;  // where the file does not say
  friend bool operator==(const PreSteps&, const PreSteps&) = default;
};
[[nodiscard]] std::optional<PreSteps> find_pre(std::string_view gguf_name);
// The names, for messages.
[[nodiscard]] std::string_view pre_names();

struct Words {
  std::string_view text;  // the given text, or `changed`
  std::string changed;
  std::vector<std::size_t> ends;  // of the words, in bytes of `text`
};
// `first`: the text stands at the beginning of what is encoded (Metaspace's "first").
void split_words(std::span<const WordStep> steps, std::string_view text, bool first, Words& out);

}  // namespace adit::model
