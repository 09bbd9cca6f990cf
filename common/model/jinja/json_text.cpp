// SPDX-License-Identifier: MIT
#include "common/model/jinja/json_text.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <unordered_set>

#include "common/model/jinja/fault.hpp"
#include "common/model/json_scanner.hpp"
#include "common/model/unicode_classes.hpp"

namespace adit::model::jinja {
namespace {

class Writer {
 public:
  Writer(const JsonStyle& style, Budget& budget, int line) : style_(style), budget_(budget), line_(line) {}

  void write(const Value& value) {
    budget_.step(line_);
    if (value.is<None>()) {
      add("null");
    } else if (value.is<bool>()) {
      add(std::get<bool>(value.data) ? "true" : "false");
    } else if (value.is<std::int64_t>()) {
      add(fmt::format("{}", std::get<std::int64_t>(value.data)));
    } else if (value.is<double>()) {
      number(std::get<double>(value.data));
    } else if (value.is_text()) {
      text(value.text());
    } else if (value.is_list()) {
      list(value.list());
    } else if (value.is_map()) {
      map(value.map());
    } else {
      fail(line_, "tojson of {}", kind_of(value));
    }
  }
  std::string take() { return std::move(out_); }

 private:
  void add(std::string_view piece) {
    budget_.bytes(line_, piece.size());
    out_ += piece;
  }

  void number(double value) {
    if (std::isnan(value)) return add("NaN");
    if (std::isinf(value)) return add(value < 0 ? "-Infinity" : "Infinity");
    add(float_text(value));
  }

  void text(std::string_view given) {
    std::string out = "\"";
    while (!given.empty()) {
      const Utf8Step step = decode_utf8(given);
      const std::string_view one = given.substr(0, step.length);
      given.remove_prefix(step.length);
      constexpr std::string_view kFrom = "\"\\\n\r\t\b\f";
      constexpr std::string_view kTo = "\"\\nrtbf";
      const std::size_t found =
          step.code < 0x80 ? kFrom.find(static_cast<char>(step.code)) : std::string_view::npos;
      if (found != std::string_view::npos) {
        out += '\\';
        out += kTo[found];
      } else if (step.code < 0x20 || (style_.ascii && step.code > 0x7e)) {
        escape(step.code, out);
      } else {
        out += one;
      }
    }
    add(out + "\"");
  }

  static void escape(char32_t code, std::string& out) {
    if (code < 0x10000) {
      out += fmt::format("\\u{:04x}", static_cast<std::uint32_t>(code));
      return;
    }
    const std::uint32_t rest = static_cast<std::uint32_t>(code) - 0x10000;
    out += fmt::format("\\u{:04x}\\u{:04x}", 0xd800 + (rest >> 10), 0xdc00 + (rest & 0x3ff));
  }

  void line_break() {
    if (style_.indent < 0) return;
    const std::size_t blanks = static_cast<std::size_t>(style_.indent) * static_cast<std::size_t>(depth_);
    add("\n" + std::string(blanks, ' '));
  }

  template <class Items, class Each>
  void group(std::string_view open, std::string_view close, const Items& items, Each each) {
    add(open);
    ++depth_;
    bool first = true;
    for (const auto& item : items) {
      if (!first) add(style_.comma);
      first = false;
      line_break();
      each(item);
    }
    --depth_;
    if (!first) line_break();
    add(close);
  }

  void list(const List& items) {
    group("[", "]", items, [this](const Value& item) { write(item); });
  }

  void map(const Map& entries) {
    std::vector<const std::pair<std::string, Value>*> order;
    for (const auto& entry : entries) order.push_back(&entry);
    if (style_.sort_keys) {
      std::stable_sort(order.begin(), order.end(),
                       [](const auto* a, const auto* b) { return a->first < b->first; });
    }
    group("{", "}", order, [this](const auto* entry) {
      text(entry->first);
      add(style_.colon);
      write(entry->second);
    });
  }

  const JsonStyle& style_;
  Budget& budget_;
  int line_;
  int depth_ = 0;
  std::string out_;
};

// Reads one value; false on a mistake, which the scanner or `problem` names.
class JsonReader {
 public:
  explicit JsonReader(std::string_view text) : in_(text) {}

  Result<Value> run() {
    Value value;
    if (!read(value) || !in_.done())
      return invalid_argument("JSON: {}", problem_.empty() ? in_.error() : problem_);
    return value;
  }

 private:
  bool read(Value& out) {
    if (in_.next_is('{')) return object(out);
    if (in_.next_is('[')) return array(out);
    if (in_.next_is('"')) {
      std::string text;
      if (!in_.string(text)) return false;
      out = Value(std::move(text));
      return true;
    }
    std::string_view word;
    return in_.raw(word) && literal(word, out);
  }

  bool object(Value& out) {
    if (!in_.object()) return false;
    Map map;
    std::unordered_set<std::string> seen;
    std::string key;
    while (in_.more()) {
      Value value;
      if (!in_.key(key) || !read(value)) return false;
      if (!seen.insert(key).second) {
        problem_ = fmt::format("the key '{}' occurs twice", key.substr(0, 80));
        return false;
      }
      map.emplace_back(key, std::move(value));
    }
    if (in_.failed()) return false;
    out = Value(std::move(map), 1);
    return true;
  }

  bool array(Value& out) {
    if (!in_.array()) return false;
    List list;
    while (in_.more()) {
      Value value;
      if (!read(value)) return false;
      list.push_back(std::move(value));
    }
    if (in_.failed()) return false;
    out = Value(std::move(list), 1);
    return true;
  }

  bool literal(std::string_view word, Value& out) {
    if (word == "null") {
      out = Value(None{});
    } else if (word == "true" || word == "false") {
      out = Value(word == "true");
    } else if (word.find_first_of(".eE") == std::string_view::npos) {
      std::int64_t integer = 0;
      if (std::from_chars(word.data(), word.data() + word.size(), integer).ec != std::errc{}) {
        problem_ = fmt::format("the number {} is beyond 64 bits", word.substr(0, 40));
        return false;
      }
      out = Value(integer);
    } else {
      double number = 0;
      if (std::from_chars(word.data(), word.data() + word.size(), number).ec != std::errc{}) {
        problem_ = fmt::format("the number {} is out of range", word.substr(0, 40));
        return false;
      }
      out = Value(number);
    }
    return true;
  }

  JsonScanner in_;
  std::string problem_;
};

}  // namespace

std::string json_text(const Value& value, const JsonStyle& style, Budget& budget, int line) {
  Writer writer(style, budget, line);
  writer.write(value);
  return writer.take();
}

Result<Value> parse_json(std::string_view text) {
  if (text.size() > kJsonBytesMax)
    return resource_exhausted("JSON: {} bytes, at most {} are read", text.size(), kJsonBytesMax);
  if (!is_valid_utf8(text)) return invalid_argument("JSON: not UTF-8");
  try {
    return JsonReader(text).run();
  } catch (const Fault& fault) {
    return invalid_argument("JSON: {}", fault.what());
  }
}

}  // namespace adit::model::jinja
