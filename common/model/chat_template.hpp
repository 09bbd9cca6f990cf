// SPDX-License-Identifier: MIT
// common/model/chat_template.hpp
//
// Renders a model's chat template: a sandboxed, bounded subset of Jinja2.
//
// In       template_text as stored in the model file. Variables: messages (role, content), bos_token,
//          eos_token, add_generation_prompt. Statements: for (with loop.index, index0, first, last, length;
//          filter by if; else), if/elif/else, set (also of namespace attributes), comments, `-` and lstrip
//          whitespace control as Hugging Face sets it (trim_blocks, lstrip_blocks). Expressions: literals,
//          lists, attribute, index and slice access, arithmetic + - * // %, ~, comparisons, in, not in,
//          and/or/not, x if c else y, is [not] defined/none/string/mapping/iterable/…; filters trim,
//          length, upper, lower, first, last, join, default, replace; methods strip, lstrip, rstrip,
//          startswith, endswith, split, upper, lower, replace; raise_exception, namespace, range.
// Out      the prompt. No access to files, time, environment or C++ objects exists.
// Errors   kInvalidArgument "chat template: line N: …" for syntax and type errors and raise_exception;
//          kResourceExhausted beyond limits on steps, nesting and bytes made. Unknown constructs are
//          refused by name, never skipped.
// Threads  pure.
// Tests    tests/unit/common/model/chat_template_test.cpp, tests/vectors/chat (made by PyPI jinja2)
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "common/base/result.hpp"

namespace adit::model {

struct ChatMessage {
  std::string role;
  std::string content;
};

struct ChatTokens {
  std::string bos;
  std::string eos;
};

[[nodiscard]] Result<std::string> render_chat(std::string_view template_text,
                                              std::span<const ChatMessage> messages,
                                              bool add_generation_prompt, const ChatTokens& tokens = {});

}  // namespace adit::model
