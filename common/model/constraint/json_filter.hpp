// SPDX-License-Identifier: MIT
// common/model/constraint/json_filter.hpp
//
// Holds one answer to a JSON schema: the filter `json-schema/1`.
//
// In       schema and vocabulary, shared and const; the model's stop ids.
// Out      allowed: the tokens whose bytes keep the answer a beginning of an accepted text, and the stop ids
//          where it is a whole one. An answer that ended by a stop id is accepted by the schema.
// Units    the first visit of a machine's state walks the vocabulary once; later ones look it up.
// Threads  one thread at a time.
// Source   kernels/NUMERICS.md, "Sampling"; schema.hpp
// Tests    tests/unit/common/model/constraint/json_filter_test.cpp
#pragma once

#include <memory>
#include <unordered_map>
#include <vector>

#include "common/model/constraint/json_machine.hpp"
#include "common/model/constraint/schema.hpp"
#include "common/model/constraint/token_trie.hpp"
#include "common/model/token_filter.hpp"

namespace adit::model::constraint {

class JsonFilter final : public TokenFilter {
 public:
  JsonFilter(std::shared_ptr<const Schema> schema, std::shared_ptr<const TokenTrie> trie,
             const Tokenizer& tokenizer, std::vector<TokenId> stop_ids);
  [[nodiscard]] AllowedIds allowed() override;
  void advance(TokenId chosen) override;

 private:
  const std::shared_ptr<const Schema> schema_;
  const std::shared_ptr<const TokenTrie> trie_;
  const Tokenizer tokenizer_;
  const std::vector<TokenId> stop_ids_;
  JsonMachine machine_;
  JsonMachine::State state_;
  std::unordered_map<JsonMachine::State, std::vector<std::uint64_t>> masks_;
};

}  // namespace adit::model::constraint
