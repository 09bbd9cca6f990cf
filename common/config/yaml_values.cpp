// SPDX-License-Identifier: MIT
#include <algorithm>
#include <array>
#include <cstdlib>
#include <utility>

#include "common/config/yaml_reader.hpp"
#include "common/config/yaml_state.hpp"

namespace adit::config {

// How a family of unsigned texts is written: parser, printer, noun.
struct YamlReader::UnsignedKind {
  Result<std::uint64_t> (*parse)(std::string_view);
  std::string (*print)(std::uint64_t);
  std::string_view noun;
};

namespace {

std::string print_duration(std::uint64_t ns) {
  constexpr std::array<std::pair<std::uint64_t, std::string_view>, 6> kUnits{{{3'600'000'000'000, "h"},
                                                                              {60'000'000'000, "m"},
                                                                              {1'000'000'000, "s"},
                                                                              {1'000'000, "ms"},
                                                                              {1'000, "us"},
                                                                              {1, "ns"}}};
  for (const auto& [factor, unit] : kUnits) {
    if (ns % factor == 0) return fmt::format("{}{}", ns / factor, unit);
  }
  return {};
}

std::string print_size(std::uint64_t bytes) {
  constexpr std::array<std::pair<std::uint64_t, std::string_view>, 3> kUnits{
      {{1u << 30, "GiB"}, {1u << 20, "MiB"}, {1u << 10, "KiB"}}};
  for (const auto& [factor, unit] : kUnits) {
    if (bytes != 0 && bytes % factor == 0) return fmt::format("{}{}", bytes / factor, unit);
  }
  return fmt::format("{}", bytes);
}

std::string print_count(std::uint64_t count) { return fmt::format("{}", count); }

template <class T, class Print>
std::string join(const std::vector<T>& items, const Print& print) {
  std::string out = "[";
  for (std::size_t i = 0; i < items.size(); ++i) out += (i == 0 ? "" : ", ") + print(items[i]);
  return out + "]";
}

}  // namespace

void YamlReader::read_scalar(std::string_view key, std::string type, std::string_view sentence,
                             const std::function<Result<void>(const std::string&)>& parse,
                             const std::function<std::string()>& print) {
  std::string before = print();
  if (const YamlNode* node = ask(key); node != nullptr) {
    const bool good = node->kind == YamlNode::Kind::kScalar && parse(node->text).has_value();
    if (!good) error_at(node->line, key, fmt::format("expected {}, got {}", type, describe(*node)));
  }
  note({path_of(key), std::move(type), std::move(before), print(), std::string(sentence)});
}

void YamlReader::read_integer(std::string_view key, std::int64_t& value, Bounds bounds,
                              std::string_view sentence) {
  read_scalar(
      key, fmt::format("an integer in {}..{}", bounds.min, bounds.max), sentence,
      [&](const std::string& text) -> Result<void> {
        ADIT_TRY(const std::int64_t parsed, parse_integer(text));
        if (parsed < bounds.min || parsed > bounds.max) return invalid_argument("out of bounds");
        value = parsed;
        return {};
      },
      [&] { return fmt::format("{}", value); });
}

void YamlReader::read_decimal(std::string_view key, std::int64_t& value, int digits, Bounds bounds,
                              std::string_view sentence) {
  read_scalar(
      key,
      fmt::format("a number in {}..{} with at most {} digits after the point",
                  format_decimal(bounds.min, digits), format_decimal(bounds.max, digits), digits),
      sentence,
      [&](const std::string& text) -> Result<void> {
        ADIT_TRY(const std::int64_t parsed, parse_decimal(text, digits));
        if (parsed < bounds.min || parsed > bounds.max) return invalid_argument("out of bounds");
        value = parsed;
        return {};
      },
      [&] { return format_decimal(value, digits); });
}

void YamlReader::boolean(std::string_view key, bool& value, std::string_view sentence) {
  read_scalar(
      key, "true or false", sentence,
      [&](const std::string& text) -> Result<void> {
        if (text != "true" && text != "false") return invalid_argument("not a boolean");
        value = text == "true";
        return {};
      },
      [&] { return std::string(value ? "true" : "false"); });
}

void YamlReader::text(std::string_view key, std::string& value, std::size_t chars_max,
                      std::string_view sentence) {
  read_scalar(
      key, fmt::format("a text of 1..{} bytes", chars_max), sentence,
      [&](const std::string& text) -> Result<void> {
        if (text.empty() || text.size() > chars_max) return invalid_argument("length");
        value = text;
        return {};
      },
      [&] { return value; });
}

void YamlReader::path(std::string_view key, std::filesystem::path& value, std::string_view sentence) {
  read_scalar(
      key, "a file path", sentence,
      [&](const std::string& text) -> Result<void> {
        if (text.empty()) return invalid_argument("empty");
        if (text == "~" || text.starts_with("~/")) {
          const char* home = std::getenv("HOME");
          if (home == nullptr) return invalid_argument("no HOME");
          value = std::filesystem::path(home) / text.substr(std::min<std::size_t>(2, text.size()));
        } else {
          const std::filesystem::path given(text);
          value = given.is_absolute() ? given : state_->file.parent_path() / given;
        }
        return {};
      },
      [&] { return value.string(); });
}

void YamlReader::read_choice(std::string_view key, std::size_t& index,
                             std::span<const std::string_view> names, std::string_view sentence) {
  std::string type;
  for (std::size_t i = 0; i < names.size(); ++i) {
    type += i == 0 ? "" : i + 1 == names.size() ? " or " : ", ";
    type += names[i];
  }
  read_scalar(
      key, std::move(type), sentence,
      [&](const std::string& text) -> Result<void> {
        const auto found = std::find(names.begin(), names.end(), text);
        if (found == names.end()) return invalid_argument("not a choice");
        index = static_cast<std::size_t>(found - names.begin());
        return {};
      },
      [&] { return std::string(names[index]); });
}

void YamlReader::read_unsigned(std::string_view key, std::uint64_t& value, const UnsignedKind& kind,
                               std::uint64_t min, std::uint64_t max, std::string_view sentence) {
  read_scalar(
      key, fmt::format("{} in {}..{}", kind.noun, kind.print(min), kind.print(max)), sentence,
      [&](const std::string& text) -> Result<void> {
        ADIT_TRY(const std::uint64_t parsed, kind.parse(text));
        if (parsed < min || parsed > max) return invalid_argument("out of bounds");
        value = parsed;
        return {};
      },
      [&] { return kind.print(value); });
}

void YamlReader::duration_ns(std::string_view key, std::uint64_t& value, std::uint64_t min, std::uint64_t max,
                             std::string_view sentence) {
  read_unsigned(key, value, {parse_duration_ns, print_duration, "a duration (30s, 250ms)"}, min, max,
                sentence);
}

void YamlReader::size_bytes(std::string_view key, std::uint64_t& value, std::uint64_t min, std::uint64_t max,
                            std::string_view sentence) {
  read_unsigned(key, value, {parse_size_bytes, print_size, "a size (256MiB, 4096)"}, min, max, sentence);
}

void YamlReader::count(std::string_view key, std::uint64_t& value, std::uint64_t min, std::uint64_t max,
                       std::string_view sentence) {
  read_unsigned(key, value, {parse_count, print_count, "a count (200, 200k)"}, min, max, sentence);
}

void YamlReader::endpoint(std::string_view key, Endpoint& value, std::string_view sentence) {
  read_scalar(
      key, "host:port such as 127.0.0.1:8091", sentence,
      [&](const std::string& text) -> Result<void> {
        ADIT_TRY(value, parse_endpoint(text));
        return {};
      },
      [&] { return value.host.empty() ? std::string() : value.text(); });
}

void YamlReader::hash(std::string_view key, Hash256& value, std::string_view sentence) {
  read_scalar(
      key, "64 hex digits", sentence,
      [&](const std::string& text) -> Result<void> {
        ADIT_TRY(value, fixed_from_hex<32>(text));
        return {};
      },
      [&] { return to_hex(value); });
}

void YamlReader::parsed(std::string_view key, std::string_view type, std::string_view default_value,
                        const std::function<Result<void>(std::string_view)>& parse,
                        std::string_view sentence) {
  std::string now(default_value);
  read_scalar(
      key, std::string(type), sentence,
      [&](const std::string& text) -> Result<void> {
        now = text;
        return parse(text);
      },
      [&] { return now; });
}

void YamlReader::read_list(std::string_view key, std::size_t items_max, std::string_view item,
                           std::string_view sentence, const std::function<void()>& clear,
                           const std::function<Result<void>(const std::string&)>& add,
                           const std::function<std::string()>& print) {
  std::string type = fmt::format("a list of at most {} items, each {}", items_max, item);
  std::string before = print();
  if (const YamlNode* node = ask(key); node != nullptr) {
    if (node->kind != YamlNode::Kind::kSequence || node->items.size() > items_max) {
      error_at(
          node->line, key,
          fmt::format("expected {}, got {}", type,
                      node->kind == YamlNode::Kind::kSequence ? fmt::format("{} items", node->items.size())
                                                              : describe(*node)));
    } else {
      clear();
      for (std::size_t i = 0; i < node->items.size(); ++i) {
        const YamlNode& at = node->items[i];
        if (at.kind != YamlNode::Kind::kScalar || !add(at.text).has_value()) {
          error_at(at.line, fmt::format("{}[{}]", key, i),
                   fmt::format("expected {}, got {}", item, describe(at)));
        }
      }
    }
  }
  note({path_of(key), std::move(type), std::move(before), print(), std::string(sentence)});
}

void YamlReader::integers(std::string_view key, std::vector<std::int64_t>& value, std::size_t items_max,
                          std::int64_t min, std::int64_t max, std::string_view sentence) {
  read_list(
      key, items_max, fmt::format("an integer in {}..{}", min, max), sentence, [&] { value.clear(); },
      [&](const std::string& text) -> Result<void> {
        ADIT_TRY(const std::int64_t parsed, parse_integer(text));
        if (parsed < min || parsed > max) return invalid_argument("out of bounds");
        value.push_back(parsed);
        return {};
      },
      [&] { return join(value, [](std::int64_t v) { return fmt::format("{}", v); }); });
}

void YamlReader::texts(std::string_view key, std::vector<std::string>& value, std::size_t items_max,
                       std::size_t chars_max, std::string_view sentence) {
  read_list(
      key, items_max, fmt::format("a text of 1..{} bytes", chars_max), sentence, [&] { value.clear(); },
      [&](const std::string& text) -> Result<void> {
        if (text.empty() || text.size() > chars_max) return invalid_argument("length");
        value.push_back(text);
        return {};
      },
      [&] { return join(value, [](const std::string& v) { return v; }); });
}

void YamlReader::hashes(std::string_view key, std::vector<Hash256>& value, std::size_t items_max,
                        std::string_view sentence) {
  read_list(
      key, items_max, "64 hex digits", sentence, [&] { value.clear(); },
      [&](const std::string& text) -> Result<void> {
        ADIT_TRY(const Hash256 hash, fixed_from_hex<32>(text));
        value.push_back(hash);
        return {};
      },
      [&] { return join(value, [](const Hash256& v) { return to_hex(v); }); });
}

}  // namespace adit::config
