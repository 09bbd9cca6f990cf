// SPDX-License-Identifier: MIT
// common/model/jinja/lexer.hpp
//
// Template text to tokens, with Jinja2's whitespace control as Hugging Face sets it.
//
// In       UTF-8 without the template's own size limit (render_chat checks it).
// Out      kText pieces (already trimmed), and between kExprBegin/kExprEnd or kTagBegin/kTagEnd the tokens
//          of expressions. trim_blocks: a newline after a tag or comment goes; lstrip_blocks: blanks before
//          a tag or comment that stands first on its line go; "-" takes all blanks, "+" none; one newline
//          at the end of the template goes; \r\n and \r are \n.
// Errors   throws Fault with the line.
// Threads  pure.
// Source   the behaviour of Jinja2 3.1
// Tests    tests/unit/common/model/chat_template_test.cpp
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace adit::model::jinja {

enum class TokenKind : std::uint8_t {
  kText,
  kExprBegin,
  kExprEnd,
  kTagBegin,
  kTagEnd,
  kName,
  kString,
  kInteger,
  kFloat,
  kSymbol,
  kEnd,
};

struct Token {
  TokenKind kind;
  int line;
  std::string text;
};

[[nodiscard]] std::vector<Token> tokenize(std::string_view source);

}  // namespace adit::model::jinja
