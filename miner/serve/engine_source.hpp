// SPDX-License-Identifier: MIT
// miner/serve/engine_source.hpp
//
// Answers by running the model: one thread owns the engine and runs all admitted questions
// together; callers' threads wait for their tokens.
//
// In       a pack; the card to declare (card_of(pack), except in tests of
//          cheats).
// Errors   as AnswerSource; kInternal when a step failed (every question of it ends).
// Threads  one engine thread of its own plus the engine's helpers; answer(): any, blocks.
// Tests    tests/unit/miner/serve/engine_source_test.cpp
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <thread>
#include <unordered_map>

#include "common/base/bounded_queue.hpp"
#include "common/model/generator.hpp"
#include "common/model/pack.hpp"
#include "miner/serve/answer_source.hpp"

namespace adit::miner {

class EngineSource final : public AnswerSource {
 public:
  EngineSource(std::shared_ptr<const model::Pack> pack, protocol::Card card,
               const model::EngineOptions& options, std::uint32_t queue_max);
  ~EngineSource() override;

  [[nodiscard]] const protocol::Card& card() const override { return card_; }
  [[nodiscard]] std::string model_name() const override { return pack_->config().name; }
  [[nodiscard]] Result<Answer> answer(const Question& question, net::TokenSink& sink) override;
  [[nodiscard]] Load load() const override;
  // Ends what runs and waits with kUnavailable; the destructor does it too, when nobody is inside
  // answer().
  void stop() { queue_.close(); }

 private:
  struct Job;
  using JobPtr = std::shared_ptr<Job>;

  void run();
  void take_jobs();
  void start(const JobPtr& job);
  void step();
  void drop_abandoned();
  void fail_all(const Error& error);

  const std::shared_ptr<const model::Pack> pack_;
  const protocol::Card card_;
  const std::uint32_t batch_max_;
  const std::uint32_t queue_max_;
  // Questions inside answer().
  std::atomic<std::uint32_t> inside_ = 0;
  std::atomic<std::uint32_t> running_count_ = 0;
  BoundedQueue<JobPtr> queue_;

  // Owned by the engine thread.
  model::BatchEngine engine_;
  std::unordered_map<model::SequenceId, JobPtr> running_;
  std::jthread thread_;
};

}  // namespace adit::miner
