// SPDX-License-Identifier: MIT
// common/protocol/nonce_source.hpp
//
// btauth nonces: the wall clock in nanoseconds, moved forward where needed so that none is given
// twice.
//
// Units    unix nanoseconds.
// Threads  any.
// Tests    tests/unit/common/protocol/btauth_test.cpp
#pragma once

#include <algorithm>
#include <cstdint>
#include <mutex>

#include "common/base/clock.hpp"

namespace adit::protocol {

class NonceSource {
 public:
  explicit NonceSource(const Clock& clock) : clock_(clock) {}
  [[nodiscard]] std::uint64_t next() {
    const std::lock_guard lock(mutex_);
    last_ = std::max(last_ + 1, clock_.now_ns());
    return last_;
  }

 private:
  const Clock& clock_;
  std::mutex mutex_;
  std::uint64_t last_ = 0;
};

}  // namespace adit::protocol
