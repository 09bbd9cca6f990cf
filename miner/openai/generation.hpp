// SPDX-License-Identifier: MIT
// miner/openai/generation.hpp
//
// The answers to one request while the engine makes them: text, ends and counts.
//
// In       a checked request. Answer p * n + i is choice i of prompt p; its seed is the request's plus i (or a
//          random number plus i).
// Out      next: what came since the last call, in order for each answer. Joined, the same for any pieces,
//          batch and threads.
// Errors   start: 400 naming the field; 429 when the engine is full, 503 when it stops. next: an answer that
//          the engine gave up (then the whole request is over).
// Threads  one thread per object; destroying it cancels what still runs.
// Tests    tests/unit/miner/openai/server_test.cpp
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "miner/openai/choice_text.hpp"
#include "miner/openai/service.hpp"
#include "miner/openai/tool_parser.hpp"

namespace adit::miner::openai {

struct Update {
  std::size_t answer = 0;
  TextPiece piece;
  std::vector<ToolCall> calls{};
  // "stop", "length" or "tool_calls" when the answer is over.
  std::optional<std::string> finish{};
};

struct Usage {
  std::size_t prompt_tokens = 0;
  // Stop ids count, and the token that completed a stop string.
  std::size_t completion_tokens = 0;
};

class Generation {
 public:
  [[nodiscard]] static ApiResult<std::unique_ptr<Generation>> start(const Service& service,
                                                                    const ApiRequest& request);
  // Waits a moment; often empty.
  [[nodiscard]] ApiResult<std::vector<Update>> next();
  [[nodiscard]] bool done() const { return left_ == 0; }
  [[nodiscard]] std::size_t answers() const { return answers_.size(); }
  [[nodiscard]] const Usage& usage() const { return usage_; }

 private:
  struct Answer {
    ChoiceText text;
    // Of a request that may call functions.
    std::optional<ToolParser> tools{};
    bool is_over = false;
  };
  Generation(const Service& service, std::unique_ptr<EngineCall> call)
      : service_(service), call_(std::move(call)) {}
  [[nodiscard]] ApiResult<Update> update_of(EngineNews& news);
  // Takes the calls out of an update's text.
  void find_calls(Answer& answer, Update& update);

  const Service& service_;
  std::unique_ptr<EngineCall> call_;
  std::vector<Answer> answers_;
  std::size_t left_ = 0;
  bool calls_in_parallel_ = true;
  Usage usage_;
};

}  // namespace adit::miner::openai
