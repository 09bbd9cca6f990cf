// SPDX-License-Identifier: MIT
// common/model/jinja/expr_parser.hpp
//
// Expressions by recursive descent, in Jinja2's order of precedence.
//
// Errors   throws Fault with the line; deeper than kDepthMax is refused.
// Threads  one; a view over the tokens.
// Tests    tests/unit/common/model/chat_template_test.cpp
#pragma once

#include <string_view>
#include <vector>

#include "common/model/jinja/ast.hpp"
#include "common/model/jinja/lexer.hpp"

namespace adit::model::jinja {

class TokenStream {
 public:
  explicit TokenStream(std::vector<Token> tokens) : tokens_(std::move(tokens)) {}
  [[nodiscard]] const Token& peek(std::size_t ahead = 0) const {
    return tokens_[at_ + ahead < tokens_.size() ? at_ + ahead : tokens_.size() - 1];
  }
  Token next() { return tokens_[at_ + 1 < tokens_.size() ? at_++ : tokens_.size() - 1]; }
  [[nodiscard]] bool is_symbol(std::string_view text) const {
    return peek().kind == TokenKind::kSymbol && peek().text == text;
  }
  [[nodiscard]] bool is_word(std::string_view text, std::size_t ahead = 0) const {
    return peek(ahead).kind == TokenKind::kName && peek(ahead).text == text;
  }
  bool take_symbol(std::string_view text);
  bool take_word(std::string_view text);
  void expect_symbol(std::string_view text);
  std::string expect_name();
  [[nodiscard]] int line() const { return peek().line; }

 private:
  std::vector<Token> tokens_;
  std::size_t at_ = 0;
};

// Names that the subset knows.
[[nodiscard]] bool is_filter(std::string_view name);
[[nodiscard]] bool is_test(std::string_view name);

// with_conditional: whether `a if b else c` may stand at the top (not in a for's source).
[[nodiscard]] ExprPtr parse_expression(TokenStream& tokens, bool with_conditional = true);

}  // namespace adit::model::jinja
