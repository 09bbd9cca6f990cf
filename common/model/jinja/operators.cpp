// SPDX-License-Identifier: MIT
// Operators and comparisons.
#include <algorithm>
#include <cmath>
#include <limits>

#include "common/model/jinja/evaluator.hpp"
#include "common/model/jinja/fault.hpp"
#include "common/model/jinja/text_ops.hpp"

namespace adit::model::jinja {

Value Evaluator::unary(const Expr& expr) {
  const Value value = eval(*expr.args[0]);
  if (expr.text == "not") return Value(!truth(value));
  if (value.is<double>())
    return Value(expr.text == "-" ? -std::get<double>(value.data) : std::get<double>(value.data));
  const std::int64_t number = integer_of(value, expr.line);
  if (expr.text == "+") return Value(number);
  return arithmetic("-", 0, number, expr.line);
}

Value Evaluator::add(const Value& left, const Value& right, int line) {
  if (left.is_text() && right.is_text()) return make_text(left.text() + right.text(), line);
  if (left.is_list() && right.is_list()) {
    budget_.step(line, left.list().size() + right.list().size());
    List out = left.list();
    out.insert(out.end(), right.list().begin(), right.list().end());
    return Value(std::move(out), line);
  }
  if (left.is_text() || left.is_list()) fail(line, "cannot add {} and {}", kind_of(left), kind_of(right));
  return numbers("+", left, right, line);
}

Value Evaluator::dict(const Expr& expr) {
  Map map;
  for (std::size_t i = 0; i < expr.args.size(); i += 2) {
    const Value key = eval(*expr.args[i]);
    if (!key.is_text()) refuse(expr.line, "dictionary keys that are {}", kind_of(key));
    Value value = eval(*expr.args[i + 1]);
    budget_.step(expr.line, map.size());
    const auto old =
        std::find_if(map.begin(), map.end(), [&](const auto& entry) { return entry.first == key.text(); });
    if (old != map.end()) {
      old->second = std::move(value);
    } else {
      map.emplace_back(key.text(), std::move(value));
    }
  }
  return Value(std::move(map), expr.line);
}

Value Evaluator::multiply_text(const Value& text, const Value& times, int line) {
  const std::int64_t count = std::max<std::int64_t>(0, integer_of(times, line));
  budget_.bytes(line, saturated_product(text.text().size(), static_cast<std::uint64_t>(count)));
  std::string out;
  for (std::int64_t i = 0; i < count && !text.text().empty(); ++i) out += text.text();
  return Value(std::move(out));
}

// As Python: / gives a floating point number, // and % go towards minus infinity.
Value Evaluator::numbers(const std::string& op, const Value& left, const Value& right, int line) const {
  const bool floating = left.is<double>() || right.is<double>();
  if (!floating && op != "/" && op != "**")
    return arithmetic(op, integer_of(left, line), integer_of(right, line), line);
  if (op == "**") {
    const std::int64_t exponent = integer_of(right, line);
    if (floating || exponent < 0 || exponent > 63) refuse(line, "'**' of other than small integers");
    Value out(std::int64_t{1});
    for (std::int64_t i = 0; i < exponent; ++i)
      out = arithmetic("*", integer_of(out, line), integer_of(left, line), line);
    return out;
  }
  const double a = number_of(left, line);
  const double b = number_of(right, line);
  if (op == "+") return Value(a + b);
  if (op == "-") return Value(a - b);
  if (op == "*") return Value(a * b);
  if (b == 0) fail(line, "division by zero");
  if (op == "/") return Value(a / b);
  double remainder = std::fmod(a, b);
  if (remainder != 0 && (remainder < 0) != (b < 0)) remainder += b;
  if (op == "%") return Value(remainder);
  return Value(std::floor((a - remainder) / b + 0.5));
}

Value Evaluator::arithmetic(const std::string& op, std::int64_t left, std::int64_t right, int line) const {
  std::int64_t out = 0;
  bool overflow = false;
  if (op == "+") overflow = __builtin_add_overflow(left, right, &out);
  if (op == "-") overflow = __builtin_sub_overflow(left, right, &out);
  if (op == "*") overflow = __builtin_mul_overflow(left, right, &out);
  if (op == "//" || op == "%") {
    if (right == 0) fail(line, "division by zero");
    overflow = left == std::numeric_limits<std::int64_t>::min() && right == -1;
    if (!overflow) {
      // As Python: towards minus infinity, the remainder has the divisor's sign.
      const std::int64_t remainder = left % right;
      const bool adjust = remainder != 0 && (remainder < 0) != (right < 0);
      out = op == "%" ? remainder + (adjust ? right : 0) : left / right - (adjust ? 1 : 0);
    }
  }
  if (overflow) fail(line, "an integer beyond 64 bits");
  return Value(out);
}

Value Evaluator::binary(const Expr& expr) {
  const Value left = eval(*expr.args[0]);
  if (expr.text == "and") return truth(left) ? eval(*expr.args[1]) : left;
  if (expr.text == "or") return truth(left) ? left : eval(*expr.args[1]);
  const Value right = eval(*expr.args[1]);
  if (expr.text == "~") return make_text(print(left, expr.line) + print(right, expr.line), expr.line);
  if (expr.text == "+") return add(left, right, expr.line);
  if (expr.text == "*" && left.is_text()) return multiply_text(left, right, expr.line);
  if (expr.text == "*" && right.is_text()) return multiply_text(right, left, expr.line);
  if (left.is_text()) refuse(expr.line, "'{}' of a text", expr.text);
  return numbers(expr.text, left, right, expr.line);
}

bool Evaluator::compare_one(const std::string& op, const Value& left, const Value& right, int line) {
  if (op == "==" || op == "!=") {
    charge(left, line);
    charge(right, line);
    return equal(left, right, line) == (op == "==");
  }
  if (op == "in" || op == "not in") {
    charge(right, line);
    if (right.is_text() && left.is_text()) charge_search(right.text(), left.text(), line);
    if (right.is_list()) budget_.step(line, saturated_product(right.list().size(), left.weight));
    return contains(right, left, line) == (op == "in");
  }
  charge(left, line);
  charge(right, line);
  const int order = order_of(left, right, line);
  return op == "<" ? order < 0 : op == "<=" ? order <= 0 : op == ">" ? order > 0 : order >= 0;
}

Value Evaluator::compare(const Expr& expr) {
  Value left = eval(*expr.args[0]);
  for (std::size_t i = 0; i < expr.names.size(); ++i) {
    Value right = eval(*expr.args[i + 1]);
    if (!compare_one(expr.names[i], left, right, expr.line)) return Value(false);
    left = std::move(right);
  }
  return Value(true);
}

}  // namespace adit::model::jinja
