// SPDX-License-Identifier: MIT
// miner/serve/engine_thread.hpp
//
// One thread owns the engine and runs everybody's jobs together; callers read what their jobs bring.
//
// In       submit: one or several jobs that belong to one caller; all are taken or none. Jobs of the subnet are
//          started before local ones that wait.
// Out      EngineCall::wait: tokens and ends, in order for each job.
// Errors   submit: kResourceExhausted when batch and queue are full, kUnavailable when stopping. A job's end:
//          those of BatchEngine::add, kUnavailable when stopping, kInternal when a step failed (every running
//          job ends with it).
// Threads  one engine thread of its own plus the engine's helpers; submit, load, stop: any. An EngineCall is
//          read by one thread; abandon: any.
// Tests    tests/unit/miner/serve/engine_thread_test.cpp, tests/unit/miner/serve/engine_source_test.cpp
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <unordered_map>
#include <vector>

#include "common/base/result.hpp"
#include "common/model/generator.hpp"
#include "common/model/pack.hpp"
#include "miner/serve/answer_source.hpp"

namespace adit::miner {

struct EngineJob {
  std::vector<TokenId> prompt;
  model::GenerateParams params{};
  proof::TraceBinding binding{};
  model::GenerateExtras extras{};
};

enum class Origin : std::uint8_t { kSubnet, kLocal };

struct EngineNews {
  // Index into the jobs of the call.
  std::size_t job = 0;
  std::vector<model::NewToken> tokens{};
  std::optional<Result<model::Generated>> end{};
};

// The caller's side of its jobs.
class EngineCall {
 public:
  // Everything that is new, at most one entry a job; empty when nothing came within `wait`.
  [[nodiscard]] std::vector<EngineNews> wait(std::chrono::milliseconds wait);
  // The caller wants no more of it: its place is free at once, the engine forgets it at its next step.
  void abandon(std::size_t job);
  void abandon_all();
  ~EngineCall() { abandon_all(); }

  EngineCall(const EngineCall&) = delete;
  EngineCall& operator=(const EngineCall&) = delete;

 private:
  friend class EngineThread;
  struct Jobs;
  explicit EngineCall(std::shared_ptr<Jobs> jobs) : jobs_(std::move(jobs)) {}
  std::shared_ptr<Jobs> jobs_;
};

class EngineThread {
 public:
  EngineThread(std::shared_ptr<const model::Pack> pack, const model::EngineOptions& options,
               std::uint32_t queue_max);
  ~EngineThread();
  EngineThread(const EngineThread&) = delete;
  EngineThread& operator=(const EngineThread&) = delete;

  [[nodiscard]] Result<std::unique_ptr<EngineCall>> submit(std::vector<EngineJob> jobs, Origin origin);
  [[nodiscard]] Load load() const;
  // Ends what runs and waits with kUnavailable; the destructor does it too.
  void stop();

 private:
  using Jobs = EngineCall::Jobs;
  struct Item {
    std::shared_ptr<Jobs> jobs;
    std::size_t index = 0;
  };

  void run();
  void take_items();
  [[nodiscard]] std::optional<Item> next_item();
  void start(const Item& item);
  void step();
  void drop_abandoned();
  void fail_all(const Error& error);

  const std::shared_ptr<const model::Pack> pack_;
  const std::uint32_t batch_max_;
  const std::uint32_t queue_max_;
  // Jobs that were taken and have neither ended nor been abandoned.
  std::shared_ptr<std::atomic<std::uint32_t>> inside_ = std::make_shared<std::atomic<std::uint32_t>>(0);
  std::atomic<std::uint32_t> running_count_ = 0;

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  bool stopping_ = false;
  std::deque<Item> subnet_;
  std::deque<Item> local_;

  // Owned by the engine thread.
  model::BatchEngine engine_;
  std::unordered_map<model::SequenceId, Item> running_;
  std::jthread thread_;
};

}  // namespace adit::miner
