// SPDX-License-Identifier: MIT
// Filters of lists, and tests.
#include <algorithm>

#include "common/model/jinja/evaluator.hpp"
#include "common/model/jinja/expr_parser.hpp"
#include "common/model/jinja/fault.hpp"
#include "common/model/unicode_forms.hpp"

namespace adit::model::jinja {

Value Evaluator::attribute(const Value& item, std::string_view path, int line) {
  Value value = item;
  while (true) {
    budget_.step(line);
    const std::size_t dot = path.find('.');
    const std::string_view name = path.substr(0, dot);
    const bool index =
        !name.empty() && name.find_first_not_of("0123456789") == std::string_view::npos && name.size() < 10;
    if (value.is<Undefined>()) return value;
    value = index ? item_of(value, Value(std::int64_t{std::stol(std::string(name))}), line)
                  : member_of(value, name, line);
    if (dot == std::string_view::npos) return value;
    path.remove_prefix(dot + 1);
  }
}

Value Evaluator::sort_key(const Value& item, const Value* path, bool case_sensitive, int line) {
  Value key = item;
  if (path != nullptr && path->is<std::int64_t>()) key = item_of(item, *path, line);
  if (path != nullptr && path->is_text()) key = attribute(item, path->text(), line);
  if (case_sensitive || !key.is_text()) return key;
  return make_text(lower_case(key.text()), line);
}

Value Evaluator::select(const std::string& name, const Value& value, const Arguments& arguments) {
  const bool by_attribute = name.ends_with("attr");
  const bool keep = name.starts_with("select");
  arguments.expect(by_attribute ? 1 : 0, by_attribute ? 3 : 2, name);
  if (!arguments.named.empty()) refuse(arguments.line, "named arguments of {}", name);
  const std::size_t first = by_attribute ? 1 : 0;
  std::string test;
  if (arguments.values.size() > first) test = std::string(text_of(arguments.values[first], arguments.line));
  if (!test.empty() && !is_test(test)) refuse(arguments.line, "the test '{}'", test);
  const Value* argument = arguments.values.size() > first + 1 ? &arguments.values[first + 1] : nullptr;
  List out;
  for (const Value& item : items(value, arguments.line)) {
    const Value tested = by_attribute ? sort_key(item, &arguments.values[0], true, arguments.line) : item;
    const bool holds = test.empty() ? truth(tested) : apply_test(test, tested, argument, arguments.line);
    if (holds == keep) out.push_back(item);
  }
  return Value(std::move(out), arguments.line);
}

Value Evaluator::map(const Value& value, const Arguments& arguments) {
  List out;
  const auto named = [&](std::string_view name) -> const Value* {
    for (const auto& [given, argument] : arguments.named) {
      if (given == name) return &argument;
    }
    return nullptr;
  };
  if (const Value* path = named("attribute"); path != nullptr) {
    const Value* instead = named("default");
    if (!arguments.values.empty() || arguments.named.size() != (instead == nullptr ? 1U : 2U)) {
      refuse(arguments.line, "map with other arguments than attribute and default");
    }
    for (const Value& item : items(value, arguments.line)) {
      Value found = sort_key(item, path, true, arguments.line);
      if (found.is<Undefined>() && instead != nullptr) found = *instead;
      out.push_back(std::move(found));
    }
    return Value(std::move(out), arguments.line);
  }
  if (arguments.values.empty()) fail(arguments.line, "map: expected a filter or an attribute");
  const std::string filter(text_of(arguments.values[0], arguments.line));
  if (!is_filter(filter)) refuse(arguments.line, "the filter '{}'", filter);
  const Arguments rest = arguments.rest();
  for (const Value& item : items(value, arguments.line)) {
    budget_.step(arguments.line);
    out.push_back(apply_filter(filter, item, rest));
  }
  return Value(std::move(out), arguments.line);
}

Value Evaluator::sorted(const Value& value, const Arguments& arguments) {
  arguments.expect(0, 3, "sort");
  const Value* reverse = arguments.find(0, "reverse");
  const Value* case_sensitive = arguments.find(1, "case_sensitive");
  const Value* path = arguments.find(2, "attribute");
  const bool exact = case_sensitive != nullptr && truth(*case_sensitive);
  std::vector<std::pair<Value, Value>> keyed;
  for (const Value& item : items(value, arguments.line)) {
    keyed.emplace_back(sort_key(item, path, exact, arguments.line), item);
  }
  const bool down = reverse != nullptr && truth(*reverse);
  std::stable_sort(keyed.begin(), keyed.end(), [&](const auto& a, const auto& b) {
    charge(a.first, arguments.line);
    return down ? order_of(b.first, a.first, arguments.line) < 0
                : order_of(a.first, b.first, arguments.line) < 0;
  });
  List out;
  for (auto& entry : keyed) out.push_back(std::move(entry.second));
  return Value(std::move(out), arguments.line);
}

Value Evaluator::dictsort(const Value& value, const Arguments& arguments) {
  arguments.expect(0, 3, "dictsort");
  if (!value.is_map()) fail(arguments.line, "dictsort of {}", kind_of(value));
  const Value* by = arguments.find(1, "by");
  const std::string_view which = by == nullptr ? "key" : text_of(*by, arguments.line);
  if (which != "key" && which != "value")
    fail(arguments.line, "dictsort: expected by 'key' or 'value', got '{}'", which);
  Arguments how{{}, {}, arguments.line};
  how.named.emplace_back("attribute", Value(std::int64_t{which == "key" ? 0 : 1}));
  if (const Value* exact = arguments.find(0, "case_sensitive"); exact != nullptr)
    how.named.emplace_back("case_sensitive", *exact);
  if (const Value* down = arguments.find(2, "reverse"); down != nullptr)
    how.named.emplace_back("reverse", *down);
  return sorted(dict_method("items", value, Arguments{{}, {}, arguments.line}), how);
}

Value Evaluator::unique(const Value& value, const Arguments& arguments) {
  arguments.expect(0, 2, "unique");
  const Value* exact = arguments.find(0, "case_sensitive");
  const Value* path = arguments.find(1, "attribute");
  List seen;
  List out;
  for (const Value& item : items(value, arguments.line)) {
    Value key = sort_key(item, path, exact != nullptr && truth(*exact), arguments.line);
    budget_.step(arguments.line, saturated_product(seen.size(), key.weight));
    const bool known = std::any_of(seen.begin(), seen.end(),
                                   [&](const Value& old) { return equal(old, key, arguments.line); });
    if (known) continue;
    seen.push_back(std::move(key));
    out.push_back(item);
  }
  return Value(std::move(out), arguments.line);
}

// sum, min, max.
Value Evaluator::fold(const std::string& name, const Value& value, const Arguments& arguments) {
  arguments.expect(0, 2, name);
  const int line = arguments.line;
  const bool sum = name == "sum";
  const Value* path = arguments.find(sum ? 0 : 1, "attribute");
  const List all = items(value, line);
  if (sum) {
    const Value* start = arguments.find(1, "start");
    Value total = start == nullptr ? Value(std::int64_t{0}) : *start;
    for (const Value& item : all) total = numbers("+", total, sort_key(item, path, true, line), line);
    return total;
  }
  if (all.empty()) return Value(Undefined{"the " + name + " of nothing"});
  const Value* exact = arguments.find(0, "case_sensitive");
  const bool case_sensitive = exact != nullptr && truth(*exact);
  std::size_t best = 0;
  for (std::size_t i = 1; i < all.size(); ++i) {
    charge(all[i], line);
    charge(all[best], line);
    const int order = order_of(sort_key(all[i], path, case_sensitive, line),
                               sort_key(all[best], path, case_sensitive, line), line);
    if (name == "min" ? order < 0 : order > 0) best = i;
  }
  return all[best];
}

Value Evaluator::list_filter(const std::string& name, const Value& value, const Arguments& arguments) {
  const int line = arguments.line;
  if (name.ends_with("attr") || name == "select" || name == "reject") return select(name, value, arguments);
  if (name == "map") return map(value, arguments);
  if (name == "sort") return sorted(value, arguments);
  if (name == "dictsort") return dictsort(value, arguments);
  if (name == "unique") return unique(value, arguments);
  if (name == "sum" || name == "min" || name == "max") return fold(name, value, arguments);
  arguments.expect(0, 0, name);
  if (name == "items") {
    if (value.is<Undefined>()) return Value(List{}, line);
    if (!value.is_map()) fail(line, "items of {}", kind_of(value));
    return dict_method("items", value, arguments);
  }
  List all = items(value, line);
  if (name == "list") return Value(std::move(all), line);
  if (name == "reverse") {
    std::reverse(all.begin(), all.end());
    if (!value.is_text()) return Value(std::move(all), line);
    std::string text;
    for (const Value& one : all) text += one.text();
    return make_text(std::move(text), line);
  }
  if (all.empty()) return Value(Undefined{"the " + name + " of nothing"});
  return name == "first" ? all.front() : all.back();
}

bool Evaluator::apply_test(const std::string& name, const Value& value, const Value* argument, int line) {
  if (argument != nullptr) {
    const auto compare = [&](const std::string& op) { return compare_one(op, value, *argument, line); };
    if (name == "eq" || name == "equalto") return compare("==");
    if (name == "ne") return compare("!=");
    if (name == "gt" || name == "greaterthan") return compare(">");
    if (name == "ge") return compare(">=");
    if (name == "lt" || name == "lessthan") return compare("<");
    if (name == "le") return compare("<=");
    if (name == "in") return compare("in");
    if (name == "divisibleby")
      return std::get<std::int64_t>(
                 arithmetic("%", integer_of(value, line), integer_of(*argument, line), line).data) == 0;
    if (name == "sameas" && (value.is<None>() || value.is<bool>()))
      return value.data.index() == argument->data.index() && equal(value, *argument, line);
    if (name == "sameas") refuse(line, "sameas of {}", kind_of(value));
    fail(line, "the test '{}' takes no argument", name);
  }
  const bool undefined = value.is<Undefined>();
  if (name == "defined") return !undefined;
  if (name == "undefined") return undefined;
  if (name == "none") return value.is<None>();
  if (name == "string") return value.is_text();
  if (name == "number") return value.is_number();
  if (name == "integer") return value.is<std::int64_t>();
  if (name == "float") return value.is<double>();
  if (name == "boolean") return value.is<bool>();
  if (name == "mapping") return value.is_map();
  if (name == "true") return value.is<bool>() && truth(value);
  if (name == "false") return value.is<bool>() && !truth(value);
  if (name == "callable") return value.is_macro();
  if (name == "odd" || name == "even") {
    const bool odd = std::get<std::int64_t>(arithmetic("%", integer_of(value, line), 2, line).data) == 1;
    return odd == (name == "odd");
  }
  if (name == "lower" || name == "upper") {
    const std::string text = print(value, line);
    const bool cased = std::any_of(text.begin(), text.end(),
                                   [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); });
    const Value folded = text_filter(name, value, Arguments{{}, {}, line});
    return cased && folded.text() == text;
  }
  // sequence and iterable: Jinja2's undefined has a length and can be gone over.
  if (name == "sequence" || name == "iterable")
    return value.is_text() || value.is_list() || value.is_map() || undefined;
  fail(line, "the test '{}' takes an argument", name);
}

Value Evaluator::test(const Expr& expr) {
  const Value value = eval(*expr.args[0]);
  if (expr.args.size() < 2) return Value(apply_test(expr.text, value, nullptr, expr.line));
  const Value argument = eval(*expr.args[1]);
  return Value(apply_test(expr.text, value, &argument, expr.line));
}

}  // namespace adit::model::jinja
