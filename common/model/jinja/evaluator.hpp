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

#include <algorithm>
#include <cstdint>
#include <functional>
#include <iterator>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "common/model/jinja/ast.hpp"
#include "common/model/jinja/value.hpp"

namespace adit::model::jinja {

inline constexpr std::uint64_t kStepsMax = 2'000'000;
inline constexpr std::uint64_t kBytesMax = 64u << 20;
// Of expressions inside of one another, through macros too: bounds the stack.
inline constexpr int kEvalDepthMax = 600;

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
  using Names = std::map<std::string, Value>;
  Scopes() : scopes_(1) {}
  // All but the outermost; give them back with restore.
  [[nodiscard]] std::vector<Names> leave() {
    std::vector<Names> inner(std::make_move_iterator(scopes_.begin() + 1),
                             std::make_move_iterator(scopes_.end()));
    scopes_.resize(1);
    return inner;
  }
  void restore(std::vector<Names> inner) {
    scopes_.resize(1);
    std::move(inner.begin(), inner.end(), std::back_inserter(scopes_));
  }
  void push() { scopes_.emplace_back(); }
  void pop() { scopes_.pop_back(); }
  void set(const std::string& name, Value value) { scopes_.back()[name] = std::move(value); }
  [[nodiscard]] Value get(const std::string& name) const;

 private:
  std::vector<Names> scopes_;
};

class Evaluator {
 public:
  // The positional and named arguments of a call, a filter or a method, evaluated.
  struct Arguments {
    std::vector<Value> values;
    std::vector<std::pair<std::string, Value>> named;
    int line = 0;
    // The argument at `index` or of that name, or nullptr.
    [[nodiscard]] const Value* find(std::size_t index, std::string_view name) const;
    void expect(std::size_t min, std::size_t max, std::string_view what) const;
    // All after the first.
    [[nodiscard]] Arguments rest() const;
  };
  // Runs a macro's body and gives what it writes.
  using MacroRunner = std::function<std::string(const Node& macro, const Arguments& arguments)>;

  Evaluator(Scopes& scopes, Budget& budget, MacroRunner run_macro)
      : scopes_(scopes), budget_(budget), run_macro_(std::move(run_macro)) {}
  [[nodiscard]] Value eval(const Expr& expr);
  // What a loop goes over, paid for.
  [[nodiscard]] List items(const Value& value, int line);

 private:
  Value eval_one(const Expr& expr);
  Value literal(const Expr& expr);
  Value slice(const Expr& expr);
  Value dict(const Expr& expr);
  Value call(const Expr& expr);
  Value range(const Arguments& arguments);
  Value method(const Expr& expr);
  Value text_method(const std::string& name, std::string_view text, const Arguments& arguments);
  Value split_method(const std::string& name, std::string_view text, const Arguments& arguments);
  Value dict_method(const std::string& name, const Value& value, const Arguments& arguments);
  Value apply_filter(const std::string& name, const Value& value, const Arguments& arguments);
  Value text_filter(const std::string& name, const Value& value, const Arguments& arguments);
  Value number_filter(const std::string& name, const Value& value, const Arguments& arguments);
  Value list_filter(const std::string& name, const Value& value, const Arguments& arguments);
  Value defaulted(const Value& value, const Arguments& arguments);
  Value join(const Value& value, const Arguments& arguments);
  Value tojson(const Value& value, const Arguments& arguments);
  Value select(const std::string& name, const Value& value, const Arguments& arguments);
  Value map(const Value& value, const Arguments& arguments);
  Value sorted(const Value& value, const Arguments& arguments);
  Value dictsort(const Value& value, const Arguments& arguments);
  Value unique(const Value& value, const Arguments& arguments);
  Value fold(const std::string& name, const Value& value, const Arguments& arguments);
  // item.a.b or item.0 by a path; undefined where it ends early.
  Value attribute(const Value& item, std::string_view path, int line);
  // What sort, unique, min and max compare: an attribute, in lower case unless case_sensitive.
  Value sort_key(const Value& item, const Value* path, bool case_sensitive, int line);
  bool apply_test(const std::string& name, const Value& value, const Value* argument, int line);
  bool compare_one(const std::string& op, const Value& left, const Value& right, int line);
  Value test(const Expr& expr);
  Value unary(const Expr& expr);
  Value binary(const Expr& expr);
  Value add(const Value& left, const Value& right, int line);
  Value multiply_text(const Value& text, const Value& times, int line);
  Value numbers(const std::string& op, const Value& left, const Value& right, int line) const;
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
  MacroRunner run_macro_;
  int depth_ = 0;
};

}  // namespace adit::model::jinja
