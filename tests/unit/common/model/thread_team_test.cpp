// SPDX-License-Identifier: MIT
#include "common/model/thread_team.hpp"

#include <atomic>
#include <chrono>
#include <ctime>
#include <numeric>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "common/model/share_pile.hpp"
#include "common/model/work_pile.hpp"

namespace adit::model {
namespace {

TEST(ThreadTeam, shares_cover_everything_once) {
  for (const int count : {0, 1, 2, 7, 16, 100, 3072}) {
    for (const int workers : {1, 2, 3, 8}) {
      int next = 0;
      for (int w = 0; w < workers; ++w) {
        const Share share = share_of(count, workers, w);
        EXPECT_EQ(next, share.begin);
        EXPECT_LE(share.begin, share.end);
        EXPECT_LE(share.end - share.begin, count / workers + 1);
        next = share.end;
      }
      EXPECT_EQ(count, next);
    }
  }
}

TEST(ThreadTeam, runs_every_worker_every_time) {
  for (const int threads : {1, 2, 4}) {
    ThreadTeam team(threads);
    std::vector<int> calls(static_cast<std::size_t>(threads), 0);
    for (int round = 0; round < 300; ++round) {
      team.run([&](int worker) { ++calls[static_cast<std::size_t>(worker)]; });
    }
    for (const int n : calls) EXPECT_EQ(300, n);
  }
}

// What was written before a barrier is seen by all after it.
TEST(ThreadTeam, barrier_separates_stages) {
  constexpr int kThreads = 4;
  constexpr int kStages = 500;
  ThreadTeam team(kThreads);
  std::vector<int> cells(kThreads, 0);
  std::atomic<int> wrong{0};
  team.run([&](int worker) {
    for (int stage = 1; stage <= kStages; ++stage) {
      cells[static_cast<std::size_t>(worker)] = stage * (worker + 1);
      team.barrier(worker);
      if (std::accumulate(cells.begin(), cells.end(), 0) != stage * 10) wrong.fetch_add(1);
      team.barrier(worker);
    }
  });
  EXPECT_EQ(0, wrong.load());
}

TEST(SharePile, gives_every_piece_once) {
  constexpr int kThreads = 3;
  ThreadTeam team(kThreads);
  SharePile pile(kThreads);
  for (int round = 0; round < 20; ++round) {
    for (const int count : {0, 1, 7, 100}) {
      for (const int piece : {1, 3, 200}) {
        std::vector<std::atomic<int>> times(100);
        team.run([&](int worker) {
          pile.take(worker, count, piece, [&](Share share) {
            for (int i = share.begin; i < share.end; ++i) times[static_cast<std::size_t>(i)].fetch_add(1);
          });
        });
        for (int i = 0; i < 100; ++i) {
          EXPECT_EQ(i < count ? 1 : 0, times[static_cast<std::size_t>(i)].load());
        }
      }
    }
  }
}

TEST(WorkPile, gives_every_piece_once) {
  ThreadTeam team(3);
  WorkPile pile;
  for (const int count : {0, 1, 7, 100}) {
    for (const int piece : {1, 3, 200}) {
      pile.reset();
      std::vector<std::atomic<int>> times(100);
      team.run([&](int) {
        pile.take(count, piece, [&](Share share) {
          for (int i = share.begin; i < share.end; ++i) times[static_cast<std::size_t>(i)].fetch_add(1);
        });
      });
      for (int i = 0; i < 100; ++i) EXPECT_EQ(i < count ? 1 : 0, times[static_cast<std::size_t>(i)].load());
    }
  }
}

// The others do the share of a thread that is held up.
TEST(SharePile, others_take_over_a_share) {
  ThreadTeam team(2);
  SharePile pile(2);
  std::atomic<int> done{0};
  std::vector<int> of(2, 0);
  team.run([&](int worker) {
    if (worker == 1) {
      while (done.load() < 10) std::this_thread::yield();
    }
    pile.take(worker, 10, 1, [&](Share) {
      ++of[static_cast<std::size_t>(worker)];
      done.fetch_add(1);
    });
  });
  EXPECT_EQ(10, of[0]);
  EXPECT_EQ(0, of[1]);
}

// A team that has nothing to do uses no processor time.
TEST(ThreadTeam, sleeps_when_idle) {
  ThreadTeam team(3);
  team.run([](int) {});
  std::this_thread::sleep_for(std::chrono::milliseconds(20));
  const std::clock_t before = std::clock();
  std::this_thread::sleep_for(std::chrono::milliseconds(200));
  const double used = static_cast<double>(std::clock() - before) / CLOCKS_PER_SEC;
  EXPECT_LT(used, 0.05);
}

}  // namespace
}  // namespace adit::model
