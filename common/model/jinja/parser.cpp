// SPDX-License-Identifier: MIT
#include "common/model/jinja/parser.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "common/model/jinja/expr_parser.hpp"
#include "common/model/jinja/fault.hpp"

namespace adit::model::jinja {
namespace {

constexpr int kNestingMax = 50;

class StatementParser {
 public:
  explicit StatementParser(std::vector<Token> tokens) : tokens_(std::move(tokens)) {}

  Body document() {
    Body out = body();
    if (tokens_.peek().kind != TokenKind::kEnd)
      fail(tokens_.line(), "unexpected tag '{}'", tokens_.peek(1).text);
    return out;
  }

 private:
  // Statements up to a tag that closes or continues the block around them (which is left unread).
  Body body() {
    if (++nesting_ > kNestingMax) refuse(tokens_.line(), "blocks deeper than {} levels", kNestingMax);
    Body out;
    while (true) {
      const Token& token = tokens_.peek();
      if (token.kind == TokenKind::kText) {
        out.push_back(node(NodeKind::kText));
        out.back().text = tokens_.next().text;
      } else if (token.kind == TokenKind::kExprBegin) {
        tokens_.next();
        out.push_back(node(NodeKind::kOutput));
        out.back().expr = parse_expression(tokens_);
        expect(TokenKind::kExprEnd, "}}");
      } else if (token.kind == TokenKind::kTagBegin && !closes()) {
        out.push_back(statement());
      } else {
        --nesting_;
        return out;
      }
    }
  }

  [[nodiscard]] bool closes() const {
    constexpr std::array<std::string_view, 7> kClosing{"endif",  "elif",     "else",         "endfor",
                                                       "endset", "endmacro", "endgeneration"};
    return std::any_of(kClosing.begin(), kClosing.end(),
                       [this](std::string_view word) { return tokens_.is_word(word, 1); });
  }

  [[nodiscard]] Node node(NodeKind kind) const {
    Node out;
    out.kind = kind;
    out.line = tokens_.line();
    return out;
  }

  void expect(TokenKind kind, std::string_view what) {
    if (tokens_.peek().kind != kind)
      fail(tokens_.line(), "expected '{}', got '{}'", what, tokens_.peek().text);
    tokens_.next();
  }
  void end_tag() { expect(TokenKind::kTagEnd, "%}"); }

  // Is `{% word %}` next? If so, takes it.
  bool take_tag(std::string_view word) {
    if (tokens_.peek().kind != TokenKind::kTagBegin || !tokens_.is_word(word, 1)) return false;
    tokens_.next();
    tokens_.next();
    return true;
  }

  Node statement() {
    tokens_.next();
    const std::string word = tokens_.expect_name();
    if (word == "for") return loop();
    if (word == "if") return branch();
    if (word == "set") return assignment();
    if (word == "macro") return macro();
    if (word == "generation") {
      Node out = node(NodeKind::kGeneration);
      end_tag();
      body_until(out, "endgeneration");
      return out;
    }
    if (word == "break" || word == "continue") {
      if (loops_ == 0) fail(tokens_.line(), "'{}' outside of a loop", word);
      Node out = node(word == "break" ? NodeKind::kBreak : NodeKind::kContinue);
      end_tag();
      return out;
    }
    refuse(tokens_.line(), "the tag '{}'", word);
  }

  Node loop() {
    Node out = node(NodeKind::kFor);
    const bool parenthesis = tokens_.take_symbol("(");
    do {
      out.targets.push_back(tokens_.expect_name());
    } while (tokens_.take_symbol(","));
    if (parenthesis) tokens_.expect_symbol(")");
    if (!tokens_.take_word("in")) fail(tokens_.line(), "expected 'in', got '{}'", tokens_.peek().text);
    out.expr = parse_expression(tokens_, false);
    if (tokens_.take_word("if")) out.filter = parse_expression(tokens_);
    if (tokens_.is_word("recursive")) refuse(tokens_.line(), "recursive loops");
    end_tag();
    ++loops_;
    out.bodies.push_back(body());
    --loops_;
    if (take_tag("else")) {
      end_tag();
      out.bodies.push_back(body());
    }
    if (!take_tag("endfor")) fail(tokens_.line(), "the loop of line {} has no 'endfor'", out.line);
    end_tag();
    return out;
  }

  Node branch() {
    Node out = node(NodeKind::kIf);
    do {
      out.conditions.push_back(parse_expression(tokens_));
      end_tag();
      out.bodies.push_back(body());
    } while (take_tag("elif"));
    if (take_tag("else")) {
      end_tag();
      out.bodies.push_back(body());
    }
    if (!take_tag("endif")) fail(tokens_.line(), "the 'if' of line {} has no 'endif'", out.line);
    end_tag();
    return out;
  }

  Node assignment() {
    Node out = node(NodeKind::kSet);
    out.targets.push_back(tokens_.expect_name());
    if (tokens_.take_symbol(".")) {
      out.targets.push_back(tokens_.expect_name());
      out.attribute = true;
    }
    while (!out.attribute && tokens_.take_symbol(",")) out.targets.push_back(tokens_.expect_name());
    if (!tokens_.take_symbol("=")) {
      if (tokens_.peek().kind != TokenKind::kTagEnd || (out.targets.size() != 1 && !out.attribute)) {
        refuse(tokens_.line(), "'{}' in a 'set' block", tokens_.peek().text);
      }
      out.kind = NodeKind::kSetBlock;
      end_tag();
      body_until(out, "endset");
      return out;
    }
    out.expr = tuple();
    end_tag();
    return out;
  }

  // a, b, c is a list of three.
  ExprPtr tuple() {
    ExprPtr first = parse_expression(tokens_);
    if (!tokens_.is_symbol(",")) return first;
    auto list = std::make_unique<Expr>();
    list->kind = ExprKind::kList;
    list->line = tokens_.line();
    list->args.push_back(std::move(first));
    while (tokens_.take_symbol(",") && tokens_.peek().kind != TokenKind::kTagEnd) {
      list->args.push_back(parse_expression(tokens_));
    }
    for (const ExprPtr& part : list->args) list->depth = std::max(list->depth, part->depth + 1);
    return list;
  }

  // The statements up to `{% end %}`, which closes.
  void body_until(Node& out, std::string_view end) {
    const int loops = std::exchange(loops_, 0);
    out.bodies.push_back(body());
    loops_ = loops;
    if (!take_tag(end)) fail(tokens_.line(), "the block of line {} has no '{}'", out.line, end);
    end_tag();
  }

  Node macro() {
    if (loops_ > 0 || in_macro_) refuse(tokens_.line(), "a macro inside of a loop or a macro");
    Node out = node(NodeKind::kMacro);
    out.targets.push_back(tokens_.expect_name());
    tokens_.expect_symbol("(");
    while (!tokens_.take_symbol(")")) {
      if (tokens_.is_symbol("*")) refuse(tokens_.line(), "macros with any number of arguments");
      out.targets.push_back(tokens_.expect_name());
      out.conditions.push_back(tokens_.take_symbol("=") ? parse_expression(tokens_) : nullptr);
      if (tokens_.take_symbol(")")) break;
      tokens_.expect_symbol(",");
    }
    end_tag();
    in_macro_ = true;
    body_until(out, "endmacro");
    in_macro_ = false;
    return out;
  }

  TokenStream tokens_;
  int nesting_ = 0;
  int loops_ = 0;
  bool in_macro_ = false;
};

}  // namespace

Body parse(std::string_view source) {
  return StatementParser(tokenize(source)).document();
}

}  // namespace adit::model::jinja
