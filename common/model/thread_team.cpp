// SPDX-License-Identifier: MIT
#include "common/model/thread_team.hpp"

#include <algorithm>

#include "common/base/check.hpp"
#include "common/base/limits.hpp"

namespace adit::model {
namespace {

// About 40 microseconds of pauses: longer than any stage of a decode step lasts unevenly.
constexpr int kSpinsMax = 2000;
constexpr int kSpinsMin = 16;

inline void pause_briefly() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#else
  std::this_thread::yield();
#endif
}

}  // namespace

ThreadTeam::ThreadTeam(int threads) : size_(threads), patience_(static_cast<std::size_t>(threads)) {
  ADIT_CHECK(threads >= 1 && threads <= limits::kEngineThreadsMax);
  for (Patience& patience : patience_) patience.spins = kSpinsMax;
  threads_.reserve(static_cast<std::size_t>(threads - 1));
  for (int worker = 1; worker < threads; ++worker) threads_.emplace_back([this, worker] { loop(worker); });
}

ThreadTeam::~ThreadTeam() {
  stopping_ = true;
  starts_.value.fetch_add(1, std::memory_order_release);
  starts_.value.notify_all();
  for (std::thread& thread : threads_) thread.join();
}

void ThreadTeam::await(int worker, std::atomic<std::uint32_t>& counter, std::uint32_t old) {
  int& spins = patience_[static_cast<std::size_t>(worker)].spins;
  for (int i = 0; i < spins; ++i) {
    if (counter.load(std::memory_order_acquire) != old) {
      spins = std::min(spins + spins / 8 + 1, kSpinsMax);
      return;
    }
    pause_briefly();
  }
  spins = std::max(spins / 2, kSpinsMin);
  counter.wait(old, std::memory_order_acquire);
}

void ThreadTeam::barrier(int worker) {
  if (size_ == 1) return;
  const std::uint32_t generation = generation_.value.load(std::memory_order_acquire);
  if (arrived_.value.fetch_add(1, std::memory_order_acq_rel) + 1 == static_cast<std::uint32_t>(size_)) {
    arrived_.value.store(0, std::memory_order_relaxed);
    generation_.value.fetch_add(1, std::memory_order_release);
    generation_.value.notify_all();
  } else {
    await(worker, generation_.value, generation);
  }
}

void ThreadTeam::run(const std::function<void(int)>& body) {
  if (size_ == 1) {
    body(0);
    return;
  }
  body_ = &body;
  starts_.value.fetch_add(1, std::memory_order_release);
  starts_.value.notify_all();
  body(0);
  barrier(0);
}

void ThreadTeam::loop(int worker) {
  std::uint32_t seen = 0;
  while (true) {
    await(worker, starts_.value, seen);
    seen = starts_.value.load(std::memory_order_acquire);
    if (stopping_) return;
    (*body_)(worker);
    barrier(worker);
  }
}

}  // namespace adit::model
