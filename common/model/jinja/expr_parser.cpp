// SPDX-License-Identifier: MIT
#include "common/model/jinja/expr_parser.hpp"

#include <algorithm>
#include <array>
#include <charconv>

#include "common/model/jinja/fault.hpp"

namespace adit::model::jinja {
namespace {

constexpr std::array<std::string_view, 34> kFilters{
    "trim",   "length",  "count",  "upper",   "lower",      "title",      "capitalize", "first", "last",
    "join",   "default", "d",      "replace", "string",     "safe",       "list",       "items", "dictsort",
    "tojson", "map",     "select", "reject",  "selectattr", "rejectattr", "reverse",    "sort",  "unique",
    "indent", "int",     "float",  "abs",     "sum",        "min",        "max"};
constexpr std::array<std::string_view, 18> kPlainTests{
    "defined",  "undefined", "none", "string", "number", "integer", "float", "boolean", "mapping",
    "sequence", "iterable",  "true", "false",  "odd",    "even",    "lower", "upper",   "callable"};
constexpr std::array<std::string_view, 12> kValueTests{"eq", "equalto",  "ne", "gt", "greaterthan", "ge",
                                                       "lt", "lessthan", "le", "in", "divisibleby", "sameas"};
constexpr std::array<std::string_view, 23> kMethods{
    "strip", "lstrip", "rstrip",     "startswith", "endswith",     "split",        "rsplit",     "upper",
    "lower", "title",  "capitalize", "replace",    "removeprefix", "removesuffix", "splitlines", "find",
    "count", "join",   "isdigit",    "get",        "items",        "keys",         "values"};

template <std::size_t N>
bool is_one_of(std::string_view text, const std::array<std::string_view, N>& names) {
  return std::find(names.begin(), names.end(), text) != names.end();
}

class Parser {
 public:
  explicit Parser(TokenStream& tokens) : tokens_(tokens) {}

  ExprPtr conditional() {
    const Nested nested(*this);
    ExprPtr value = either();
    while (tokens_.take_word("if")) {
      ExprPtr test = either();
      ExprPtr otherwise = tokens_.take_word("else") ? conditional() : nullptr;
      value = make(ExprKind::kConditional, "", std::move(value), std::move(test), std::move(otherwise));
    }
    return value;
  }

  ExprPtr either() {
    ExprPtr left = both();
    while (tokens_.take_word("or")) left = make(ExprKind::kBinary, "or", std::move(left), both());
    return left;
  }

 private:
  // A node over its parts, with its depth checked.
  template <class... Parts>
  ExprPtr make(ExprKind kind, std::string text, Parts... parts) {
    auto node = std::make_unique<Expr>();
    node->kind = kind;
    node->line = tokens_.line();
    node->text = std::move(text);
    (adopt(*node, std::move(parts)), ...);
    return node;
  }

  void adopt(Expr& node, ExprPtr part) {
    if (part) node.depth = std::max(node.depth, part->depth + 1);
    if (node.depth > kDepthMax) refuse(node.line, "expressions deeper than {} levels", kDepthMax);
    node.args.push_back(std::move(part));
  }

  ExprPtr both() {
    ExprPtr left = negation();
    while (tokens_.take_word("and")) left = make(ExprKind::kBinary, "and", std::move(left), negation());
    return left;
  }

  ExprPtr negation() {
    if (tokens_.is_word("not") && !tokens_.is_word("in", 1)) {
      tokens_.next();
      const Nested nested(*this);
      return make(ExprKind::kUnary, "not", negation());
    }
    return comparison();
  }

  // The comparison operator that comes next, taken; empty if there is none.
  std::string_view take_comparison() {
    if (tokens_.take_word("in")) return "in";
    if (tokens_.is_word("not") && tokens_.is_word("in", 1)) {
      tokens_.next();
      tokens_.next();
      return "not in";
    }
    for (const std::string_view op : {"==", "!=", "<=", ">=", "<", ">"}) {
      if (tokens_.take_symbol(op)) return op;
    }
    return {};
  }

  ExprPtr comparison() {
    ExprPtr left = sum();
    std::string_view op = take_comparison();
    if (op.empty()) return left;
    ExprPtr chain = make(ExprKind::kCompare, "", std::move(left));
    while (!op.empty()) {
      chain->names.emplace_back(op);
      adopt(*chain, sum());
      op = take_comparison();
    }
    return chain;
  }

  ExprPtr sum() {
    ExprPtr left = concatenation();
    while (tokens_.is_symbol("+") || tokens_.is_symbol("-")) {
      std::string op = tokens_.next().text;
      left = make(ExprKind::kBinary, std::move(op), std::move(left), concatenation());
    }
    return left;
  }

  ExprPtr concatenation() {
    ExprPtr left = product();
    while (tokens_.take_symbol("~")) left = make(ExprKind::kBinary, "~", std::move(left), product());
    return left;
  }

