// SPDX-License-Identifier: MIT
#include "common/net/rate_limiter.hpp"

#include <algorithm>

namespace adit::net {

std::uint32_t RateLimiter::take(const AccountId& hotkey, std::uint64_t steady_ns) {
  const std::uint64_t token_ns = 1'000'000'000 / std::max<std::uint32_t>(limits_.per_second, 1);
  const std::uint64_t depth_ns = token_ns * std::max<std::uint32_t>(limits_.burst, 1);
  const std::lock_guard lock(mutex_);
  if (buckets_.size() >= limits_.hotkeys_max && !buckets_.contains(hotkey)) {
    // A full bucket says nothing: forget those.
    std::erase_if(buckets_, [&](const auto& each) { return each.second.full_at_ns <= steady_ns; });
    if (buckets_.size() >= limits_.hotkeys_max) return 1000;
  }
  Bucket& bucket = buckets_[hotkey];
  const std::uint64_t full_at = std::max(bucket.full_at_ns, steady_ns) + token_ns;
  if (full_at - steady_ns > depth_ns) {
    return static_cast<std::uint32_t>((full_at - steady_ns - depth_ns + 999'999) / 1'000'000);
  }
  bucket.full_at_ns = full_at;
  return 0;
}

}  // namespace adit::net
