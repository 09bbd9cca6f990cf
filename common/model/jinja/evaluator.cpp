// SPDX-License-Identifier: MIT
#include "common/model/jinja/evaluator.hpp"

#include <algorithm>
#include <cmath>
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

Evaluator::Arguments Evaluator::Arguments::rest() const {
  Arguments out{{}, named, line};
  if (!values.empty()) out.values.assign(values.begin() + 1, values.end());
  return out;
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
  if (depth_ >= kEvalDepthMax) {
    throw Fault(ErrorCode::kResourceExhausted, expr.line,
                fmt::format("expressions deeper than {} levels", kEvalDepthMax));
  }
  ++depth_;
  Value value = eval_one(expr);
  --depth_;
  return value;
}

Value Evaluator::eval_one(const Expr& expr) {
  switch (expr.kind) {
    case ExprKind::kLiteral: return literal(expr);
    case ExprKind::kName: return scopes_.get(expr.text);
    case ExprKind::kList: {
      List list;
      for (const ExprPtr& item : expr.args) list.push_back(eval(*item));
      return Value(std::move(list), expr.line);
    }
    case ExprKind::kDict: return dict(expr);
    case ExprKind::kAttribute: return member_of(eval(*expr.args[0]), expr.text, expr.line);
    case ExprKind::kIndex: {
      const Value value = eval(*expr.args[0]);
      if (value.is_text()) charge(value, expr.line);
      return item_of(value, eval(*expr.args[1]), expr.line);
    }
    case ExprKind::kSlice: return slice(expr);
    case ExprKind::kCall: return call(expr);
    case ExprKind::kMethod: return method(expr);
    case ExprKind::kFilter: {
      const Value value = eval(*expr.args[0]);
      return apply_filter(expr.text, value, arguments_of(expr, 1));
    }
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
    case LiteralKind::kFloat: return Value(expr.number);
    case LiteralKind::kTrue: return Value(true);
    case LiteralKind::kFalse: return Value(false);
    case LiteralKind::kNone: return Value(None{});
  }
  return {};
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
  if (step == 0) fail(expr.line, "a slice with a step of 0");
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
    if (step == 1) {
      return make_text(begin < end ? std::string(code_slice(value.text(), begin, end)) : std::string(),
                       expr.line);
    }
    std::string text;
    budget_.step(expr.line, value.text().size());
    const List codes = items_of(value, expr.line);
    for (std::int64_t i = begin; step > 0 ? i < end : i > end;) {
      text += codes[static_cast<std::size_t>(i)].text();
      if (__builtin_add_overflow(i, step, &i)) break;
    }
    return make_text(std::move(text), expr.line);
  }
  List out;
  for (std::int64_t i = begin; step > 0 ? i < end : i > end;) {
    out.push_back(value.list()[static_cast<std::size_t>(i)]);
    if (__builtin_add_overflow(i, step, &i)) break;
  }
  return Value(std::move(out), expr.line);
}

Value Evaluator::call(const Expr& expr) {
  const Value callee = scopes_.get(expr.text);
  if (callee.is_macro()) return Value(run_macro_(*std::get<const Node*>(callee.data), arguments_of(expr, 0)));
  if (!callee.is<Undefined>()) fail(expr.line, "cannot call '{}': it is {}", expr.text, kind_of(callee));
  const bool known = expr.text == "raise_exception" || expr.text == "range" || expr.text == "namespace" ||
                     expr.text == "dict";
  // Templates ask `is defined` before they call what a renderer may lack (strftime_now).
  if (!known) refuse(expr.line, "the function '{}'", expr.text);
  const Arguments arguments = arguments_of(expr, 0);
  if (expr.text == "raise_exception") {
    arguments.expect(1, 1, expr.text);
    if (!arguments.named.empty()) fail(expr.line, "raise_exception takes no named arguments");
    fail(expr.line, "the template refuses these messages: {}", print(arguments.values[0], expr.line));
  }
  if (expr.text == "range") return range(arguments);
  if (!arguments.values.empty()) refuse(expr.line, "positional arguments of {}", expr.text);
  if (expr.text == "dict") return Value(Map(arguments.named), expr.line);
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
