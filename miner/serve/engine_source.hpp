// SPDX-License-Identifier: MIT
// miner/serve/engine_source.hpp
//
// Answers by running the model: the questions of the subnet as jobs of an engine thread.
//
// In       a pack; the card to declare (card_of(pack), except in tests of
//          cheats).
// Errors   as AnswerSource; kInternal when a step failed (every question of it ends).
// Threads  answer(): any, blocks; the rest as EngineThread.
// Tests    tests/unit/miner/serve/engine_source_test.cpp
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "common/model/generator.hpp"
#include "common/model/pack.hpp"
#include "miner/serve/answer_source.hpp"
#include "miner/serve/engine_thread.hpp"

namespace adit::miner {

class EngineSource final : public AnswerSource {
 public:
  EngineSource(std::shared_ptr<const model::Pack> pack, protocol::Card card,
               const model::EngineOptions& options, std::uint32_t queue_max);

  [[nodiscard]] const protocol::Card& card() const override { return card_; }
  [[nodiscard]] std::string model_name() const override { return pack_->config().name; }
  [[nodiscard]] Result<Answer> answer(const Question& question, net::TokenSink& sink) override;
  [[nodiscard]] Load load() const override { return engine_.load(); }
  // Ends what runs and waits with kUnavailable; the destructor does it too, when nobody is inside
  // answer().
  void stop() { engine_.stop(); }
  // For local users beside the subnet.
  [[nodiscard]] EngineThread& engine() { return engine_; }
  [[nodiscard]] const std::shared_ptr<const model::Pack>& pack() const { return pack_; }

 private:
  const std::shared_ptr<const model::Pack> pack_;
  const protocol::Card card_;
  EngineThread engine_;
};

}  // namespace adit::miner
