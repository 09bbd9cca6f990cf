// SPDX-License-Identifier: MIT
// Filters of texts and numbers, and methods.
#include <algorithm>
#include <charconv>
#include <cmath>
#include <optional>

#include "common/model/jinja/evaluator.hpp"
#include "common/model/jinja/fault.hpp"
#include "common/model/jinja/json_text.hpp"
#include "common/model/jinja/text_ops.hpp"

namespace adit::model::jinja {

Value Evaluator::defaulted(const Value& value, const Arguments& arguments) {
  arguments.expect(0, 2, "default");
  const Value* instead = arguments.find(0, "default_value");
  const Value* also_false = arguments.find(1, "boolean");
  const bool replace =
      value.is<Undefined>() || (also_false != nullptr && truth(*also_false) && !truth(value));
  if (!replace) return value;
  return instead == nullptr ? Value(std::string()) : *instead;
}

Value Evaluator::apply_filter(const std::string& name, const Value& value, const Arguments& arguments) {
  charge(value, arguments.line);
  if (name == "default" || name == "d") return defaulted(value, arguments);
  if (name == "join") return join(value, arguments);
  if (name == "tojson") return tojson(value, arguments);
  if (name == "length" || name == "count") {
    arguments.expect(0, 0, name);
    return Value(length_of(value, arguments.line));
  }
  for (const char* known : {"int", "float", "abs"}) {
    if (name == known) return number_filter(name, value, arguments);
  }
  for (const char* known :
       {"trim", "replace", "indent", "upper", "lower", "title", "capitalize", "string", "safe"}) {
    if (name == known) return text_filter(name, value, arguments);
  }
  return list_filter(name, value, arguments);
}

Value Evaluator::text_filter(const std::string& name, const Value& value, const Arguments& arguments) {
  const int line = arguments.line;
  const std::string text = print(value, line);
  if (name == "replace") {
    arguments.expect(2, 3, name);
    const Value* from = arguments.find(0, "old");
    const Value* to = arguments.find(1, "new");
    if (from == nullptr || to == nullptr) fail(line, "replace: expected old and new");
    Arguments given{{*from, *to}, {}, line};
    if (const Value* count = arguments.find(2, "count"); count != nullptr) given.values.push_back(*count);
    return text_method("replace", text, given);
  }
  if (name == "indent") {
    arguments.expect(0, 3, name);
    const Value* width = arguments.find(0, "width");
    const Value* first = arguments.find(1, "first");
    const Value* blank = arguments.find(2, "blank");
    const std::int64_t blanks = width == nullptr || width->is_text() ? 4 : integer_of(*width, line);
    if (blanks < 0 || blanks > 1024) refuse(line, "indent by {}", blanks);
    const std::string by = width != nullptr && width->is_text()
                               ? width->text()
                               : std::string(static_cast<std::size_t>(blanks), ' ');
    budget_.bytes(line, saturated_product(by.size(), static_cast<std::uint64_t>(text.size()) + 1));
    return make_text(indent(text, by, first != nullptr && truth(*first), blank != nullptr && truth(*blank)),
                     line);
  }
  if (name == "trim") {
    arguments.expect(0, 1, name);
    const Value* chars = arguments.find(0, "chars");
    Arguments given{{}, {}, line};
    if (chars != nullptr) given.values.push_back(*chars);
    return text_method("strip", text, given);
  }
  arguments.expect(0, 0, name);
  if (name == "string" || name == "safe") return make_text(text, line);
  return make_text(change_case(text, name == "title" ? "title_filter" : name, line), line);
}

Value Evaluator::number_filter(const std::string& name, const Value& value, const Arguments& arguments) {
  const int line = arguments.line;
  if (name == "abs") {
    arguments.expect(0, 0, name);
    if (value.is<double>()) return Value(std::fabs(std::get<double>(value.data)));
    const std::int64_t number = integer_of(value, line);
    return number < 0 ? arithmetic("-", 0, number, line) : Value(number);
  }
  arguments.expect(0, 1, name);
  const Value* given = arguments.find(0, "default");
  const Value absent = given != nullptr ? *given : name == "int" ? Value(std::int64_t{0}) : Value(0.0);
  double number = 0;
  if (value.is_number()) {
    if (name == "int" && !value.is<double>()) return Value(integer_of(value, line));
    number = number_of(value, line);
  } else if (value.is_text()) {
    const std::string_view text = strip_right(strip_left(value.text()));
    const bool plus = text.starts_with('+');
    const char* begin = text.data() + (plus ? 1 : 0);
    const char* end = text.data() + text.size();
    std::int64_t integer = 0;
    const auto whole = std::from_chars(begin, end, integer);
    if (name == "int" && whole.ec == std::errc{} && whole.ptr == end) return Value(integer);
    const auto real = std::from_chars(begin, end, number);
    if (real.ec != std::errc{} || real.ptr != end) return absent;
  } else {
    return absent;
  }
  if (name == "float") return Value(number);
  if (!(std::fabs(number) < 9.2e18)) fail(line, "int of {}", float_text(number));
  return Value(static_cast<std::int64_t>(number));
}

Value Evaluator::tojson(const Value& value, const Arguments& arguments) {
  // transformers: tojson(x, ensure_ascii=False, indent=None, separators=None, sort_keys=False)
  arguments.expect(0, 4, "tojson");
  const int line = arguments.line;
  JsonStyle style;
  const Value* ascii = arguments.find(0, "ensure_ascii");
  const Value* blanks = arguments.find(1, "indent");
  const Value* separators = arguments.find(2, "separators");
  const Value* sorted_keys = arguments.find(3, "sort_keys");
  style.ascii = ascii != nullptr && truth(*ascii);
  style.sort_keys = sorted_keys != nullptr && truth(*sorted_keys);
  if (blanks != nullptr && !blanks->is<None>()) {
    const std::int64_t indent = integer_of(*blanks, line);
    if (indent < 0 || indent > 64) refuse(line, "tojson with an indent of {}", indent);
    style.indent = static_cast<int>(indent);
    style.comma.assign(1, ',');
  }
  if (separators != nullptr && !separators->is<None>()) {
    if (!separators->is_list() || separators->list().size() != 2)
      fail(line, "tojson: expected two separators");
    style.comma = std::string(text_of(separators->list()[0], line));
    style.colon = std::string(text_of(separators->list()[1], line));
  }
  return Value(json_text(value, style, budget_, line));
}

Value Evaluator::join(const Value& value, const Arguments& arguments) {
  arguments.expect(0, 2, "join");
  const Value* separator = arguments.find(0, "d");
  const Value* path = arguments.find(1, "attribute");
  const std::string between = separator == nullptr ? std::string() : print(*separator, arguments.line);
  std::string out;
  bool first = true;
  for (const Value& item : items(value, arguments.line)) {
    budget_.step(arguments.line);
    const std::string text = print(sort_key(item, path, true, arguments.line), arguments.line);
    budget_.bytes(arguments.line, text.size() + between.size());
    if (!first) out += between;
    out += text;
    first = false;
  }
  return Value(std::move(out));
}

Value Evaluator::method(const Expr& expr) {
  const Value value = eval(*expr.args[0]);
  const Arguments arguments = arguments_of(expr, 1);
  const std::string& name = expr.text;
  if (value.is_map()) {
    // As Jinja2, an entry goes before the method of that name only where it is not called.
    return dict_method(name, value, arguments);
  }
  if (!arguments.named.empty()) refuse(expr.line, "named arguments of '{}'", name);
  if (value.is_text()) return text_method(name, value.text(), arguments);
  if (value.is_list() && name == "count") {
    arguments.expect(1, 1, name);
    charge(value, expr.line);
    std::int64_t found = 0;
    for (const Value& item : value.list()) found += equal(item, arguments.values[0], expr.line) ? 1 : 0;
    return Value(found);
  }
  fail(expr.line, "{} has no method '{}'", kind_of(value), name);
}

Value Evaluator::dict_method(const std::string& name, const Value& value, const Arguments& arguments) {
  const int line = arguments.line;
  if (name == "get") {
    arguments.expect(1, 2, name);
    const Value* key = arguments.find(0, "key");
    if (key == nullptr || !key->is_text()) return Value(None{});
    Value found = item_of(value, *key, line);
    if (!found.is<Undefined>()) return found;
    const Value* instead = arguments.find(1, "default");
    return instead != nullptr ? *instead : Value(None{});
  }
  if (name != "items" && name != "keys" && name != "values")
    fail(line, "{} has no method '{}'", kind_of(value), name);
  arguments.expect(0, 0, name);
  List out;
  for (const auto& [key, item] : value.map()) {
    budget_.step(line);
    if (name == "keys") out.emplace_back(key);
    if (name == "values") out.push_back(item);
    if (name == "items") out.emplace_back(List{Value(key), item}, line);
  }
  return Value(std::move(out), line);
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
  for (const char* known : {"upper", "lower", "title", "capitalize"}) {
    if (name != known) continue;
    arguments.expect(0, 0, name);
    return make_text(change_case(text, name, line), line);
  }
  if (name == "startswith" || name == "endswith") {
    arguments.expect(1, 1, name);
    const List one{arguments.values[0]};
    const List& all = arguments.values[0].is_list() ? arguments.values[0].list() : one;
    return Value(std::any_of(all.begin(), all.end(), [&](const Value& part) {
      const std::string_view end = text_of(part, line);
      return name == "startswith" ? text.starts_with(end) : text.ends_with(end);
    }));
  }
  if (name == "removeprefix" || name == "removesuffix") {
    arguments.expect(1, 1, name);
    if (name == "removeprefix" && text.starts_with(argument(0))) text.remove_prefix(argument(0).size());
    if (name == "removesuffix" && text.ends_with(argument(0))) text.remove_suffix(argument(0).size());
    return make_text(std::string(text), line);
  }
  if (name == "isdigit") {
    arguments.expect(0, 0, name);
    const bool ascii =
        std::all_of(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < 0x80; });
    if (!ascii) refuse(line, "isdigit of text beyond ASCII");
    return Value(!text.empty() && text.find_first_not_of("0123456789") == std::string_view::npos);
  }
  if (name == "find" || name == "count") {
    arguments.expect(1, 1, name);
    charge_search(text, argument(0), line);
    return Value(name == "find" ? find_code(text, argument(0)) : count_of(text, argument(0)));
  }
  if (name == "join") {
    arguments.expect(1, 1, name);
    return join(arguments.values[0], Arguments{{Value(std::string(text))}, {}, line});
  }
  if (name == "replace") {
    arguments.expect(2, 3, name);
    const std::string_view from = argument(0);
    const std::string_view to = argument(1);
    const std::int64_t most = arguments.values.size() > 2 ? integer_of(arguments.values[2], line) : -1;
    charge_search(text, from, line);
    // The worst case is paid before it is built.
    const std::size_t places = text.size() / std::max<std::size_t>(1, from.size()) + 1;
    if (to.size() > from.size()) budget_.bytes(line, places * (to.size() - from.size()));
    return make_text(replace_all(text, from, to, most), line);
  }
  return split_method(name, text, arguments);
}

