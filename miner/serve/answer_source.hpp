// SPDX-License-Identifier: MIT
// miner/serve/answer_source.hpp
//
// Where answers come from: the seam between serving a question and computing it.
//
// In       a question that was admitted: its bounds and the card are already checked.
// Out      answer: the ids that went into the sink, in order, with the reason of the end and the
//          trace root.
// Errors   kResourceExhausted: no room now. kCancelled: the caller went away. kUnavailable:
//          stopping. kInvalidArgument: the question cannot be run on this model.
// Threads  answer: several at once, each blocks its thread; the others: any.
// Tests    tests/unit/miner/serve/engine_source_test.cpp, tests/demo
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "common/net/miner_server.hpp"
#include "common/protocol/messages.hpp"

namespace adit::miner {

struct Question {
  AccountId caller{};
  protocol::GenerateRequest request;
  Hash256 request_hash{};
  Hash256 seed{};
};

struct Answer {
  std::vector<TokenId> ids;
  protocol::FinishReason finish = protocol::FinishReason::kLength;
  Hash256 trace_root{};
};

struct Load {
  std::uint32_t running = 0;
  std::uint32_t waiting = 0;
  std::uint32_t batch_max = 0;
  std::uint32_t queue_max = 0;
};

class AnswerSource {
 public:
  virtual ~AnswerSource() = default;
  // The card this miner declares; constant.
  [[nodiscard]] virtual const protocol::Card& card() const = 0;
  [[nodiscard]] virtual std::string model_name() const = 0;
  [[nodiscard]] virtual Result<Answer> answer(const Question& question, net::TokenSink& sink) = 0;
  [[nodiscard]] virtual Load load() const = 0;
};

}  // namespace adit::miner
