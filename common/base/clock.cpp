// SPDX-License-Identifier: MIT
#include "common/base/clock.hpp"

#include <ctime>

namespace adit {
namespace {

std::uint64_t read(clockid_t id) {
  timespec now{};
  clock_gettime(id, &now);
  return static_cast<std::uint64_t>(now.tv_sec) * 1'000'000'000u + static_cast<std::uint64_t>(now.tv_nsec);
}

}  // namespace

std::uint64_t SystemClock::now_ns() const { return read(CLOCK_REALTIME); }
std::uint64_t SystemClock::steady_ns() const { return read(CLOCK_MONOTONIC); }

}  // namespace adit
