// SPDX-License-Identifier: MIT
#include "common/protocol/replay_window.hpp"

#include <algorithm>

namespace adit::protocol {

Result<void> ReplayWindow::record(const AccountId& hotkey, std::uint64_t nonce,
                                  std::uint64_t now_ns) {
  const std::lock_guard lock(mutex_);
  newest_now_ns_ = std::max(newest_now_ns_, now_ns);
  const std::uint64_t horizon =
      newest_now_ns_ > limits_.retention_ns ? newest_now_ns_ - limits_.retention_ns : 0;
  if (newest_now_ns_ >= next_sweep_ns_ || entries_ >= limits_.entries_max) forget_before(horizon);
  if (nonce < horizon) {
    return unauthenticated("nonce is older than the {} s that are remembered",
                           limits_.retention_ns / 1'000'000'000);
  }
  const auto known = used_.find(hotkey);
  if (known != used_.end()) {
    std::set<std::uint64_t>& nonces = known->second;
    const auto live = nonces.lower_bound(horizon);
    entries_ -= static_cast<std::size_t>(std::distance(nonces.begin(), live));
    nonces.erase(nonces.begin(), live);
    if (nonces.contains(nonce)) return unauthenticated("nonce was used before");
    if (nonces.size() >= limits_.entries_per_hotkey_max) {
      return resource_exhausted("this hotkey used {} nonces within {} s", nonces.size(),
                                limits_.retention_ns / 1'000'000'000);
    }
  }
  if (entries_ >= limits_.entries_max) {
    return resource_exhausted("the replay window holds its {} live nonces", limits_.entries_max);
  }
  used_[hotkey].insert(nonce);
  ++entries_;
  return {};
}

std::size_t ReplayWindow::size() const {
  const std::lock_guard lock(mutex_);
  return entries_;
}

void ReplayWindow::forget_before(std::uint64_t horizon_ns) {
  for (auto each = used_.begin(); each != used_.end();) {
    std::set<std::uint64_t>& nonces = each->second;
    const auto live = nonces.lower_bound(horizon_ns);
    entries_ -= static_cast<std::size_t>(std::distance(nonces.begin(), live));
    nonces.erase(nonces.begin(), live);
    each = nonces.empty() ? used_.erase(each) : std::next(each);
  }
  next_sweep_ns_ = newest_now_ns_ + limits_.retention_ns / 4;
}

}  // namespace adit::protocol