  ExprPtr product() {
    ExprPtr left = unary(true);
    while (true) {
      if (tokens_.take_symbol("*")) {
        left = make(ExprKind::kBinary, "*", std::move(left), unary(true));
      } else if (tokens_.take_symbol("/")) {
        left = make(ExprKind::kBinary, "/", std::move(left), unary(true));
      } else if (tokens_.take_symbol("//")) {
        left = make(ExprKind::kBinary, "//", std::move(left), unary(true));
      } else if (tokens_.take_symbol("%")) {
        left = make(ExprKind::kBinary, "%", std::move(left), unary(true));
      } else {
        return left;
      }
    }
  }

  ExprPtr unary(bool with_filters) {
    const Nested nested(*this);
    ExprPtr value;
    if (tokens_.is_symbol("-") || tokens_.is_symbol("+")) {
      std::string op = tokens_.next().text;
      value = make(ExprKind::kUnary, std::move(op), unary(false));
    } else {
      value = primary();
    }
    value = postfix(std::move(value));
    if (tokens_.take_symbol("**")) value = make(ExprKind::kBinary, "**", std::move(value), unary(false));
    return with_filters ? filters(std::move(value)) : std::move(value);
  }

  ExprPtr primary() {
    const Token token = tokens_.next();
    switch (token.kind) {
      case TokenKind::kString: return string_literal(token);
      case TokenKind::kInteger: return integer_literal(token);
      case TokenKind::kFloat: return float_literal(token);
      case TokenKind::kName: return name(token);
      case TokenKind::kSymbol:
        if (token.text == "(") return parenthesis();
        if (token.text == "[") return list("]");
        if (token.text == "{") return dict();
        break;
      default: break;
    }
    fail(token.line, "expected an expression, got '{}'", token.text);
  }

  ExprPtr literal(LiteralKind kind, std::string text = {}, std::int64_t integer = 0) {
    ExprPtr node = make(ExprKind::kLiteral, std::move(text));
    node->literal = kind;
    node->integer = integer;
    return node;
  }

  ExprPtr string_literal(const Token& token) {
    std::string text = token.text;
    while (tokens_.peek().kind == TokenKind::kString) text += tokens_.next().text;
    return literal(LiteralKind::kString, std::move(text));
  }

  ExprPtr integer_literal(const Token& token) {
    std::int64_t value = 0;
    const auto result = std::from_chars(token.text.data(), token.text.data() + token.text.size(), value);
    if (result.ec != std::errc{}) fail(token.line, "the number {} is too large", token.text);
    return literal(LiteralKind::kInteger, {}, value);
  }

  ExprPtr float_literal(const Token& token) {
    ExprPtr node = literal(LiteralKind::kFloat);
    const auto result =
        std::from_chars(token.text.data(), token.text.data() + token.text.size(), node->number);
    if (result.ec != std::errc{}) fail(token.line, "the number {} is too large", token.text);
    return node;
  }

  ExprPtr dict() {
    ExprPtr node = make(ExprKind::kDict, "");
    while (!tokens_.take_symbol("}")) {
      adopt(*node, conditional());
      tokens_.expect_symbol(":");
      adopt(*node, conditional());
      if (tokens_.take_symbol("}")) break;
      tokens_.expect_symbol(",");
    }
    return node;
  }

  ExprPtr name(const Token& token) {
    const std::string& text = token.text;
    if (text == "true" || text == "True") return literal(LiteralKind::kTrue);
    if (text == "false" || text == "False") return literal(LiteralKind::kFalse);
    if (text == "none" || text == "None") return literal(LiteralKind::kNone);
    return make(ExprKind::kName, text);
  }

  ExprPtr parenthesis() {
    if (tokens_.is_symbol(")")) return list(")");
    ExprPtr first = conditional();
    if (tokens_.take_symbol(")")) return first;
    ExprPtr node = make(ExprKind::kList, "", std::move(first));
    tokens_.expect_symbol(",");
    return list_rest(std::move(node), ")");
  }

  ExprPtr list(std::string_view end) { return list_rest(make(ExprKind::kList, ""), end); }

  ExprPtr list_rest(ExprPtr node, std::string_view end) {
    while (!tokens_.take_symbol(end)) {
      adopt(*node, conditional());
      if (tokens_.take_symbol(end)) break;
      tokens_.expect_symbol(",");
    }
    return node;
  }

  ExprPtr postfix(ExprPtr value) {
    while (true) {
      if (tokens_.take_symbol(".")) {
        value = attribute(std::move(value));
      } else if (tokens_.take_symbol("[")) {
        value = subscript(std::move(value));
      } else if (tokens_.is_symbol("(")) {
        value = call(std::move(value));
      } else {
        return value;
      }
    }
  }

