// SPDX-License-Identifier: MIT
#include "common/model/thread_team.hpp"

#include <algorithm>
#include <utility>

#include <sched.h>

#include "common/base/check.hpp"
#include "common/base/clock.hpp"
#include "common/base/limits.hpp"
#include "common/model/cpu_topology.hpp"

namespace adit::model {
namespace {

// About 40 microseconds of pauses: longer than any stage of a decode step lasts unevenly.
constexpr int kSpinsMax = 2000;
constexpr int kSpinsMin = kSpinsMax / 8;
// A sleep shorter than this ended when a worker of the same team got the core: there are more of them than cores,
// and spinning keeps them from it. Longer ones are another process's turn, beside which spinning costs nothing.
constexpr std::uint64_t kOwnTurnNs = 500'000;
constexpr std::ptrdiff_t kCacheLine = 64;
// What a waiting worker calls for at most.
constexpr std::ptrdiff_t kAheadBytes = std::ptrdiff_t{64} << 10;

inline void pause_briefly() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#else
  std::this_thread::yield();
#endif
}

// Of the calling thread.
bool set_affinity(const std::vector<int>& cpus) {
  const std::size_t bytes = CPU_ALLOC_SIZE(kCpusMax);
  const std::unique_ptr<cpu_set_t, void (*)(cpu_set_t*)> set(CPU_ALLOC(kCpusMax), [](cpu_set_t* s) { CPU_FREE(s); });
  if (set == nullptr) return false;
  CPU_ZERO_S(bytes, set.get());
  for (const int cpu : cpus) CPU_SET_S(static_cast<std::size_t>(cpu), bytes, set.get());
  return sched_setaffinity(0, bytes, set.get()) == 0;
}

}  // namespace

struct ThreadTeam::OldPlace {
  std::thread::id thread;
  std::vector<int> cpus;
};

ThreadTeam::ThreadTeam(int threads, std::vector<int> cpus)
    : size_(threads),
      places_(static_cast<std::size_t>(threads)),
      cpus_(std::move(cpus)),
      patience_(static_cast<std::size_t>(threads)) {
  ADIT_CHECK(threads >= 1 && threads <= limits::kEngineThreadsMax);
  ADIT_CHECK(cpus_.empty() || cpus_.size() == static_cast<std::size_t>(threads));
  for (Patience& patience : patience_) patience.spins = kSpinsMax;
  threads_.reserve(static_cast<std::size_t>(threads - 1));
  for (int worker = 1; worker < threads; ++worker) threads_.emplace_back([this, worker] { loop(worker); });
}

ThreadTeam::~ThreadTeam() {
  stopping_ = true;
  advance(starts_.arrivals, starts_.arrivals.load(std::memory_order_relaxed) + 1);
  for (std::thread& thread : threads_) thread.join();
  if (caller_ && caller_->thread == std::this_thread::get_id()) set_affinity(caller_->cpus);
}

void ThreadTeam::pin(int worker) {
  if (!cpus_.empty() && set_affinity({cpus_[static_cast<std::size_t>(worker)]})) ++pinned_;
}

void ThreadTeam::pin_caller() {
  if (cpus_.empty() || (caller_ && caller_->thread == std::this_thread::get_id())) return;
  // Another thread than before: the one that was worker 0 does not count any more.
  if (caller_ && pinned_ > 0) --pinned_;
  caller_ = std::make_unique<OldPlace>(OldPlace{std::this_thread::get_id(), allowed_cpus()});
  pin(0);
}

// Either this thread sees the sleeper, or the sleeper, who has said so before it looks again, sees the value.
void ThreadTeam::advance(std::atomic<std::uint32_t>& counter, std::uint32_t value) {
  counter.store(value, std::memory_order_seq_cst);
  if (sleepers_.arrivals.load(std::memory_order_seq_cst) != 0) counter.notify_all();
}

void ThreadTeam::await(int worker, std::atomic<std::uint32_t>& counter, std::uint32_t target, const void* next) {
  const auto is_there = [&](std::uint32_t value) { return static_cast<std::int32_t>(value - target) >= 0; };
  int& spins = patience_[static_cast<std::size_t>(worker)].spins;
  const auto* ahead = static_cast<const char*>(next);
  const char* const ahead_end = ahead == nullptr ? nullptr : ahead + kAheadBytes;
  for (int i = 0; i < spins; ++i) {
    if (is_there(counter.load(std::memory_order_acquire))) {
      spins = std::min(spins + spins / 8, kSpinsMax);
      return;
    }
    if (ahead != ahead_end) {
      __builtin_prefetch(ahead, 0, 2);
      ahead += kCacheLine;
    } else {
      pause_briefly();
    }
  }
  const SystemClock clock;
  const std::uint64_t start = clock.steady_ns();
  sleepers_.arrivals.fetch_add(1, std::memory_order_seq_cst);
  for (std::uint32_t seen = 0; !is_there(seen = counter.load(std::memory_order_seq_cst));) {
    counter.wait(seen, std::memory_order_seq_cst);
  }
  sleepers_.arrivals.fetch_sub(1, std::memory_order_relaxed);
  if (clock.steady_ns() - start < kOwnTurnNs) spins = std::max(spins - spins / 4, kSpinsMin);
}

void ThreadTeam::barrier(int worker, const void* next) {
  if (size_ == 1) return;
  std::atomic<std::uint32_t>& mine = places_[static_cast<std::size_t>(worker)].arrivals;
  const std::uint32_t target = mine.load(std::memory_order_relaxed) + 1;
  advance(mine, target);
  for (int i = 1; i < size_; ++i) {
    Place& other = places_[static_cast<std::size_t>((worker + i) % size_)];
    await(worker, other.arrivals, target, next);
  }
}

void ThreadTeam::run(const std::function<void(int)>& body) {
  pin_caller();
  if (size_ == 1) {
    body(0);
    return;
  }
  body_ = &body;
  advance(starts_.arrivals, starts_.arrivals.load(std::memory_order_relaxed) + 1);
  body(0);
  barrier(0);
}

void ThreadTeam::loop(int worker) {
  pin(worker);
  for (std::uint32_t round = 1;; ++round) {
    await(worker, starts_.arrivals, round, nullptr);
    if (stopping_) return;
    (*body_)(worker);
    barrier(worker);
  }
}

}  // namespace adit::model
