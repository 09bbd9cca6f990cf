// SPDX-License-Identifier: MIT
#include "common/model/bpe.hpp"

#include <algorithm>
#include <queue>
#include <utility>

#include "common/model/unicode_classes.hpp"

namespace adit::model {
namespace {

std::uint64_t pair_key(TokenId left, TokenId right) {
  return (static_cast<std::uint64_t>(static_cast<std::uint32_t>(left)) << 32) |
         static_cast<std::uint32_t>(right);
}

constexpr std::uint32_t kNone = UINT32_MAX;

// A symbol of the word under work, in a doubly linked list by index; merged-away ones have id -1.
struct Symbol {
  TokenId id;
  std::uint32_t previous;
  std::uint32_t next;
};

struct Candidate {
  std::uint32_t rank;
  std::uint32_t position;
  TokenId left;
  TokenId right;
  TokenId merged;
  friend bool operator>(const Candidate& a, const Candidate& b) {
    return std::pair(a.rank, a.position) > std::pair(b.rank, b.position);
  }
};

}  // namespace

bool Bpe::add_merge(TokenId left, TokenId right, TokenId merged, std::uint32_t rank) {
  return merges_.insert(pair_key(left, right), Merge{rank, merged});
}

void Bpe::character(std::string_view one, char32_t code, bool& after_unknown,
                    std::vector<TokenId>& out) const {
  if (const TokenId* id = character_ids_.find(code); id != nullptr) {
    out.push_back(*id);
    after_unknown = false;
    return;
  }
  const bool has_bytes = std::all_of(one.begin(), one.end(),
                                     [&](char c) { return fallback_[static_cast<std::uint8_t>(c)] >= 0; });
  if (has_bytes) {
    for (const char c : one) out.push_back(fallback_[static_cast<std::uint8_t>(c)]);
    after_unknown = false;
    return;
  }
  if (unknown_ >= 0 && !(after_unknown && fuse_unknown_)) out.push_back(unknown_);
  after_unknown = unknown_ >= 0;
}

void Bpe::first_ids(std::string_view word, std::vector<TokenId>& out) const {
  out.reserve(word.size());
  bool after_unknown = false;
  while (characters_ && !word.empty()) {
    const Utf8Step step = decode_utf8(word);
    character(word.substr(0, step.length), step.code, after_unknown, out);
    word.remove_prefix(step.length);
  }
  for (const char c : word) {
    const TokenId id = byte_ids_[static_cast<std::uint8_t>(c)];
    if (id >= 0) {
      out.push_back(id);
    } else if (unknown_ >= 0 && !(after_unknown && fuse_unknown_)) {
      out.push_back(unknown_);
    }
    after_unknown = id < 0 && unknown_ >= 0;
  }
}

std::vector<TokenId> Bpe::merge(std::string_view word) const {
  std::vector<TokenId> ids;
  first_ids(word, ids);
  if (ids.size() < 2) return ids;
  std::vector<Symbol> symbols;
  symbols.reserve(ids.size());
  for (std::uint32_t i = 0; i < ids.size(); ++i) symbols.push_back({ids[i], i == 0 ? kNone : i - 1, i + 1});
  symbols.back().next = kNone;

  std::priority_queue<Candidate, std::vector<Candidate>, std::greater<>> queue;
  const auto offer = [&](std::uint32_t position) {
    if (position == kNone || symbols[position].next == kNone) return;
    const Symbol& left = symbols[position];
    const Symbol& right = symbols[left.next];
    if (const Merge* found = merges_.find(pair_key(left.id, right.id)); found != nullptr) {
      queue.push({found->rank, position, left.id, right.id, found->merged});
    }
  };
  for (std::uint32_t i = 0; i < symbols.size(); ++i) offer(i);
  while (!queue.empty()) {
    const Candidate best = queue.top();
    queue.pop();
    Symbol& left = symbols[best.position];
    if (left.id != best.left || left.next == kNone || symbols[left.next].id != best.right) continue;
    Symbol& right = symbols[left.next];
    left.id = best.merged;
    left.next = right.next;
    right.id = -1;
    if (left.next != kNone) symbols[left.next].previous = best.position;
    offer(left.previous);
    offer(best.position);
  }
  ids.clear();
  for (const Symbol& symbol : symbols) {
    if (symbol.id >= 0) ids.push_back(symbol.id);
  }
  return ids;
}

void Bpe::encode_word(std::string_view word, std::vector<TokenId>& out) const {
  if (word.size() == 1 && !characters_ && unknown_ < 0) {
    const TokenId id = byte_ids_[static_cast<std::uint8_t>(word[0])];
    if (id >= 0) out.push_back(id);
    return;
  }
  if (word.size() > kWordCacheBytesMax) {
    const std::vector<TokenId> ids = merge(word);
    out.insert(out.end(), ids.begin(), ids.end());
    return;
  }
  const std::string key(word);
  std::unique_lock lock(cache_.mutex, std::try_to_lock);
  if (lock.owns_lock()) {
    if (const auto found = cache_.words.find(key); found != cache_.words.end()) {
      out.insert(out.end(), found->second.begin(), found->second.end());
      return;
    }
    lock.unlock();
  }
  std::vector<TokenId> ids = merge(word);
  out.insert(out.end(), ids.begin(), ids.end());
  if (!lock.try_lock()) return;
  if (cache_.words.size() >= kWordCacheEntriesMax) cache_.words.clear();
  cache_.words.emplace(key, std::move(ids));
}

}  // namespace adit::model
