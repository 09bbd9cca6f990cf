// SPDX-License-Identifier: MIT
// common/model/jinja/evaluator.hpp
//
// Expressions to values, within a budget.
//
// In       names are looked up in a stack of scopes, innermost first.
// Errors   throws Fault: kInvalidArgument for what Jinja2 refuses too, kResourceExhausted beyond the
//          budget.
// Threads  one.
// Tests    tests/unit/common/model/chat_template_test.cpp
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "common/model/jinja/ast.hpp"
#include "common/model/jinja/value.hpp"

namespace adit::model::jinja {

inline constexpr std::uint64_t kStepsMax = 2'000'000;
inline constexpr std::uint64_t kBytesMax = 64u << 20;

// Steps and bytes of text that a rendering may still use.
class Budget {
 public:
  void step(int line, std::uint64_t steps = 1);
  void bytes(int line, std::uint64_t bytes);

 private:
  std::uint64_t steps_left_ = kStepsMax;
  std::uint64_t bytes_left_ = kBytesMax;
};

class Scopes {
 public:
  Scopes() : scopes_(1) {}
  void push() { scopes_.emplace_back(); }
  void pop() { scopes_.pop_back(); }
  void set(const std::string& name, Value value) { scopes_.back()[name] = std::move(value); }
  [[nodiscard]] Value get(const std::string& name) const;

 private:
  std::vector<std::map<std::string, Value>> scopes_;
};

class Evaluator {
 public:
  Evaluator(Scopes& scopes, Budget& budget) : scopes_(scopes), budget_(budget) {}
  [[nodiscard]] Value eval(const Expr& expr);
  // What a loop goes over, paid for.
  [[nodiscard]] List items(const Value& value, int line);

 private:
  // The positional and named arguments of a call or filter, evaluated.
  struct Arguments {
    std::vector<Value> values;
    std::vector<std::pair<std::string, Value>> named;
    int line;
    // The argument at `index` or of that name, or nullptr.
    [[nodiscard]] const Value* find(std::size_t index, std::string_view name) const;
    void expect(std::size_t min, std::size_t max, std::string_view what) const;
  };

  Value literal(const Expr& expr);
  Value slice(const Expr& expr);
  Value call(const Expr& expr);
  Value range(const Arguments& arguments);
  Value method(const Expr& expr);
  Value text_method(const std::string& name, std::string_view text, const Arguments& arguments);
  Value filter(const Expr& expr);
  Value join(const Value& value, const Arguments& arguments);
  Value test(const Expr& expr);
  Value unary(const Expr& expr);
  Value binary(const Expr& expr);
  Value add(const Value& left, const Value& right, int line);
  Value arithmetic(const std::string& op, std::int64_t left, std::int64_t right, int line) const;
  Value compare(const Expr& expr);
  Arguments arguments_of(const Expr& expr, std::size_t first);
  // Pays for walking over a value, and for looking for one text in another.
  void charge(const Value& value, int line);
  void charge_search(std::string_view text, std::string_view wanted, int line);
  // A new text, paid for.
  Value make_text(std::string text, int line);

  Scopes& scopes_;
  Budget& budget_;
};

}  // namespace adit::model::jinja
