// SPDX-License-Identifier: MIT
// common/model/thread_team.hpp
//
// A fixed set of threads that run one function together and meet at barriers inside of it.
//
// In       threads: 1 .. limits::kEngineThreadsMax, the caller's own included. cpus: none, or the processor on which
//          each worker stays (thread_pins.hpp). The calling thread is worker 0: it is moved at its first run(), and
//          may go where it could before when it destroys the team itself.
// Use      run(body) calls body(worker) for worker 0 .. size-1, 0 on the calling thread, and returns when all
//          have returned. Inside, barrier(worker) returns when every worker has called it.
//          A worker that waits can call for memory that it reads next: barrier(worker, next).
// Waits    short ones spin, longer ones sleep in the kernel. Where there are more workers than cores, a worker
//          spins less and less, so that the team gives its cores to its own members instead of burning them.
// Errors   none; body must not throw. A processor that is no longer there leaves its worker unpinned: is_pinned.
// Threads  run() from one thread at a time.
// Tests    tests/unit/common/model/thread_team_test.cpp
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <thread>
#include <vector>

namespace adit::model {

// Worker `worker`'s share of `count` things, contiguous: [begin, end).
struct Share {
  int begin = 0;
  int end = 0;
};
[[nodiscard]] constexpr Share share_of(int count, int workers, int worker) {
  const auto cut = [&](int w) {
    return static_cast<int>(static_cast<std::int64_t>(count) * w / workers);
  };
  return {cut(worker), cut(worker + 1)};
}

class ThreadTeam {
 public:
  explicit ThreadTeam(int threads, std::vector<int> cpus = {});
  ThreadTeam(const ThreadTeam&) = delete;
  ThreadTeam& operator=(const ThreadTeam&) = delete;
  ~ThreadTeam();

  [[nodiscard]] int size() const { return size_; }
  void run(const std::function<void(int)>& body);
  // `next`: where the worker's next reads begin, or null; the waiting time is used to bring them nearer.
  void barrier(int worker, const void* next = nullptr);
  // Whether every worker stays where it was told; before the first run() worker 0 does not.
  [[nodiscard]] bool is_pinned() const { return !cpus_.empty() && pinned_ == size_; }

 private:
  // One cache line a worker: how many barriers it has reached, written by it alone.
  struct alignas(64) Place {
    std::atomic<std::uint32_t> arrivals{0};
  };
  struct alignas(64) Patience {
    int spins = 0;
  };
  struct OldPlace;
  void loop(int worker);
  // Keeps the calling thread on its processor.
  void pin(int worker);
  void pin_caller();
  // Returns when `counter` has reached `target`.
  void await(int worker, std::atomic<std::uint32_t>& counter, std::uint32_t target, const void* next);
  // Sets a counter that others may wait for.
  void advance(std::atomic<std::uint32_t>& counter, std::uint32_t value);

  const int size_;
  std::vector<Place> places_;
  Place starts_;
  // Workers asleep in the kernel, so that the others know whether to call it.
  Place sleepers_;
  const std::function<void(int)>* body_ = nullptr;
  bool stopping_ = false;
  const std::vector<int> cpus_;
  std::atomic<int> pinned_{0};
  // Who runs as worker 0, and where it could go before.
  std::unique_ptr<OldPlace> caller_;
  std::vector<Patience> patience_;
  std::vector<std::thread> threads_;
};

}  // namespace adit::model
