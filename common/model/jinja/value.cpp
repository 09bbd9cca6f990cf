// SPDX-License-Identifier: MIT
#include "common/model/jinja/value.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

#include "common/model/jinja/fault.hpp"
#include "common/model/jinja/text_ops.hpp"

namespace adit::model::jinja {
namespace {

const Value* find(const Map& map, std::string_view key) {
  for (const auto& [name, value] : map) {
    if (name == key) return &value;
  }
  return nullptr;
}

bool is_integral(const Value& value) {
  return value.is<bool>() || value.is<std::int64_t>();
}

// Takes an element's depth and weight into those of its container.
void absorb(Value& container, const Value& element, int line) {
  check_element(element, line);
  container.depth = std::max(container.depth, element.depth + 1);
  if (container.depth > kValueDepthMax) refuse(line, "values nested deeper than {} levels", kValueDepthMax);
  if (__builtin_add_overflow(container.weight, element.weight, &container.weight))
    container.weight = UINT64_MAX;
}

}  // namespace

Value::Value() = default;
Value::Value(const Value& other) = default;
Value::Value(Value&& other) noexcept = default;
Value& Value::operator=(const Value& other) = default;
Value& Value::operator=(Value&& other) noexcept = default;
Value::~Value() = default;
Value::Value(Undefined undefined) : data(std::move(undefined)) {}
Value::Value(None none) : data(none) {}
Value::Value(bool truth) : data(truth) {}
Value::Value(std::int64_t integer) : data(integer) {}
Value::Value(double number) : data(number) {}
Value::Value(const Node* macro) : data(macro) {}
Value::Value(std::string text) : data(std::make_shared<const std::string>(std::move(text))) {}
Value::Value(std::shared_ptr<Namespace> space) : data(std::move(space)) {}

Value::Value(List list, int line) {
  for (const Value& element : list) absorb(*this, element, line);
  data = std::make_shared<const List>(std::move(list));
}

Value::Value(Map map, int line) {
  for (const auto& entry : map) absorb(*this, entry.second, line);
  data = std::make_shared<const Map>(std::move(map));
}

void check_element(const Value& value, int line) {
  if (value.is<std::shared_ptr<Namespace>>()) refuse(line, "a namespace inside another value");
  if (value.is_macro()) refuse(line, "a macro inside another value");
}

std::uint64_t saturated_product(std::uint64_t a, std::uint64_t b) {
  std::uint64_t out = 0;
  return __builtin_mul_overflow(a, b, &out) ? UINT64_MAX : out;
}

std::string kind_of(const Value& value) {
  switch (value.data.index()) {
    case 0: return fmt::format("'{}', which is undefined", std::get<Undefined>(value.data).name);
    case 1: return "none";
    case 2: return "a boolean";
    case 3: return "an integer";
    case 4: return "a text";
    case 5: return "a list";
    case 6: return "a mapping";
    case 7: return "a namespace";
    case 8: return "a floating point number";
    default: return "a macro";
  }
}

bool truth(const Value& value) {
  if (value.is<Undefined>() || value.is<None>()) return false;
  if (value.is<bool>()) return std::get<bool>(value.data);
  if (value.is<std::int64_t>()) return std::get<std::int64_t>(value.data) != 0;
  if (value.is<double>()) return std::get<double>(value.data) != 0;
  if (value.is_text()) return !value.text().empty();
  if (value.is_list()) return !value.list().empty();
  if (value.is_map()) return !value.map().empty();
  return true;
}

bool equal(const Value& a, const Value& b, int line) {
  if (is_integral(a) && is_integral(b)) return integer_of(a, line) == integer_of(b, line);
  if (a.is_number() && b.is_number()) return number_of(a, line) == number_of(b, line);
  if (a.data.index() != b.data.index()) return false;
  if (a.is_text()) return a.text() == b.text();
  if (a.is_list()) {
    return std::equal(a.list().begin(), a.list().end(), b.list().begin(), b.list().end(),
                      [line](const Value& x, const Value& y) { return equal(x, y, line); });
  }
  if (a.is_map()) {
    if (a.map().size() != b.map().size()) return false;
    return std::all_of(a.map().begin(), a.map().end(), [&](const auto& entry) {
      const Value* other = find(b.map(), entry.first);
      return other != nullptr && equal(entry.second, *other, line);
    });
  }
  if (a.is<std::shared_ptr<Namespace>>()) {
    return std::get<std::shared_ptr<Namespace>>(a.data) == std::get<std::shared_ptr<Namespace>>(b.data);
  }
  return true;
}

std::string print(const Value& value, int line) {
  if (value.is<Undefined>()) return {};
  if (value.is<None>()) return "None";
  if (value.is<bool>()) return std::get<bool>(value.data) ? "True" : "False";
  if (value.is<std::int64_t>()) return fmt::format("{}", std::get<std::int64_t>(value.data));
  if (value.is<double>()) return float_text(std::get<double>(value.data));
  if (value.is_text()) return value.text();
  refuse(line, "printing {}", kind_of(value));
}

std::string_view text_of(const Value& value, int line) {
  if (!value.is_text()) fail(line, "expected a text, got {}", kind_of(value));
  return value.text();
}

std::int64_t integer_of(const Value& value, int line) {
  if (value.is<bool>()) return std::get<bool>(value.data) ? 1 : 0;
  if (!value.is<std::int64_t>()) fail(line, "expected an integer, got {}", kind_of(value));
  return std::get<std::int64_t>(value.data);
}

double number_of(const Value& value, int line) {
  if (value.is<double>()) return std::get<double>(value.data);
  return static_cast<double>(integer_of(value, line));
}

std::string float_text(double number) {
  if (std::isnan(number)) return "nan";
  if (std::isinf(number)) return number < 0 ? "-inf" : "inf";
  // The shortest digits that give the number back, then Python's choice of notation.
  std::array<char, 64> buffer{};
  const auto end =
      std::to_chars(buffer.data(), buffer.data() + buffer.size(), number, std::chars_format::scientific);
  std::string_view all(buffer.data(), static_cast<std::size_t>(end.ptr - buffer.data()));
  const std::size_t e = all.find('e');
  int exponent = 0;
  const std::string_view written = all.substr(e + 1);
  std::from_chars(written.data() + (written[0] == '+' ? 1 : 0), written.data() + written.size(), exponent);
  std::string digits;
  for (const char c : all.substr(0, e)) {
    if (c >= '0' && c <= '9') digits.push_back(c);
  }
  std::string out = all[0] == '-' ? "-" : "";
  if (exponent < -4 || exponent >= 16) {
    out += digits.substr(0, 1);
    if (digits.size() > 1) out += "." + digits.substr(1);
    return out + fmt::format("e{}{:02}", exponent < 0 ? "-" : "+", std::abs(exponent));
  }
  if (exponent < 0) return out + "0." + std::string(static_cast<std::size_t>(-exponent - 1), '0') + digits;
  const auto whole = static_cast<std::size_t>(exponent) + 1;
  if (digits.size() <= whole) return out + digits + std::string(whole - digits.size(), '0') + ".0";
  return out + digits.substr(0, whole) + "." + digits.substr(whole);
}

int order_of(const Value& a, const Value& b, int line) {
  if (a.is_text() && b.is_text()) return a.text().compare(b.text());
  if (a.is_list() && b.is_list()) {
    for (std::size_t i = 0; i < std::min(a.list().size(), b.list().size()); ++i) {
      if (const int order = order_of(a.list()[i], b.list()[i], line); order != 0) return order;
    }
    return a.list().size() < b.list().size() ? -1 : a.list().size() > b.list().size() ? 1 : 0;
  }
  if (a.is<double>() || b.is<double>()) {
    const double x = number_of(a, line);
    const double y = number_of(b, line);
    return x < y ? -1 : (x > y ? 1 : 0);
  }
  const std::int64_t x = integer_of(a, line);
  const std::int64_t y = integer_of(b, line);
  return x < y ? -1 : (x > y ? 1 : 0);
}

std::int64_t length_of(const Value& value, int line) {
  if (value.is<Undefined>()) return 0;
  if (value.is_text()) return code_count(value.text());
  if (value.is_list()) return static_cast<std::int64_t>(value.list().size());
  if (value.is_map()) return static_cast<std::int64_t>(value.map().size());
  fail(line, "{} has no length", kind_of(value));
}

Value member_of(const Value& value, std::string_view name, int line) {
  if (value.is<Undefined>()) fail(line, "'{}' of {}", name, kind_of(value));
  const Value* found = nullptr;
  if (value.is_map()) found = find(value.map(), name);
  if (value.is<std::shared_ptr<Namespace>>()) {
    found = find(std::get<std::shared_ptr<Namespace>>(value.data)->values, name);
  }
  return found == nullptr ? Value(Undefined{std::string(name)}) : *found;
}

Value item_of(const Value& value, const Value& key, int line) {
  if (key.is_text()) return member_of(value, key.text(), line);
  if (value.is<Undefined>()) fail(line, "an item of {}", kind_of(value));
  if (!is_integral(key)) return Value(Undefined{kind_of(key)});
  const std::int64_t given = integer_of(key, line);
  if (!value.is_list() && !value.is_text()) return Value(Undefined{fmt::format("{}", given)});
  const std::int64_t size = length_of(value, line);
  const std::int64_t index = given < 0 ? given + size : given;
  if (index < 0 || index >= size) return Value(Undefined{fmt::format("{}", given)});
  if (value.is_list()) return value.list()[static_cast<std::size_t>(index)];
  return Value(std::string(code_slice(value.text(), index, index + 1)));
}

bool contains(const Value& container, const Value& item, int line) {
  if (container.is<Undefined>()) return false;
  if (container.is_text()) return container.text().find(text_of(item, line)) != std::string::npos;
  if (container.is_list()) {
    return std::any_of(container.list().begin(), container.list().end(),
                       [&](const Value& other) { return equal(other, item, line); });
  }
  if (container.is_map()) return item.is_text() && find(container.map(), item.text()) != nullptr;
  fail(line, "'in' cannot look into {}", kind_of(container));
}

List items_of(const Value& value, int line) {
  if (value.is<Undefined>()) return {};
  if (value.is_list()) return value.list();
  List out;
  if (value.is_map()) {
    for (const auto& entry : value.map()) out.emplace_back(entry.first);
    return out;
  }
  if (!value.is_text()) fail(line, "a loop cannot go over {}", kind_of(value));
  std::string_view left = value.text();
  while (!left.empty()) {
    const std::string_view one = code_slice(left, 0, 1);
    out.emplace_back(std::string(one));
    left.remove_prefix(one.size());
  }
  return out;
}

}  // namespace adit::model::jinja
