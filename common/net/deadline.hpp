// SPDX-License-Identifier: MIT
// common/net/deadline.hpp
//
// "In so many milliseconds" as gRPC wants it, on the monotonic clock: a step of the wall clock
// changes nothing.
//
// Threads  any.
// Tests    tests/unit/common/net/miner_server_test.cpp
#pragma once

#include <grpc/support/time.h>

#include <chrono>

namespace adit::net {

[[nodiscard]] inline gpr_timespec deadline_after(std::chrono::milliseconds wait) {
  return gpr_time_add(gpr_now(GPR_CLOCK_MONOTONIC),
                      gpr_time_from_millis(wait.count(), GPR_TIMESPAN));
}

}  // namespace adit::net
