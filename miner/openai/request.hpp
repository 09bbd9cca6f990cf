// SPDX-License-Identifier: MIT
// miner/openai/request.hpp
//
// The bodies of /v1/chat/completions and /v1/completions, checked and in plain values.
//
// In       JSON as OpenAI's API reference has it. Extensions: top_k, min_p. A field that would change the
//          answer and is not supported is refused by name with the reason; fields that cannot change it (user,
//          metadata, store, …) are passed over; any other field is refused.
// Out      sampling in the units of the engine: temperature rounded to 1/1000, top_p and min_p to 1/65536.
// Errors   ApiError 400 naming the field.
// Threads  pure.
// Source   OpenAI's API reference (chat and completions)
// Tests    tests/unit/miner/openai/request_test.cpp, tests/fuzz/openai_request_fuzz.cpp
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "common/base/strong.hpp"
#include "common/model/chat_template.hpp"
#include "common/model/sampler.hpp"
#include "miner/openai/api_error.hpp"
#include "miner/openai/tool_request.hpp"

namespace adit::miner::openai {

inline constexpr std::int64_t kChoicesMax = 8;
// Prompts of one /v1/completions, and prompts times n.
inline constexpr std::size_t kPromptsMax = 64;
inline constexpr std::size_t kAnswersMax = 64;

enum class Endpoint : std::uint8_t { kChat, kCompletions };

using Prompt = std::variant<std::string, std::vector<TokenId>>;

struct ApiRequest {
  Endpoint endpoint = Endpoint::kChat;
  std::string model;
  // One of these two.
  std::vector<model::ChatMessage> messages;
  std::vector<Prompt> prompts;
  // Absent: as many as the context has room for (chat), 16 (completions).
  std::optional<std::uint32_t> max_tokens;
  model::SamplingParams sampling{.temperature_milli = 1000};
  // Absent: a random one.
  std::optional<std::uint64_t> seed;
  std::vector<std::string> stop;
  std::uint32_t choices = 1;
  bool stream = false;
  bool include_usage = false;
  std::optional<int> top_logprobs;
  ToolUse tools;
  // A JSON schema that answers must satisfy; empty: none.
  std::string schema;
};

[[nodiscard]] ApiResult<ApiRequest> parse_request(Endpoint endpoint, std::string_view body);

}  // namespace adit::miner::openai
