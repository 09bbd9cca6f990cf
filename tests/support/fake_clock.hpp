// SPDX-License-Identifier: MIT
// tests/support/fake_clock.hpp
//
// A Clock that moves only when a test says so. Threads: any.
#pragma once

#include <atomic>

#include "common/base/clock.hpp"

namespace adit::test {

class FakeClock final : public Clock {
 public:
  explicit FakeClock(std::uint64_t now_ns) : now_ns_(now_ns) {}
  [[nodiscard]] std::uint64_t now_ns() const override { return now_ns_.load(); }
  [[nodiscard]] std::uint64_t steady_ns() const override { return now_ns_.load(); }
  void advance_ns(std::uint64_t by) { now_ns_ += by; }

 private:
  std::atomic<std::uint64_t> now_ns_;
};

}  // namespace adit::test
