// SPDX-License-Identifier: MIT
// common/net/rate_limiter.hpp
//
// A token bucket for each hotkey, in bounded memory.
//
// Out      0: the call may go on (one token taken). Otherwise milliseconds until a token is there.
// Units    per_second: tokens a second; burst: the bucket's size.
// Threads  any; one mutex.
// Tests    tests/unit/common/net/rate_limiter_test.cpp
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <mutex>

#include "common/base/limits.hpp"
#include "common/base/strong.hpp"

namespace adit::net {

struct RateLimits {
  std::uint32_t per_second = 10;
  std::uint32_t burst = 20;
  std::size_t hotkeys_max = limits::kRateHotkeysMax;
};

class RateLimiter {
 public:
  explicit RateLimiter(RateLimits limits) : limits_(limits) {}
  [[nodiscard]] std::uint32_t take(const AccountId& hotkey, std::uint64_t steady_ns);

 private:
  // A bucket is stored as the time at which it will be full again.
  struct Bucket {
    std::uint64_t full_at_ns = 0;
  };
  const RateLimits limits_;
  std::mutex mutex_;
  std::map<AccountId, Bucket> buckets_;
};

}  // namespace adit::net
