// SPDX-License-Identifier: MIT
// common/model/tokenizer_data.hpp
//
// A tokenizer's vocabulary in memory; only the tokenizer's own sources include this.
//
// Threads  const after building.
// Tests    tests/unit/common/model/tokenizer_test.cpp
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/limits.hpp"
#include "common/model/added_tokens.hpp"
#include "common/model/bpe.hpp"
#include "common/model/token_map.hpp"
#include "common/model/tokenizer.hpp"
#include "common/model/tokenizer_parts.hpp"

namespace adit::model {

inline constexpr std::size_t kMergesMax = std::size_t{2} * limits::kVocabularyMax;
inline constexpr std::size_t kAddedMax = 65'536;
inline constexpr std::size_t kTokenBytesMax = 4096;
inline constexpr std::size_t kAddedBytesMax = 256;

struct Tokenizer::Data {
  TextSteps steps;
  std::vector<std::string> texts;   // by id: the printable alphabet, or characters
  TokenMap ids;                     // of texts
  std::vector<std::string> pieces;  // raw bytes by id
  std::vector<bool> special;        // by id
  AddedTokens added;
  Bpe bpe;
  bool ignore_merges = false;
  std::vector<bool> normal;  // by id: neither added nor unused; what ignore_merges may give
  TokenId bos = -1;
  TokenId eos = -1;
  TokenId unk = -1;
  TokenId pad = -1;
  bool add_bos = false;
};

// kInvalidArgument, kUnimplemented: parts that do not fit together.
[[nodiscard]] Result<void> check_parts(const TokenizerParts& parts);
// The steps that the parts give or that their kind and pre mean.
[[nodiscard]] Result<TextSteps> steps_of(const TokenizerParts& parts);
[[nodiscard]] Result<std::shared_ptr<const Tokenizer::Data>> build_tokenizer(TokenizerParts parts);

[[nodiscard]] std::string normalize(const std::vector<NormalizerStep>& steps, std::string_view text);

// GPT-2's printable alphabet: one code point for each byte, as UTF-8.
[[nodiscard]] std::string_view alphabet_of_byte(std::uint8_t byte);
// The bytes behind a token's alphabet form; a token with any other character stands for its own text.
[[nodiscard]] std::string bytes_of_alphabet(std::string_view token);

}  // namespace adit::model
