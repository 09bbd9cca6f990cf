// SPDX-License-Identifier: MIT
// tests/demo/copier_source.hpp
//
// A cheat's AnswerSource: no model, it hands out the newest answer in another miner's journal, cut
// or filled so that its shape fits the question.
//
// In       the card to declare, the journal of an honest miner.
// Out      well-formed answers: right number of ids, a stop id only at the end. Trace root: the
//          copied one.
// Errors   kUnavailable while the journal has no record.
// Threads  any.
// Tests    tests/integration/miner_serve_test.cpp, deploy/demo.sh
#pragma once

#include <filesystem>
#include <utility>

#include "miner/serve/answer_source.hpp"

namespace adit::test {

class CopierSource final : public miner::AnswerSource {
 public:
  CopierSource(protocol::Card card, std::string model_name, std::filesystem::path journal)
      : card_(std::move(card)), model_name_(std::move(model_name)), journal_(std::move(journal)) {}
  [[nodiscard]] const protocol::Card& card() const override { return card_; }
  [[nodiscard]] std::string model_name() const override { return model_name_; }
  [[nodiscard]] Result<miner::Answer> answer(const miner::Question& question,
                                             net::TokenSink& sink) override;
  [[nodiscard]] miner::Load load() const override { return {.batch_max = 8, .queue_max = 8}; }

 private:
  const protocol::Card card_;
  const std::string model_name_;
  const std::filesystem::path journal_;
};

}  // namespace adit::test
