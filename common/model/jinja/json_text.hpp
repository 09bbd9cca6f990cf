// SPDX-License-Identifier: MIT
// common/model/jinja/json_text.hpp
//
// Values to JSON as Python's json.dumps writes it, and JSON to values.
//
// In       parse_json: at most kJsonBytesMax bytes and 16 levels; keys keep their order.
// Errors   json_text throws Fault (undefined values, too many bytes); parse_json gives an Error.
// Threads  pure.
// Source   Python 3's json.dumps, called as huggingface/transformers' tojson does (ensure_ascii=False)
// Tests    tests/unit/common/model/chat_template_test.cpp
#pragma once

#include <string>
#include <string_view>

#include "common/base/result.hpp"
#include "common/model/jinja/evaluator.hpp"
#include "common/model/jinja/value.hpp"

namespace adit::model::jinja {

inline constexpr std::size_t kJsonBytesMax = 8u << 20;

struct JsonStyle {
  bool ascii = false;
  bool sort_keys = false;
  int indent = -1;  // blanks a level; -1: all on one line
  std::string comma = ", ";
  std::string colon = ": ";
};
[[nodiscard]] std::string json_text(const Value& value, const JsonStyle& style, Budget& budget, int line);

[[nodiscard]] Result<Value> parse_json(std::string_view text);

}  // namespace adit::model::jinja
