// SPDX-License-Identifier: MIT
// tests/bench/thread_time.hpp
//
// Processor time of the calling thread: on a shared machine, waiting for a turn does not count.
//
// Units    seconds.
// Threads  any; each measures itself.
// Source   clock_gettime(2), CLOCK_THREAD_CPUTIME_ID
#pragma once

#include <algorithm>

#include <time.h>

namespace adit::bench {

inline double thread_seconds() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

// Seconds of the fastest of `rounds` calls.
template <class F>
double fastest(int rounds, F f) {
  double best = 1e30;
  for (int i = 0; i < rounds; ++i) {
    const double begin = thread_seconds();
    f();
    best = std::min(best, thread_seconds() - begin);
  }
  return best;
}

}  // namespace adit::bench
