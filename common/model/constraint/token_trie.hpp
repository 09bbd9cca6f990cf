// SPDX-License-Identifier: MIT
// common/model/constraint/token_trie.hpp
//
// A vocabulary's tokens by their bytes, so that all of them are tried against a machine in one walk.
//
// In       a tokenizer; special tokens and those without bytes are left out. vocab: the model's, at least as many
//          bits has a mask.
// Out      mark_allowed: sets the bit of every token whose bytes the machine can take from `state`.
// Units    one visit for each prefix that can go on.
// Threads  const after construction; any thread.
// Tests    tests/unit/common/model/constraint/json_filter_test.cpp
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "common/model/constraint/json_machine.hpp"
#include "common/model/tokenizer.hpp"

namespace adit::model::constraint {

class TokenTrie {
 public:
  TokenTrie(const Tokenizer& tokenizer, int vocab);
  [[nodiscard]] std::size_t mask_words() const { return mask_words_; }
  void mark_allowed(JsonMachine& machine, JsonMachine::State state, std::span<std::uint64_t> mask) const;

 private:
  // In preorder: the children of a node follow it; `skip` is the first node that is not below it.
  struct Prefix {
    std::uint8_t byte = 0;
    std::uint16_t depth = 0;
    std::uint32_t skip = 0;
    std::uint32_t ids_begin = 0;
    std::uint32_t ids_end = 0;
  };
  std::vector<Prefix> prefixes_;
  std::vector<TokenId> ids_;
  std::size_t depth_max_ = 0;
  std::size_t mask_words_ = 0;
};

}  // namespace adit::model::constraint
