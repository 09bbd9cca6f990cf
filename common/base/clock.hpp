// SPDX-License-Identifier: MIT
// common/base/clock.hpp
//
// The Clock seam: all wall time comes in through it, so that tests own time.
//
// Units    now_ns: unix time in nanoseconds; steady_ns: monotonic nanoseconds from an arbitrary start.
// Threads  implementations are safe for any thread.
// Tests    tests/support/fake_clock.hpp stands in for it
#pragma once

#include <cstdint>

namespace adit {

class Clock {
 public:
  virtual ~Clock() = default;
  [[nodiscard]] virtual std::uint64_t now_ns() const = 0;
  [[nodiscard]] virtual std::uint64_t steady_ns() const = 0;
};

class SystemClock final : public Clock {
 public:
  [[nodiscard]] std::uint64_t now_ns() const override;
  [[nodiscard]] std::uint64_t steady_ns() const override;
};

}  // namespace adit
