// SPDX-License-Identifier: MIT
// common/model/chat_template.hpp
//
// Renders a model's chat template: a sandboxed, bounded subset of Jinja2.
//
// In       template_text as stored in the model file. Variables: messages (role, content and what `more` adds),
//          bos_token, eos_token, add_generation_prompt, tools and documents (none unless given), and whatever
//          ChatVariables::others holds (enable_thinking, …).
//          Statements: for (with loop.*; filter by if; else), if/elif/else, set (of names, of namespace
//          attributes, blocks), macro (outside of loops; defaults and named arguments), generation, break,
//          continue, comments, `-` and lstrip whitespace control as Hugging Face sets it (trim_blocks,
//          lstrip_blocks). Expressions: literals, lists, dictionaries, attribute, index and slice access,
//          arithmetic + - * / // % **, ~, comparisons, in, not in, and/or/not, x if c else y, `is` tests; filters
//          trim, length, upper, lower, title, capitalize, first, last, join, default, replace, string, safe,
//          list, items, dictsort, tojson (as transformers defines it), map, select, reject, selectattr,
//          rejectattr, reverse, sort, unique, indent, int, float, abs, sum, min, max; methods of texts (strip,
//          split, startswith, …) and mappings (get, items, keys, values); raise_exception, namespace, range, dict.
//          There is no clock: strftime_now is undefined, so that a template that asks `is defined` takes its
//          other way, and one that does not ask is refused by that name.
// Out      the prompt. Lists and mappings are printed by tojson alone. No access to files, time, environment or
//          C++ objects exists.
// Errors   kInvalidArgument "chat template: line N: …" for syntax and type errors and raise_exception;
//          "chat template: message N: JSON: …" for more and variables that are not JSON;
//          kResourceExhausted beyond limits on steps, nesting, calls and bytes made. Unknown constructs are
//          refused by name, never skipped.
// Threads  pure.
// Tests    tests/unit/common/model/chat_template_test.cpp, tests/vectors/chat (made by PyPI jinja2 and npm
//          @huggingface/jinja)
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "common/base/result.hpp"

namespace adit::model {

struct ChatMessage {
  std::string role;
  std::string content;
  // A JSON object of further fields (tool_calls, tool_call_id, name, reasoning_content), or nothing. Its
  // "content" goes before the one above: null, or a list of parts.
  std::string more = {};
};

struct ChatTokens {
  std::string bos;
  std::string eos;
};

// JSON, or nothing.
struct ChatVariables {
  std::string tools;   // a list
  std::string others;  // an object: names and values
};

[[nodiscard]] Result<std::string> render_chat(std::string_view template_text,
                                              std::span<const ChatMessage> messages,
                                              bool add_generation_prompt, const ChatTokens& tokens = {},
                                              const ChatVariables& variables = {});

}  // namespace adit::model
