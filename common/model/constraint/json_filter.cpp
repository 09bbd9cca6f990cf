// SPDX-License-Identifier: MIT
#include "common/model/constraint/json_filter.hpp"

#include <algorithm>
#include <utility>

namespace adit::model::constraint {
namespace {

constexpr std::size_t kMasksMax = 128;

}  // namespace

JsonFilter::JsonFilter(std::shared_ptr<const Schema> schema, std::shared_ptr<const TokenTrie> trie,
                       const Tokenizer& tokenizer, std::vector<TokenId> stop_ids)
    : schema_(std::move(schema)),
      trie_(std::move(trie)),
      tokenizer_(tokenizer),
      stop_ids_(std::move(stop_ids)),
      machine_(*schema_),
      state_(machine_.start()) {}

AllowedIds JsonFilter::allowed() {
  if (state_ == JsonMachine::kDead) return {};
  if (machine_.is_full()) {
    state_ = machine_.forget(state_);
    masks_.clear();
  }
  if (const auto known = masks_.find(state_); known != masks_.end()) return known->second;
  if (masks_.size() >= kMasksMax) masks_.clear();
  std::vector<std::uint64_t> mask(trie_->mask_words(), 0);
  trie_->mark_allowed(machine_, state_, mask);
  if (machine_.is_accepting(state_)) {
    for (const TokenId id : stop_ids_)
      mask[static_cast<std::size_t>(id) / 64] |= std::uint64_t{1} << (id % 64);
  }
  if (std::all_of(mask.begin(), mask.end(), [](std::uint64_t word) { return word == 0; })) return {};
  return masks_[state_] = std::move(mask);
}

void JsonFilter::advance(TokenId chosen) {
  if (std::find(stop_ids_.begin(), stop_ids_.end(), chosen) != stop_ids_.end()) return;
  for (const char byte : tokenizer_.piece(chosen)) {
    if (state_ != JsonMachine::kDead) state_ = machine_.step(state_, static_cast<std::uint8_t>(byte));
  }
}

}  // namespace adit::model::constraint
