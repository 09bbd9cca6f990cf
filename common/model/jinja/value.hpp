// SPDX-License-Identifier: MIT
// common/model/jinja/value.hpp
//
// The values of a template: what Python's would do, as far as the subset goes.
//
// Errors   operations throw Fault.
// Threads  one interpreter's; nothing is shared with the outside.
// Tests    tests/unit/common/model/chat_template_test.cpp
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace adit::model::jinja {

struct Node;  // a macro's definition
struct Value;
using List = std::vector<Value>;
// Keys are texts, in order of insertion.
using Map = std::vector<std::pair<std::string, Value>>;

struct Undefined {
  std::string name;  // for messages
};
struct None {};
// The one kind of value that changes: {% set ns.x = … %}.
struct Namespace {
  Map values;
};

struct Value {
  std::variant<Undefined, None, bool, std::int64_t, std::shared_ptr<const std::string>,
               std::shared_ptr<const List>, std::shared_ptr<const Map>, std::shared_ptr<Namespace>, double,
               const Node*>
      data;
  // Nesting of lists and mappings, and the number of values inside (saturated): bounds for walking over it.
  int depth = 0;
  std::uint64_t weight = 1;

  Value();
  Value(const Value& other);
  Value(Value&& other) noexcept;
  Value& operator=(const Value& other);
  Value& operator=(Value&& other) noexcept;
  ~Value();
  explicit Value(Undefined undefined);
  explicit Value(None none);
  explicit Value(bool truth);
  explicit Value(std::int64_t integer);
  explicit Value(double number);
  explicit Value(const Node* macro);
  explicit Value(std::string text);
  // Deeper than kValueDepthMax, or a namespace inside: Fault.
  Value(List list, int line);
  Value(Map map, int line);
  explicit Value(std::shared_ptr<Namespace> space);

  template <class T>
  [[nodiscard]] bool is() const {
    return std::holds_alternative<T>(data);
  }
  [[nodiscard]] bool is_text() const { return is<std::shared_ptr<const std::string>>(); }
  [[nodiscard]] bool is_list() const { return is<std::shared_ptr<const List>>(); }
  [[nodiscard]] bool is_map() const { return is<std::shared_ptr<const Map>>(); }
  [[nodiscard]] bool is_macro() const { return is<const Node*>(); }
  // Booleans, integers, floating point numbers.
  [[nodiscard]] bool is_number() const { return is<bool>() || is<std::int64_t>() || is<double>(); }
  [[nodiscard]] const std::string& text() const {
    return *std::get<std::shared_ptr<const std::string>>(data);
  }
  [[nodiscard]] const List& list() const { return *std::get<std::shared_ptr<const List>>(data); }
  [[nodiscard]] const Map& map() const { return *std::get<std::shared_ptr<const Map>>(data); }
};

inline constexpr int kValueDepthMax = 30;
// Faults for a value that may not stand inside another (a namespace: so there are no cycles).
void check_element(const Value& value, int line);
[[nodiscard]] std::uint64_t saturated_product(std::uint64_t a, std::uint64_t b);

// "a text", "a list", "undefined 'x'": for messages.
[[nodiscard]] std::string kind_of(const Value& value);
[[nodiscard]] bool truth(const Value& value);
[[nodiscard]] bool equal(const Value& a, const Value& b, int line);
// What {{ value }} prints; lists and maps are refused.
[[nodiscard]] std::string print(const Value& value, int line);
[[nodiscard]] std::string_view text_of(const Value& value, int line);
// Integers and booleans.
[[nodiscard]] std::int64_t integer_of(const Value& value, int line);
// Any number.
[[nodiscard]] double number_of(const Value& value, int line);
// As Python's repr of a float.
[[nodiscard]] std::string float_text(double number);
// < 0, 0, > 0: numbers, texts, and lists of them.
[[nodiscard]] int order_of(const Value& a, const Value& b, int line);
[[nodiscard]] std::int64_t length_of(const Value& value, int line);
// value.name and value[key]; absent ones are Undefined, of an undefined value they fail.
[[nodiscard]] Value member_of(const Value& value, std::string_view name, int line);
[[nodiscard]] Value item_of(const Value& value, const Value& key, int line);
[[nodiscard]] bool contains(const Value& container, const Value& item, int line);
// What a loop goes over: list items, map keys, characters.
[[nodiscard]] List items_of(const Value& value, int line);

}  // namespace adit::model::jinja