  ExprPtr attribute(ExprPtr value) {
    if (tokens_.peek().kind == TokenKind::kInteger) {
      ExprPtr index = integer_literal(tokens_.next());
      return make(ExprKind::kIndex, "", std::move(value), std::move(index));
    }
    std::string member = tokens_.expect_name();
    if (!tokens_.is_symbol("(")) return make(ExprKind::kAttribute, std::move(member), std::move(value));
    if (!is_one_of(member, kMethods)) refuse(tokens_.line(), "the method '{}'", member);
    ExprPtr node = make(ExprKind::kMethod, std::move(member), std::move(value));
    arguments(*node);
    return node;
  }

  ExprPtr call(ExprPtr callee) {
    if (callee->kind != ExprKind::kName) refuse(tokens_.line(), "calling a value");
    ExprPtr node = make(ExprKind::kCall, callee->text);
    arguments(*node);
    return node;
  }

  // "( a, b, name = c )": named ones last.
  void arguments(Expr& node) {
    tokens_.expect_symbol("(");
    while (!tokens_.take_symbol(")")) {
      const bool named = tokens_.peek().kind == TokenKind::kName &&
                         tokens_.peek(1).kind == TokenKind::kSymbol && tokens_.peek(1).text == "=";
      if (named) {
        node.names.push_back(tokens_.next().text);
        tokens_.next();
      } else if (!node.names.empty()) {
        fail(tokens_.line(), "a positional argument after a named one");
      }
      adopt(node, conditional());
      if (tokens_.take_symbol(")")) return;
      tokens_.expect_symbol(",");
    }
  }

  ExprPtr subscript(ExprPtr value) {
    std::vector<ExprPtr> parts(3);
    std::size_t colons = 0;
    while (!tokens_.take_symbol("]")) {
      if (tokens_.take_symbol(":")) {
        if (++colons > 2) fail(tokens_.line(), "a slice with more than two colons");
      } else {
        if (parts[colons]) fail(tokens_.line(), "expected ']', got '{}'", tokens_.peek().text);
        parts[colons] = conditional();
      }
    }
    if (colons > 0) {
      return make(ExprKind::kSlice, "", std::move(value), std::move(parts[0]), std::move(parts[1]),
                  std::move(parts[2]));
    }
    if (!parts[0]) fail(tokens_.line(), "expected an index, got ']'");
    return make(ExprKind::kIndex, "", std::move(value), std::move(parts[0]));
  }

  ExprPtr filters(ExprPtr value) {
    while (true) {
      if (tokens_.take_symbol("|")) {
        std::string filter = tokens_.expect_name();
        if (!is_one_of(filter, kFilters)) refuse(tokens_.line(), "the filter '{}'", filter);
        value = make(ExprKind::kFilter, std::move(filter), std::move(value));
        if (tokens_.is_symbol("(")) arguments(*value);
      } else if (tokens_.take_word("is")) {
        value = test(std::move(value));
      } else {
        return value;
      }
    }
  }

  ExprPtr test(ExprPtr value) {
    const bool negated = tokens_.take_word("not");
    std::string which = tokens_.expect_name();
    const bool takes_value = is_one_of(which, kValueTests);
    if (!takes_value && !is_one_of(which, kPlainTests)) refuse(tokens_.line(), "the test '{}'", which);
    ExprPtr node = make(ExprKind::kTest, std::move(which), std::move(value));
    if (takes_value && tokens_.is_symbol("(")) {
      arguments(*node);
    } else if (takes_value) {
      adopt(*node, unary(false));
    }
    if (takes_value && (node->args.size() != 2 || !node->names.empty()))
      fail(node->line, "expected one argument");
    return negated ? make(ExprKind::kUnary, "not", std::move(node)) : std::move(node);
  }

  // Counts the recursion of this parser itself.
  struct Nested {
    explicit Nested(Parser& parser_in) : parser(parser_in) {
      if (++parser.nesting_ > kDepthMax)
        refuse(parser.tokens_.line(), "expressions deeper than {} levels", kDepthMax);
    }
    ~Nested() { --parser.nesting_; }
    Nested(const Nested&) = delete;
    Nested& operator=(const Nested&) = delete;
    Parser& parser;
  };

  TokenStream& tokens_;
  int nesting_ = 0;
};

}  // namespace

bool is_filter(std::string_view name) {
  return is_one_of(name, kFilters);
}
bool is_test(std::string_view name) {
  return is_one_of(name, kPlainTests) || is_one_of(name, kValueTests);
}

bool TokenStream::take_symbol(std::string_view text) {
  if (!is_symbol(text)) return false;
  next();
  return true;
}

bool TokenStream::take_word(std::string_view text) {
  if (!is_word(text)) return false;
  next();
  return true;
}

void TokenStream::expect_symbol(std::string_view text) {
  if (!take_symbol(text)) fail(line(), "expected '{}', got '{}'", text, peek().text);
}

std::string TokenStream::expect_name() {
  if (peek().kind != TokenKind::kName) fail(line(), "expected a name, got '{}'", peek().text);
  return next().text;
}

ExprPtr parse_expression(TokenStream& tokens, bool with_conditional) {
  Parser parser(tokens);
  return with_conditional ? parser.conditional() : parser.either();
}

}  // namespace adit::model::jinja
