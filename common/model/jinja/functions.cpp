// SPDX-License-Identifier: MIT
// Filters, tests and methods.
#include <algorithm>
#include <optional>

#include "common/model/jinja/evaluator.hpp"
#include "common/model/jinja/fault.hpp"
#include "common/model/jinja/text_ops.hpp"

namespace adit::model::jinja {

Value Evaluator::filter(const Expr& expr) {
  const Value value = eval(*expr.args[0]);
  const Arguments arguments = arguments_of(expr, 1);
  const std::string& name = expr.text;
  if (name == "default" || name == "d") {
    arguments.expect(0, 2, name);
    const Value* instead = arguments.find(0, "default_value");
    const Value* also_false = arguments.find(1, "boolean");
    const bool replace =
        value.is<Undefined>() || (also_false != nullptr && truth(*also_false) && !truth(value));
    if (!replace) return value;
    return instead == nullptr ? Value(std::string()) : *instead;
  }
  if (name == "join") return join(value, arguments);
  if (name == "replace") {
    arguments.expect(2, 2, name);
    const Value* from = arguments.find(0, "old");
    const Value* to = arguments.find(1, "new");
    if (from == nullptr || to == nullptr) fail(expr.line, "replace: expected old and new");
    return text_method("replace", print(value, expr.line), Arguments{{*from, *to}, {}, expr.line});
  }
  arguments.expect(0, name == "trim" ? 1 : 0, name);
  if (name == "trim") {
    const Value* chars = arguments.find(0, "chars");
    Arguments given{{}, {}, expr.line};
    if (chars != nullptr) given.values.push_back(*chars);
    return text_method("strip", print(value, expr.line), given);
  }
  charge(value, expr.line);
  if (name == "length" || name == "count") return Value(length_of(value, expr.line));
  if (name == "upper" || name == "lower")
    return make_text(fold_case(print(value, expr.line), name == "upper", expr.line), expr.line);
  if (name == "string" || name == "safe") return make_text(print(value, expr.line), expr.line);
  List all = items(value, expr.line);
  if (name == "list") return Value(std::move(all), expr.line);
  if (all.empty()) return Value(Undefined{"the " + name + " of nothing"});
  return name == "first" ? all.front() : all.back();
}

Value Evaluator::join(const Value& value, const Arguments& arguments) {
  arguments.expect(0, 1, "join");
  const Value* separator = arguments.find(0, "d");
  const std::string between = separator == nullptr ? std::string() : print(*separator, arguments.line);
  std::string out;
  bool first = true;
  for (const Value& item : items(value, arguments.line)) {
    budget_.step(arguments.line);
    const std::string text = print(item, arguments.line);
    budget_.bytes(arguments.line, text.size() + between.size());
    if (!first) out += between;
    out += text;
    first = false;
  }
  return Value(std::move(out));
}

Value Evaluator::test(const Expr& expr) {
  const Value value = eval(*expr.args[0]);
  const std::string& name = expr.text;
  if (name == "eq" || name == "equalto") {
    charge(value, expr.line);
    return Value(equal(value, eval(*expr.args[1]), expr.line));
  }
  const bool undefined = value.is<Undefined>();
  const bool many = value.is_text() || value.is_list() || value.is_map();
  const bool number = value.is<std::int64_t>() || value.is<bool>();
  if (name == "defined") return Value(!undefined);
  if (name == "undefined") return Value(undefined);
  if (name == "none") return Value(value.is<None>());
  if (name == "string") return Value(value.is_text());
  if (name == "number") return Value(number);
  if (name == "integer") return Value(value.is<std::int64_t>());
  if (name == "boolean") return Value(value.is<bool>());
  if (name == "mapping") return Value(value.is_map());
  if (name == "true") return Value(value.is<bool>() && truth(value));
  if (name == "false") return Value(value.is<bool>() && !truth(value));
  // sequence and iterable: Jinja2's undefined has a length and can be gone over.
  return Value(many || undefined);
}

Value Evaluator::method(const Expr& expr) {
  const Value value = eval(*expr.args[0]);
  const Arguments arguments = arguments_of(expr, 1);
  if (value.is_text()) return text_method(expr.text, value.text(), arguments);
  if (value.is_map() && expr.text == "items") {
    arguments.expect(0, 0, expr.text);
    List out;
    for (const auto& [key, item] : value.map()) {
      budget_.step(expr.line);
      out.emplace_back(List{Value(key), item}, expr.line);
    }
    return Value(std::move(out), expr.line);
  }
  if (value.is_map() && expr.text == "get") {
    arguments.expect(1, 2, expr.text);
    Value found = item_of(value, arguments.values[0], expr.line);
    if (!found.is<Undefined>()) return found;
    return arguments.values.size() > 1 ? arguments.values[1] : Value(None{});
  }
  fail(expr.line, "{} has no method '{}'", kind_of(value), expr.text);
}

Value Evaluator::text_method(const std::string& name, std::string_view text, const Arguments& arguments) {
  const int line = arguments.line;
  budget_.step(line, 1 + text.size() / 64);
  const auto argument = [&](std::size_t i) { return text_of(arguments.values[i], line); };
  if (name == "strip" || name == "lstrip" || name == "rstrip") {
    arguments.expect(0, 1, name);
    std::optional<std::string_view> chars;
    if (!arguments.values.empty() && !arguments.values[0].is<None>()) chars = argument(0);
    if (name != "rstrip") text = strip_left(text, chars);
    if (name != "lstrip") text = strip_right(text, chars);
    return make_text(std::string(text), line);
  }
  if (name == "upper" || name == "lower") {
    arguments.expect(0, 0, name);
    return make_text(fold_case(text, name == "upper", line), line);
  }
  if (name == "startswith" || name == "endswith") {
    arguments.expect(1, 1, name);
    return Value(name == "startswith" ? text.starts_with(argument(0)) : text.ends_with(argument(0)));
  }
  if (name == "replace") {
    arguments.expect(2, 2, name);
    const std::string_view from = argument(0);
    const std::string_view to = argument(1);
    charge_search(text, from, line);
    // The worst case is paid before it is built.
    const std::size_t places = text.size() / std::max<std::size_t>(1, from.size()) + 1;
    if (to.size() > from.size()) budget_.bytes(line, places * (to.size() - from.size()));
    return make_text(replace_all(text, from, to), line);
  }
  if (name != "split") fail(line, "a text has no method '{}'", name);
  arguments.expect(0, 2, name);
  std::optional<std::string_view> separator;
  if (!arguments.values.empty() && !arguments.values[0].is<None>()) separator = argument(0);
  if (separator && separator->empty()) fail(line, "split at an empty text");
  const std::int64_t splits_max = arguments.values.size() > 1 ? integer_of(arguments.values[1], line) : -1;
  budget_.bytes(line, text.size());
  charge_search(text, separator.value_or(""), line);
  List out;
  for (std::string& piece : split(text, separator, splits_max)) {
    budget_.step(line);
    out.emplace_back(std::move(piece));
  }
  return Value(std::move(out), line);
}

}  // namespace adit::model::jinja
