// SPDX-License-Identifier: MIT
#include "common/model/constraint/token_trie.hpp"

#include <algorithm>
#include <string_view>
#include <utility>

namespace adit::model::constraint {
namespace {

// Longer tokens exist in no vocabulary worth the name, and are left out.
constexpr std::size_t kTokenBytesMax = 1024;

}  // namespace

TokenTrie::TokenTrie(const Tokenizer& tokenizer, int vocab)
    : mask_words_(static_cast<std::size_t>(vocab + 63) / 64) {
  std::vector<std::pair<std::string_view, TokenId>> tokens;
  const auto count = std::min<std::size_t>(tokenizer.vocabulary_size(), static_cast<std::size_t>(vocab));
  for (std::size_t i = 0; i < count; ++i) {
    const auto id = static_cast<TokenId>(i);
    const std::string_view piece = tokenizer.piece(id);
    if (!tokenizer.is_special(id) && !piece.empty() && piece.size() <= kTokenBytesMax)
      tokens.emplace_back(piece, id);
  }
  std::sort(tokens.begin(), tokens.end());
  std::vector<std::size_t> path;
  std::string_view before;
  const auto close_to = [&](std::size_t depth) {
    for (; path.size() > depth; path.pop_back()) {
      prefixes_[path.back()].skip = static_cast<std::uint32_t>(prefixes_.size());
    }
  };
  for (const auto& [piece, id] : tokens) {
    const auto common = static_cast<std::size_t>(
        std::mismatch(piece.begin(), piece.end(), before.begin(), before.end()).first - piece.begin());
    close_to(common);
    for (std::size_t depth = common; depth < piece.size(); ++depth) {
      path.push_back(prefixes_.size());
      const auto none = static_cast<std::uint32_t>(ids_.size());
      prefixes_.push_back({.byte = static_cast<std::uint8_t>(piece[depth]),
                           .depth = static_cast<std::uint16_t>(depth),
                           .ids_begin = none,
                           .ids_end = none});
    }
    ids_.push_back(id);
    prefixes_[path.back()].ids_end = static_cast<std::uint32_t>(ids_.size());
    depth_max_ = std::max(depth_max_, piece.size());
    before = piece;
  }
  close_to(0);
}

void TokenTrie::mark_allowed(JsonMachine& machine, JsonMachine::State state,
                             std::span<std::uint64_t> mask) const {
  std::vector<JsonMachine::State> states(depth_max_ + 1, JsonMachine::kDead);
  states[0] = state;
  for (std::size_t i = 0; i < prefixes_.size();) {
    const Prefix& prefix = prefixes_[i];
    const JsonMachine::State next = machine.step(states[prefix.depth], prefix.byte);
    if (next == JsonMachine::kDead) {
      i = prefix.skip;
      continue;
    }
    states[std::size_t{prefix.depth} + 1] = next;
    for (std::uint32_t k = prefix.ids_begin; k < prefix.ids_end; ++k) {
      const auto id = static_cast<std::size_t>(ids_[k]);
      mask[id / 64] |= std::uint64_t{1} << (id % 64);
    }
    ++i;
  }
}

}  // namespace adit::model::constraint
