// SPDX-License-Identifier: MIT
// common/model/bpe.hpp
//
// Byte pair encoding of one word: the pair with the best rank is merged first, the leftmost of equals.
//
// In       a word of any bytes; a byte without a token is left out before merging.
// Out      ids; O(n log n) in the word's length. Results of short words are kept in a bounded cache.
// Errors   add_merge: false for a pair that is there already.
// Threads  encode_word is const and safe from any thread (a busy cache is passed by, never waited for).
// Source   the ranks and ties of huggingface/tokenizers' BPE model
// Tests    tests/unit/common/model/bpe_test.cpp
#pragma once

#include <array>
#include <cstdint>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "common/base/strong.hpp"

namespace adit::model {

inline constexpr std::size_t kWordCacheEntriesMax = 16'384;
inline constexpr std::size_t kWordCacheBytesMax = 48;

class Bpe {
 public:
  Bpe() { byte_ids_.fill(-1); }
  void set_byte(std::uint8_t byte, TokenId id) { byte_ids_[byte] = id; }
  void reserve(std::size_t merges) { merges_.reserve(merges); }
  // Merges come in the order of their ranks.
  [[nodiscard]] bool add_merge(TokenId left, TokenId right, TokenId merged);

  void encode_word(std::string_view word, std::vector<TokenId>& out) const;

 private:
  struct Merge {
    std::uint32_t rank;
    TokenId merged;
  };
  [[nodiscard]] const Merge* find(TokenId left, TokenId right) const;
  [[nodiscard]] std::vector<TokenId> merge(std::string_view word) const;

  std::array<TokenId, 256> byte_ids_{};
  std::unordered_map<std::uint64_t, Merge> merges_;

  struct Cache {
    std::mutex mutex;
    std::unordered_map<std::string, std::vector<TokenId>> words;
  };
  mutable Cache cache_;
};

}  // namespace adit::model
