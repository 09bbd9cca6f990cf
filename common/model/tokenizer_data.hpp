// SPDX-License-Identifier: MIT
// common/model/tokenizer_data.hpp
//
// A tokenizer's vocabulary in memory; only the tokenizer's own sources include this.
//
// Threads  const after building.
// Tests    tests/unit/common/model/tokenizer_test.cpp
#pragma once

#include <array>
#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "common/model/bpe.hpp"
#include "common/model/tokenizer.hpp"
#include "common/model/word_splitter.hpp"

namespace adit::model {

struct TextHash {
  using is_transparent = void;
  std::size_t operator()(std::string_view text) const { return std::hash<std::string_view>{}(text); }
};
using TokenMap = std::unordered_map<std::string, TokenId, TextHash, std::equal_to<>>;

// Tokens that are looked for in the text before it is cut into words.
struct AddedTokens {
  TokenMap ids;
  std::vector<std::size_t> lengths;  // that occur, longest first
  std::array<bool, 256> first_bytes{};
};

struct Tokenizer::Data {
  PreTokenizer pre = PreTokenizer::kSmollm;
  TokenMap ids;                     // of all tokens, in the printable alphabet
  std::vector<std::string> pieces;  // raw bytes by id
  std::vector<bool> special;        // by id
  AddedTokens user;                 // found always
  AddedTokens all_added;            // found with parse_special: specials and user tokens
  Bpe bpe;
  TokenId bos = -1;
  TokenId eos = -1;
  TokenId unk = -1;
  TokenId pad = -1;
  bool add_bos = false;
};

// GPT-2's printable alphabet: one code point for each byte, as UTF-8.
[[nodiscard]] std::string alphabet_of_byte(std::uint8_t byte);
// The bytes behind a token's alphabet form; a token with any other character stands for its own text.
[[nodiscard]] std::string bytes_of_alphabet(std::string_view token);

}  // namespace adit::model
