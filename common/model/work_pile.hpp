// SPDX-License-Identifier: MIT
// common/model/work_pile.hpp
//
// Pieces of one stage's work that a team's threads take as they come, so that a thread that is held up (by
// another process, a slower core) leaves the rest to others.
//
// In       count things in pieces of `piece`; every thread names the same numbers.
// Threads  take() from any; reset() while nobody takes.
// Tests    tests/unit/common/model/thread_team_test.cpp
#pragma once

#include <algorithm>
#include <atomic>

#include "common/model/thread_team.hpp"

namespace adit::model {

class alignas(64) WorkPile {
 public:
  void reset() { next_.store(0, std::memory_order_relaxed); }
  // Calls body(Share) for each piece that this thread gets, until none is left.
  template <class Body>
  void take(int count, int piece, Body&& body) {
    while (true) {
      const int begin = next_.fetch_add(piece, std::memory_order_relaxed);
      if (begin >= count) return;
      body(Share{begin, std::min(begin + piece, count)});
    }
  }

 private:
  std::atomic<int> next_{0};
};

// Tiles of a linear layer for worker `worker` of `threads`. Decode streams weights: small pieces, taken as
// they come, let the threads finish together. A wide step reads its activations again for every piece, and
// its outputs stay in a core's cache if it writes the same columns in each layer: one fixed share a thread.
template <class Body>
void split_tiles(WorkPile& pile, int tiles, int rows, int threads, int worker, Body&& body) {
  constexpr int kFewRows = 16;
  constexpr int kPiecesAThread = 6;
  if (threads == 1 || rows > kFewRows) {
    body(share_of(tiles, threads, worker));
  } else {
    pile.take(tiles, std::max(1, tiles / (threads * kPiecesAThread)), body);
  }
}

}  // namespace adit::model
