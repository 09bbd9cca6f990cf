// SPDX-License-Identifier: MIT
// common/model/parallel_rows.hpp
//
// A loop over rows on several threads, for work that is not on the serving path (packing, the f32 reference).
//
// In       work(begin, end): disjoint ranges that cover 0..count; it must not throw.
// Threads  starts threads - 1 of its own and joins them before it returns; threads <= 0 means all cores.
#pragma once

#include <algorithm>
#include <atomic>
#include <thread>
#include <vector>

namespace adit::model {

template <class Work>
void parallel_rows(int threads, int count, int chunk, const Work& work) {
  std::atomic<int> next{0};
  const auto loop = [&] {
    for (;;) {
      const int begin = next.fetch_add(chunk);
      if (begin >= count) return;
      work(begin, std::min(begin + chunk, count));
    }
  };
  if (threads <= 0) threads = static_cast<int>(std::max(1u, std::thread::hardware_concurrency()));
  threads = std::min(threads, (count + chunk - 1) / chunk);
  std::vector<std::jthread> team;
  for (int i = 1; i < threads; ++i) team.emplace_back(loop);
  loop();
}

}  // namespace adit::model
