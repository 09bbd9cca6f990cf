// SPDX-License-Identifier: MIT
// miner/openai/response.hpp
//
// Answers as OpenAI's clients read them: whole bodies and the chunks of a stream.
//
// Out      ResponseWriter::chunk(s): JSON texts, one event each; a call of a function takes two, its name and its
//          arguments. Log-probabilities: chat's content list, or the four lists of completions; a token's text is
//          valid UTF-8 (U+FFFD for parts of a character), its bytes are exact.
// Threads  one thread per object.
// Source   OpenAI's API reference (chat completion object and chunk, completion object)
// Tests    tests/unit/miner/openai/server_test.cpp, tests/integration/openai_client_test.py
#pragma once

#include <string>
#include <vector>

#include "miner/openai/generation.hpp"
#include "miner/openai/json.hpp"

namespace adit::miner::openai {

class ResponseWriter {
 public:
  // The service has the request's model.
  ResponseWriter(const Service& service, const ApiRequest& request);

  // The first events of a stream (chat: each answer's role).
  [[nodiscard]] std::vector<std::string> first_chunks(std::size_t answers) const;
  [[nodiscard]] std::vector<std::string> chunks(const Update& update) const;
  [[nodiscard]] std::string usage_chunk(const Usage& usage) const;

  // For a whole body: takes updates until all answers are over.
  void collect(const Update& update);
  [[nodiscard]] std::string body(const Usage& usage) const;

 private:
  struct Whole {
    std::string text;
    std::vector<ToolCall> calls;
    std::vector<TokenEntry> tokens;
    std::string finish;
  };
  [[nodiscard]] static Json message_of(const Whole& whole);
  [[nodiscard]] Json head(const char* object) const;
  [[nodiscard]] std::string chunk(Json choice) const;
  [[nodiscard]] Json logprobs(const std::vector<TokenEntry>& tokens) const;
  [[nodiscard]] Json chat_logprobs(const std::vector<TokenEntry>& tokens) const;
  [[nodiscard]] Json completion_logprobs(const std::vector<TokenEntry>& tokens) const;
  [[nodiscard]] bool is_chat() const { return endpoint_ == Endpoint::kChat; }

  const Service& service_;
  const ServedModel& served_;
  const Endpoint endpoint_;
  const bool has_logprobs_;
  const bool include_usage_;
  const std::string id_;
  const std::uint64_t created_s_;
  std::vector<Whole> answers_;
};

[[nodiscard]] std::string models_body(const Service& service);
[[nodiscard]] std::string model_body(const Service& service, const ServedModel& served);

}  // namespace adit::miner::openai
