// SPDX-License-Identifier: MIT
#include "validator/localnet/versioned_map.hpp"

#include <algorithm>

#include "common/crypto/hash.hpp"

namespace adit::validator {
namespace {

bool starts_with(const Bytes& key, ByteView prefix) {
  return key.size() >= prefix.size() && std::equal(prefix.begin(), prefix.end(), key.begin());
}

}  // namespace

const Bytes* VersionedMap::find(ByteView key, BlockNumber at) const {
  const auto entry = entries_.find(to_bytes(key));
  if (entry == entries_.end()) return nullptr;
  const std::vector<Version>& versions = entry->second;
  auto after = std::upper_bound(versions.begin(), versions.end(), at,
                                [](BlockNumber block, const Version& v) { return block < v.block; });
  if (after == versions.begin()) return nullptr;
  --after;
  return after->value ? &*after->value : nullptr;
}

std::vector<Bytes> VersionedMap::keys(ByteView prefix, ByteView after, std::size_t most,
                                      BlockNumber at) const {
  std::vector<Bytes> out;
  const Bytes begin = to_bytes(prefix);
  const Bytes skip = to_bytes(after);
  auto entry = skip < begin ? entries_.lower_bound(begin) : entries_.upper_bound(skip);
  // A start key equal to the prefix itself passes over that key only.
  for (; entry != entries_.end() && out.size() < most; ++entry) {
    if (!starts_with(entry->first, prefix)) break;
    if (find(entry->first, at) != nullptr) out.push_back(entry->first);
  }
  return out;
}

void VersionedMap::restore(Bytes key, BlockNumber block, std::optional<Bytes> value) {
  changed_[block].push_back(key);
  entries_[std::move(key)].push_back(Version{block, std::move(value)});
}

void VersionedMap::restored(BlockNumber head) {
  horizon_ = head > history_blocks_ ? head - history_blocks_ : 0;
  changed_.erase(changed_.begin(), changed_.upper_bound(horizon_));
}

std::vector<VersionedMap::Dropped> VersionedMap::commit(BlockNumber block, const Changes& changes) {
  for (const auto& [key, value] : changes) {
    std::vector<Version>& versions = entries_[key];
    if (!versions.empty() && versions.back().block == block) versions.pop_back();
    versions.push_back(Version{block, value});
    changed_[block].push_back(key);
  }
  return prune(block);
}

std::vector<VersionedMap::Dropped> VersionedMap::prune(BlockNumber head) {
  std::vector<Dropped> dropped;
  if (head <= history_blocks_) return dropped;
  horizon_ = head - history_blocks_;
  while (!changed_.empty() && changed_.begin()->first <= horizon_) {
    const BlockNumber block = changed_.begin()->first;
    for (const Bytes& key : changed_.begin()->second) {
      const auto entry = entries_.find(key);
      if (entry == entries_.end()) continue;
      std::vector<Version>& versions = entry->second;
      const auto keep = std::find_if(versions.begin(), versions.end(),
                                     [&](const Version& v) { return v.block >= block; });
      const bool any = keep != versions.begin();
      versions.erase(versions.begin(), keep);
      const bool whole = !versions.empty() && versions.front().block == block && !versions.front().value;
      if (whole) versions.erase(versions.begin());
      if (versions.empty()) entries_.erase(entry);
      if (any || whole) dropped.push_back({key, block, whole});
    }
    changed_.erase(changed_.begin());
  }
  return dropped;
}

Hash256 VersionedMap::root_with(const Changes& changes) const {
  crypto::PersonalHash hash("adit1.state");
  const auto feed = [&](const Bytes& key, const Bytes& value) {
    Bytes lengths;
    append_le(lengths, static_cast<std::uint32_t>(key.size()));
    append_le(lengths, static_cast<std::uint32_t>(value.size()));
    hash.update(lengths).update(key).update(value);
  };
  auto change = changes.begin();
  const auto feed_change = [&] {
    if (change->second) feed(change->first, *change->second);
    ++change;
  };
  for (const auto& [key, versions] : entries_) {
    while (change != changes.end() && change->first < key) feed_change();
    if (change != changes.end() && change->first == key) {
      feed_change();
    } else if (versions.back().value) {
      feed(key, *versions.back().value);
    }
  }
  while (change != changes.end()) feed_change();
  return hash.finish();
}

}  // namespace adit::validator
