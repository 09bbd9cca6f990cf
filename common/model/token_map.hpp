// SPDX-License-Identifier: MIT
// common/model/token_map.hpp
//
// Hash tables of the tokenizer: texts to ids, and pairs of numbers to what they stand for.
//
// Out      TokenMap keeps no texts: it finds ids of the texts it is built over. FlatMap: open addressing.
// Threads  const after building.
// Tests    tests/unit/common/model/tokenizer_test.cpp
#pragma once

#include <bit>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/base/strong.hpp"

namespace adit::model {

class TokenMap {
 public:
  // The id of a text that stands in `texts` twice, or -1 if all differ.
  [[nodiscard]] TokenId build(const std::vector<std::string>& texts) {
    mask_ = std::bit_ceil(texts.size() * 2 + 2) - 1;
    slots_.assign(mask_ + 1, Slot{});
    for (std::size_t id = 0; id < texts.size(); ++id) {
      const std::size_t hash = hash_of(texts[id]);
      std::size_t at = hash & mask_;
      while (slots_[at].id >= 0) {
        if (slots_[at].tag == tag_of(hash) && texts[static_cast<std::size_t>(slots_[at].id)] == texts[id]) {
          return static_cast<TokenId>(id);
        }
        at = (at + 1) & mask_;
      }
      slots_[at] = {tag_of(hash), static_cast<TokenId>(id)};
    }
    return -1;
  }

  [[nodiscard]] TokenId find(const std::vector<std::string>& texts, std::string_view text) const {
    if (slots_.empty()) return -1;
    const std::size_t hash = hash_of(text);
    for (std::size_t at = hash & mask_; slots_[at].id >= 0; at = (at + 1) & mask_) {
      if (slots_[at].tag == tag_of(hash) && texts[static_cast<std::size_t>(slots_[at].id)] == text)
        return slots_[at].id;
    }
    return -1;
  }

 private:
  struct Slot {
    std::uint32_t tag = 0;
    TokenId id = -1;
  };
  static std::size_t hash_of(std::string_view text) { return std::hash<std::string_view>{}(text); }
  static std::uint32_t tag_of(std::size_t hash) { return static_cast<std::uint32_t>(hash >> 32); }
  std::vector<Slot> slots_;
  std::size_t mask_ = 0;
};

// Keys other than UINT64_MAX.
template <class Value>
class FlatMap {
 public:
  void reserve(std::size_t count) { grow(std::bit_ceil(count + count / 3 + 2)); }
  // False if the key is there already (its value stays).
  [[nodiscard]] bool insert(std::uint64_t key, Value value) {
    if ((count_ + 1) * 4 > slots_.size() * 3) grow(slots_.empty() ? 16 : slots_.size() * 2);
    Slot& slot = slots_[place(key)];
    if (slot.key == key) return false;
    slot = {key, value};
    ++count_;
    return true;
  }
  [[nodiscard]] const Value* find(std::uint64_t key) const {
    if (slots_.empty()) return nullptr;
    const Slot& slot = slots_[place(key)];
    return slot.key == key ? &slot.value : nullptr;
  }
  [[nodiscard]] std::size_t size() const { return count_; }

 private:
  static constexpr std::uint64_t kEmpty = UINT64_MAX;
  struct Slot {
    std::uint64_t key = kEmpty;
    Value value{};
  };
  [[nodiscard]] std::size_t place(std::uint64_t key) const {
    std::uint64_t z = (key ^ (key >> 32)) * 0x9e3779b97f4a7c15u;
    z = (z ^ (z >> 29)) * 0xbf58476d1ce4e5b9u;
    std::size_t at = static_cast<std::size_t>(z ^ (z >> 32)) & (slots_.size() - 1);
    while (slots_[at].key != kEmpty && slots_[at].key != key) at = (at + 1) & (slots_.size() - 1);
    return at;
  }
  void grow(std::size_t size) {
    if (size <= slots_.size()) return;
    std::vector<Slot> old = std::exchange(slots_, std::vector<Slot>(size));
    for (const Slot& slot : old) {
      if (slot.key != kEmpty) slots_[place(slot.key)] = slot;
    }
  }
  std::vector<Slot> slots_;
  std::size_t count_ = 0;
};

}  // namespace adit::model
