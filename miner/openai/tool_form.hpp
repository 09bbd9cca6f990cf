// SPDX-License-Identifier: MIT
// miner/openai/tool_form.hpp
//
// How a model writes calls of functions, as its chat template shows it, and how an answer is made to be one.
//
// In       a chat template; the functions of a request.
// Out      form_of:  kHermes    <tool_call>{"name": …, "arguments": {…}}</tool_call> (Hermes, Qwen2.5, Qwen3)
//                    kLlama     {"name": …, "parameters": {…}}, alone or behind <|python_tag|> (Llama 3.1, 3.2, 3.3)
//                    kDeepseek  <｜tool▁call▁begin｜>function<｜tool▁sep｜>NAME, a block of json, <｜tool▁call▁end｜>,
//                               or NAME<｜tool▁sep｜>{…} (V3, R1; V3.1)
//                    kUnknown   takes functions and writes calls in another way: they stay in the text
//                    kNone      has no place for functions
//          forced_call: what is put behind the prompt, and the schema that the answer must satisfy, so that it is one
//          call of one of the functions.
// Errors   forced_call: 400 where the form cannot be held to it.
// Threads  pure.
// Source   the chat templates of the models named
// Tests    tests/unit/miner/openai/tools_test.cpp
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "miner/openai/api_error.hpp"
#include "miner/openai/tool_request.hpp"

namespace adit::miner::openai {

enum class ToolForm : std::uint8_t { kNone, kUnknown, kHermes, kLlama, kDeepseek };

inline constexpr std::string_view kHermesOpen = "<tool_call>";
inline constexpr std::string_view kHermesClose = "</tool_call>";
inline constexpr std::string_view kPythonTag = "<|python_tag|>";
inline constexpr std::string_view kDeepseekBegin = "<｜tool▁calls▁begin｜>";
inline constexpr std::string_view kDeepseekEnd = "<｜tool▁calls▁end｜>";
inline constexpr std::string_view kDeepseekOpen = "<｜tool▁call▁begin｜>";
inline constexpr std::string_view kDeepseekClose = "<｜tool▁call▁end｜>";
inline constexpr std::string_view kDeepseekSep = "<｜tool▁sep｜>";

[[nodiscard]] ToolForm form_of(std::string_view chat_template);

struct ForcedCall {
  std::string opening;
  std::string schema;
  // The function, where the answer holds its arguments only.
  std::string name;
};
// Of a request whose choice is kRequired or kNamed.
[[nodiscard]] ApiResult<ForcedCall> forced_call(ToolForm form, std::string_view chat_template,
                                                const ToolUse& use);

}  // namespace adit::miner::openai
