// SPDX-License-Identifier: MIT
#include "common/model/jinja/evaluator.hpp"

#include <algorithm>
#include <limits>

#include "common/model/jinja/fault.hpp"
#include "common/model/jinja/text_ops.hpp"

namespace adit::model::jinja {
namespace {

constexpr std::uint64_t kBytesPerStep = 64;

}  // namespace

void Budget::step(int line, std::uint64_t steps) {
  if (steps > steps_left_)
    throw Fault(ErrorCode::kResourceExhausted, line, fmt::format("more than {} steps", kStepsMax));
  steps_left_ -= steps;
}

void Budget::bytes(int line, std::uint64_t bytes) {
  if (bytes > bytes_left_) {
    throw Fault(ErrorCode::kResourceExhausted, line, fmt::format("more than {} bytes of text", kBytesMax));
  }
  bytes_left_ -= bytes;
}

Value Scopes::get(const std::string& name) const {
  for (auto scope = scopes_.rbegin(); scope != scopes_.rend(); ++scope) {
    if (const auto found = scope->find(name); found != scope->end()) return found->second;
  }
  return Value(Undefined{name});
}

const Value* Evaluator::Arguments::find(std::size_t index, std::string_view name) const {
  if (index < values.size()) return &values[index];
  for (const auto& [given, value] : named) {
    if (given == name) return &value;
  }
  return nullptr;
}

void Evaluator::Arguments::expect(std::size_t min, std::size_t max, std::string_view what) const {
  const std::size_t count = values.size() + named.size();
  if (count < min || count > max)
    fail(line, "{}: expected {} to {} arguments, got {}", what, min, max, count);
}

Evaluator::Arguments Evaluator::arguments_of(const Expr& expr, std::size_t first) {
  Arguments out;
  out.line = expr.line;
  const std::size_t positional = expr.args.size() - expr.names.size();
  for (std::size_t i = first; i < expr.args.size(); ++i) {
    Value value = eval(*expr.args[i]);
    if (i < positional) {
      out.values.push_back(std::move(value));
    } else {
      out.named.emplace_back(expr.names[i - positional], std::move(value));
    }
  }
  return out;
}

Value Evaluator::make_text(std::string text, int line) {
  budget_.bytes(line, text.size());
  return Value(std::move(text));
}

Value Evaluator::eval(const Expr& expr) {
  budget_.step(expr.line);
  switch (expr.kind) {
    case ExprKind::kLiteral: return literal(expr);
    case ExprKind::kName: return scopes_.get(expr.text);
    case ExprKind::kList: {
      List list;
      for (const ExprPtr& item : expr.args) list.push_back(eval(*item));
      return Value(std::move(list), expr.line);
    }
    case ExprKind::kAttribute: return member_of(eval(*expr.args[0]), expr.text, expr.line);
    case ExprKind::kIndex: {
      const Value value = eval(*expr.args[0]);
      if (value.is_text()) charge(value, expr.line);
      return item_of(value, eval(*expr.args[1]), expr.line);
    }
    case ExprKind::kSlice: return slice(expr);
    case ExprKind::kCall: return call(expr);
    case ExprKind::kMethod: return method(expr);
    case ExprKind::kFilter: return filter(expr);
    case ExprKind::kTest: return test(expr);
    case ExprKind::kUnary: return unary(expr);
    case ExprKind::kBinary: return binary(expr);
    case ExprKind::kCompare: return compare(expr);
    case ExprKind::kConditional:
      if (truth(eval(*expr.args[1]))) return eval(*expr.args[0]);
      return expr.args[2] ? eval(*expr.args[2]) : Value(Undefined{"the value of an 'if' without 'else'"});
  }
  fail(expr.line, "unknown expression");
}

void Evaluator::charge(const Value& value, int line) {
  budget_.step(line, value.is_text() ? value.text().size() / kBytesPerStep : value.weight);
}

void Evaluator::charge_search(std::string_view text, std::string_view wanted, int line) {
  budget_.step(line, (1 + text.size() / kBytesPerStep) * (1 + wanted.size() / kBytesPerStep));
}

List Evaluator::items(const Value& value, int line) {
  charge(value, line);
  if (value.is_text()) budget_.step(line, value.text().size());
  return items_of(value, line);
}

Value Evaluator::literal(const Expr& expr) {
  switch (expr.literal) {
    case LiteralKind::kString: return make_text(expr.text, expr.line);
    case LiteralKind::kInteger: return Value(expr.integer);
    case LiteralKind::kTrue: return Value(true);
    case LiteralKind::kFalse: return Value(false);
    case LiteralKind::kNone: return Value(None{});
  }
  return {};
}

Value Evaluator::unary(const Expr& expr) {
  const Value value = eval(*expr.args[0]);
  if (expr.text == "not") return Value(!truth(value));
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
  return arithmetic("+", integer_of(left, line), integer_of(right, line), line);
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
  if (left.is_text()) refuse(expr.line, "'{}' of a text", expr.text);
  return arithmetic(expr.text, integer_of(left, expr.line), integer_of(right, expr.line), expr.line);
}

Value Evaluator::compare(const Expr& expr) {
  Value left = eval(*expr.args[0]);
  for (std::size_t i = 0; i < expr.names.size(); ++i) {
    const std::string& op = expr.names[i];
    Value right = eval(*expr.args[i + 1]);
    bool holds = false;
    if (op == "==" || op == "!=") {
      charge(left, expr.line);
      charge(right, expr.line);
      holds = equal(left, right, expr.line) == (op == "==");
    } else if (op == "in" || op == "not in") {
      charge(right, expr.line);
      if (right.is_text() && left.is_text()) charge_search(right.text(), left.text(), expr.line);
      if (right.is_list()) budget_.step(expr.line, saturated_product(right.list().size(), left.weight));
      holds = contains(right, left, expr.line) == (op == "in");
    } else {
      int order = 0;
      if (left.is_text() && right.is_text()) {
        charge(left, expr.line);
        order = left.text().compare(right.text());
      } else {
        const std::int64_t a = integer_of(left, expr.line);
        const std::int64_t b = integer_of(right, expr.line);
        order = a < b ? -1 : (a > b ? 1 : 0);
      }
      holds = op == "<" ? order < 0 : op == "<=" ? order <= 0 : op == ">" ? order > 0 : order >= 0;
    }
    if (!holds) return Value(false);
    left = std::move(right);
  }
  return Value(true);
}

Value Evaluator::slice(const Expr& expr) {
  const Value value = eval(*expr.args[0]);
  if (!value.is_list() && !value.is_text()) fail(expr.line, "a slice of {}", kind_of(value));
  const std::int64_t size = length_of(value, expr.line);
  const auto part = [&](std::size_t i, std::int64_t absent) {
    if (!expr.args[i]) return absent;
    const Value given = eval(*expr.args[i]);
    return given.is<None>() ? absent : integer_of(given, expr.line);
  };
  const std::int64_t step = part(3, 1);
  if (step != 1 && step != -1) refuse(expr.line, "slices with a step of {}", step);
  // As Python: negative positions count from the end; backwards, -1 stands for "before the first".
  const std::int64_t low = step > 0 ? 0 : -1;
  const std::int64_t high = step > 0 ? size : size - 1;
  const auto place = [&](std::size_t i, std::int64_t absent) {
    if (!expr.args[i]) return absent;
    const std::int64_t given = part(i, INT64_MIN);
    if (given == INT64_MIN) return absent;
    return std::clamp(given < 0 ? given + size : given, low, high);
  };
  const std::int64_t begin = place(1, step > 0 ? low : high);
  const std::int64_t end = place(2, step > 0 ? high : low);
  budget_.step(expr.line, static_cast<std::uint64_t>(size));
  if (value.is_text()) {
    if (step < 0) refuse(expr.line, "a text backwards");
    return make_text(begin < end ? std::string(code_slice(value.text(), begin, end)) : std::string(),
                     expr.line);
  }
  List out;
  for (std::int64_t i = begin; step > 0 ? i < end : i > end; i += step) {
    out.push_back(value.list()[static_cast<std::size_t>(i)]);
  }
  return Value(std::move(out), expr.line);
}

Value Evaluator::call(const Expr& expr) {
  const Arguments arguments = arguments_of(expr, 0);
  if (expr.text == "raise_exception") {
    arguments.expect(1, 1, expr.text);
    if (!arguments.named.empty()) fail(expr.line, "raise_exception takes no named arguments");
    fail(expr.line, "the template refuses these messages: {}", print(arguments.values[0], expr.line));
  }
  if (expr.text == "range") return range(arguments);
  if (!arguments.values.empty()) refuse(expr.line, "positional arguments of namespace");
  auto space = std::make_shared<Namespace>();
  for (const auto& [name, value] : arguments.named) check_element(value, expr.line);
  space->values = arguments.named;
  return Value(std::move(space));
}

Value Evaluator::range(const Arguments& arguments) {
  arguments.expect(1, 3, "range");
  if (!arguments.named.empty()) fail(arguments.line, "range takes no named arguments");
  std::vector<std::int64_t> given;
  for (const Value& value : arguments.values) given.push_back(integer_of(value, arguments.line));
  const std::int64_t begin = given.size() > 1 ? given[0] : 0;
  const std::int64_t end = given.size() > 1 ? given[1] : given[0];
  const std::int64_t step = given.size() > 2 ? given[2] : 1;
  if (step == 0) fail(arguments.line, "range with a step of 0");
  List out;
  for (std::int64_t i = begin; step > 0 ? i < end : i > end;) {
    budget_.step(arguments.line);
    out.emplace_back(i);
    if (__builtin_add_overflow(i, step, &i)) break;
  }
  return Value(std::move(out), arguments.line);
}

}  // namespace adit::model::jinja
