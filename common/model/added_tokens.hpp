// SPDX-License-Identifier: MIT
// common/model/added_tokens.hpp
//
// Finds added tokens in a text before it is cut into words.
//
// In       well-formed UTF-8. Tokens are looked for twice: those that stand for the exact text, then (in what is
//          left, normalised) those with the flag `normalized`.
// Out      pieces in order: tokens, and the texts between them.
// Threads  const after building.
// Source   huggingface/tokenizers: AddedVocabulary (leftmost, longest; single_word, lstrip, rstrip)
// Tests    tests/unit/common/model/unicode_forms_test.cpp, tokenizer_forms_test.cpp
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/strong.hpp"
#include "common/model/token_map.hpp"
#include "common/model/tokenizer_parts.hpp"

namespace adit::model {

class AddedTokens {
 public:
  struct Piece {
    std::string_view text;
    TokenId id = -1;  // -1: a text between tokens
  };

  // `text`: as it is looked for (normalised, for the tokens that are).
  void add(const std::string& text, TokenId id, const AddedFlags& flags, bool special);
  [[nodiscard]] bool has_normalized() const { return !normalized_.nodes_empty(); }
  // Without `parse_special`, special tokens in the text stay text.
  void split(std::string_view text, bool normalized, bool parse_special, std::vector<Piece>& out) const;

 private:
  struct Token {
    TokenId id = -1;
    AddedFlags flags;
    bool special = false;
  };
  // A tree of bytes; node 0 is the root.
  class Tree {
   public:
    void add(std::string_view text, std::uint32_t token);
    // The longest text of the tree that `text` begins with: its length and token.
    [[nodiscard]] std::pair<std::size_t, std::uint32_t> longest(std::string_view text) const;
    [[nodiscard]] bool nodes_empty() const { return tokens_.size() <= 1; }

   private:
    FlatMap<std::uint32_t> children_;       // node << 8 | byte
    std::vector<std::uint32_t> tokens_{0};  // by node: token + 1, or 0
    bool first_[256] = {};
  };
  std::vector<Token> tokens_;
  Tree exact_;
  Tree normalized_;
};

}  // namespace adit::model
