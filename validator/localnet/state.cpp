// SPDX-License-Identifier: MIT
#include "validator/localnet/state.hpp"

#include <algorithm>

#include "common/chain/storage_key.hpp"

namespace adit::validator {

Bytes State::make_key(Item item, const std::vector<Bytes>& parts) const {
  Result<Bytes> key = chain::storage_key(metadata_, item.pallet, item.name, parts);
  ADIT_CHECK(key.has_value());
  return *std::move(key);
}

Bytes State::default_of(Item item) const {
  const auto entry = metadata_.storage(item.pallet, item.name);
  ADIT_CHECK(entry.has_value());
  return (*entry)->default_value;
}

std::optional<Bytes> State::raw(ByteView key) const {
  const auto change = changes_.find(to_bytes(key));
  if (change != changes_.end()) return change->second;
  const Bytes* stored = base_.find(key, at_);
  if (stored == nullptr) return std::nullopt;
  return *stored;
}

void State::set_raw(const Bytes& key, std::optional<Bytes> value) {
  const auto change = changes_.find(key);
  const bool was_changed = change != changes_.end();
  if (!marks_.empty()) journal_.push_back({key, was_changed, was_changed ? change->second : std::nullopt});
  changes_[key] = std::move(value);
}

std::vector<Bytes> State::keys_under(const Bytes& prefix) const {
  std::vector<Bytes> stored = base_.keys(prefix, {}, std::size_t(-1), at_);
  std::vector<Bytes> out;
  for (Bytes& key : stored) {
    if (!changes_.contains(key)) out.push_back(std::move(key));
  }
  for (auto change = changes_.lower_bound(prefix); change != changes_.end(); ++change) {
    if (!std::equal(prefix.begin(), prefix.end(), change->first.begin(),
                    change->first.begin() +
                        static_cast<std::ptrdiff_t>(std::min(prefix.size(), change->first.size())))) {
      break;
    }
    if (change->second) out.push_back(change->first);
  }
  std::sort(out.begin(), out.end());
  return out;
}

void State::commit() {
  ADIT_CHECK(!marks_.empty());
  marks_.pop_back();
  if (marks_.empty()) journal_.clear();
}

void State::rollback() {
  ADIT_CHECK(!marks_.empty());
  while (journal_.size() > marks_.back()) {
    Undo& undo = journal_.back();
    if (undo.was_changed) {
      changes_[undo.key] = std::move(undo.value);
    } else {
      changes_.erase(undo.key);
    }
    journal_.pop_back();
  }
  marks_.pop_back();
}

}  // namespace adit::validator
