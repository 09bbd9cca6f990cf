// SPDX-License-Identifier: MIT
// miner/openai/tool_request.hpp
//
// What a chat request says of functions: `tools`, `tool_choice`, `parallel_tool_calls`, the calls of earlier answers
// and their results.
//
// In       JSON as OpenAI's API reference has it; type "function" only.
// Out      ToolUse; of a message, the further fields that chat templates read, as model::ChatMessage::more has them.
// Errors   ApiError 400 naming the field, in the readers' shared error.
// Threads  pure.
// Source   OpenAI's API reference (chat)
// Tests    tests/unit/miner/openai/tools_test.cpp, tests/fuzz/openai_request_fuzz.cpp
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "miner/openai/field_reader.hpp"
#include "miner/openai/json.hpp"

namespace adit::miner::openai {

inline constexpr std::size_t kToolsMax = 128;
inline constexpr std::size_t kToolNameMax = 64;

enum class ToolChoice : std::uint8_t { kNone, kAuto, kRequired, kNamed };

struct Tool {
  std::string name;
  // A JSON schema, or nothing.
  std::string parameters;
};

struct ToolUse {
  // Empty: none were given, or none may be called.
  std::vector<Tool> tools;
  // The same as JSON, for the chat template.
  std::string json;
  ToolChoice choice = ToolChoice::kNone;
  // Of kNamed.
  std::string named;
  bool is_parallel = true;
  // Whether messages hold calls or results.
  bool in_history = false;

  [[nodiscard]] bool is_active() const { return choice != ToolChoice::kNone; }
  [[nodiscard]] bool is_forced() const {
    return choice == ToolChoice::kRequired || choice == ToolChoice::kNamed;
  }
};

// Of the body.
[[nodiscard]] ToolUse read_tools(FieldReader& from, std::optional<ApiError>& error);
// The further fields of a message of role assistant or tool; null: it has none. `path`: of the message.
[[nodiscard]] Json read_tool_fields(FieldReader& from, const std::string& role, const std::string& path,
                                    std::optional<ApiError>& error);

}  // namespace adit::miner::openai
