// SPDX-License-Identifier: MIT
// common/model/bpe.hpp
//
// Byte pair encoding of one word: the pair with the best rank is merged first, the leftmost of equals.
//
// In       a word: any bytes (set_byte), or UTF-8 (characters). A byte or character without a token becomes the
//          byte tokens of its bytes, else the unknown token, else it is left out before merging.
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
#include "common/model/token_map.hpp"

namespace adit::model {

inline constexpr std::size_t kWordCacheEntriesMax = 16'384;
inline constexpr std::size_t kWordCacheBytesMax = 48;

class Bpe {
 public:
  Bpe() {
    byte_ids_.fill(-1);
    fallback_.fill(-1);
  }
  void set_byte(std::uint8_t byte, TokenId id) { byte_ids_[byte] = id; }
  // Words are characters, not bytes.
  void use_characters() { characters_ = true; }
  void set_character(char32_t code, TokenId id) { static_cast<void>(character_ids_.insert(code, id)); }
  void set_fallback(std::uint8_t byte, TokenId id) { fallback_[byte] = id; }
  void set_unknown(TokenId id, bool fuse) {
    unknown_ = id;
    fuse_unknown_ = fuse;
  }
  void reserve(std::size_t merges) { merges_.reserve(merges); }
  // Merges come in the order of their ranks.
  [[nodiscard]] bool add_merge(TokenId left, TokenId right, TokenId merged) {
    return add_merge(left, right, merged, static_cast<std::uint32_t>(merges_.size()));
  }
  [[nodiscard]] bool add_merge(TokenId left, TokenId right, TokenId merged, std::uint32_t rank);

  void encode_word(std::string_view word, std::vector<TokenId>& out) const;

 private:
  struct Merge {
    std::uint32_t rank = 0;
    TokenId merged = -1;
  };
  void first_ids(std::string_view word, std::vector<TokenId>& out) const;
  void character(std::string_view one, char32_t code, bool& after_unknown, std::vector<TokenId>& out) const;
  [[nodiscard]] std::vector<TokenId> merge(std::string_view word) const;

  std::array<TokenId, 256> byte_ids_{};
  bool characters_ = false;
  FlatMap<TokenId> character_ids_;
  std::array<TokenId, 256> fallback_{};
  TokenId unknown_ = -1;
  bool fuse_unknown_ = false;
  FlatMap<Merge> merges_;

  struct Cache {
    std::mutex mutex;
    std::unordered_map<std::string, std::vector<TokenId>> words;
  };
  mutable Cache cache_;
};

}  // namespace adit::model