Value Evaluator::split_method(const std::string& name, std::string_view text, const Arguments& arguments) {
  const int line = arguments.line;
  if (name != "split" && name != "rsplit" && name != "splitlines")
    fail(line, "a text has no method '{}'", name);
  std::vector<std::string> pieces;
  budget_.bytes(line, text.size());
  if (name == "splitlines") {
    arguments.expect(0, 0, name);
    pieces = split_lines(text);
  } else {
    arguments.expect(0, 2, name);
    std::optional<std::string_view> separator;
    if (!arguments.values.empty() && !arguments.values[0].is<None>())
      separator = text_of(arguments.values[0], line);
    if (separator && separator->empty()) fail(line, "split at an empty text");
    const std::int64_t splits_max = arguments.values.size() > 1 ? integer_of(arguments.values[1], line) : -1;
    charge_search(text, separator.value_or(""), line);
    if (name == "rsplit" && !separator && splits_max >= 0) refuse(line, "rsplit at blanks with a limit");
    pieces = name == "rsplit" && separator ? split_right(text, *separator, splits_max)
                                           : split(text, separator, splits_max);
  }
  List out;
  for (std::string& piece : pieces) {
    budget_.step(line);
    out.emplace_back(std::move(piece));
  }
  return Value(std::move(out), line);
}

}  // namespace adit::model::jinja
