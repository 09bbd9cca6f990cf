// SPDX-License-Identifier: MIT
// common/model/share_pile.hpp
//
// One stage's work cut into a share a thread. A thread goes through its own share piece by piece, in order, so that
// what it reads is one stream; one that is done takes pieces of others, so that a thread that is held up (by
// another process, a slower core) does not hold up the rest.
//
// In       count things in pieces of `piece`; every thread names the same numbers, in the same order of stages.
// Out      body(Share) for each piece, once, on one of the threads.
// Threads  take() from each worker of a team once a stage; between two stages there is a barrier.
// Tests    tests/unit/common/model/thread_team_test.cpp
#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "common/model/thread_team.hpp"

namespace adit::model {

class SharePile {
 public:
  explicit SharePile(int threads) : lines_(static_cast<std::size_t>(threads)) {}

  template <class Body>
  void take(int worker, int count, int piece, Body&& body) {
    const int threads = static_cast<int>(lines_.size());
    const std::uint32_t stage = ++lines_[static_cast<std::size_t>(worker)].stage;
    for (int i = 0; i < threads; ++i) {
      const int owner = (worker + i) % threads;
      const Share share = share_of(count, threads, owner);
      const int pieces = (share.end - share.begin + piece - 1) / piece;
      for (int taken = claim(owner, stage, pieces); taken < pieces; taken = claim(owner, stage, pieces)) {
        const int begin = share.begin + taken * piece;
        body(Share{begin, std::min(begin + piece, share.end)});
      }
    }
  }

 private:
  struct alignas(64) Line {
    // The stage in the upper half, the pieces of the owner's share that are taken in the lower one. A stage
    // that is not the current one stands for 0 pieces: nobody has to reset it.
    std::atomic<std::uint64_t> claimed{0};
    // The stages that this worker has come to.
    std::uint32_t stage = 0;
  };

  // The index of a piece that is now the caller's, or `pieces`.
  int claim(int owner, std::uint32_t stage, int pieces) {
    std::atomic<std::uint64_t>& claimed = lines_[static_cast<std::size_t>(owner)].claimed;
    const std::uint64_t none = std::uint64_t{stage} << 32;
    std::uint64_t seen = claimed.load(std::memory_order_relaxed);
    while (true) {
      const std::uint64_t current = seen >> 32 == stage ? seen : none;
      const int taken = static_cast<int>(current & 0xffffffffU);
      if (taken >= pieces) return pieces;
      if (claimed.compare_exchange_weak(seen, current + 1, std::memory_order_relaxed)) return taken;
    }
  }

  std::vector<Line> lines_;
};

// Tiles of a linear layer for worker `worker` of `threads`. Decode streams weights: each thread its share, in
// pieces that others can take over. A wide step reads its activations again for every piece, and its outputs
// stay in a core's cache if it writes the same columns in each layer: one fixed share a thread.
template <class Body>
void split_tiles(SharePile& pile, int tiles, int rows, int threads, int worker, Body&& body) {
  constexpr int kFewRows = 16;
  constexpr int kPiecesAThread = 4;
  if (threads == 1 || rows > kFewRows) {
    body(share_of(tiles, threads, worker));
  } else {
    pile.take(worker, tiles, std::max(1, tiles / (threads * kPiecesAThread)), body);
  }
}

}  // namespace adit::model
