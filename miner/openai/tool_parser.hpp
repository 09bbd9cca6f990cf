// SPDX-License-Identifier: MIT
// miner/openai/tool_parser.hpp
//
// Finds the calls of functions in an answer as it grows.
//
// In       push: the answer's text in any pieces; finish: its end.
// Out      content and calls, each call as soon as its text ends. What looks like a call and is none (not JSON, no
//          name, arguments that are no object; Llama's form, which has no marks: a function that was not declared) is
//          content, as it stands, but for DeepSeek's marks around all calls. Blanks before a call belong to nobody.
//          The pieces do not change what comes out. Forced answers (forced_call) are one call without its marks.
// Units    linear in the answer, but for marks that are cut into pieces.
// Threads  one thread per object.
// Source   tool_form.hpp
// Tests    tests/unit/miner/openai/tool_parser_test.cpp, tests/fuzz/tool_calls_fuzz.cpp
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "miner/openai/tool_form.hpp"

namespace adit::miner::openai {

struct ToolCall {
  // Of this answer, from 0.
  std::size_t index = 0;
  std::string id;
  std::string name;
  // The text of a JSON object.
  std::string arguments;
};

struct ToolPiece {
  std::string content;
  std::vector<ToolCall> calls;
};

class ToolParser {
 public:
  // `forced_name`: of an answer that holds its arguments only. `names`: the functions that were declared.
  ToolParser(ToolForm form, bool is_forced, std::string forced_name, std::vector<std::string> names);
  [[nodiscard]] ToolPiece push(std::string_view text);
  [[nodiscard]] ToolPiece finish();
  [[nodiscard]] std::size_t calls() const { return calls_; }

 private:
  void push_marked(ToolPiece& out);
  void push_llama(ToolPiece& out);
  void content(ToolPiece& out, std::string_view text);
  // False: it is no call.
  bool call(ToolPiece& out, std::string_view body);
  bool add(ToolPiece& out, std::string name, std::string_view arguments);
  bool call_of_json(ToolPiece& out, std::string_view body, bool known_only);
  bool llama_calls(ToolPiece& out);

  const ToolForm form_;
  const bool is_forced_;
  const std::string forced_name_;
  const std::vector<std::string> names_;
  std::string open_, close_;
  // Marks that say nothing by themselves.
  std::vector<std::string> silent_;
  std::string buffer_;
  // Blanks that are content unless a call follows.
  std::string blanks_;
  // Of buffer_, where the closing mark cannot begin.
  std::size_t searched_ = 0;
  bool is_inside_ = false;
  // Llama: the answer began as something else.
  bool is_plain_ = false;
  std::size_t calls_ = 0;
};

}  // namespace adit::miner::openai
