// SPDX-License-Identifier: MIT
#include "common/model/jinja/text_ops.hpp"

#include <algorithm>
#include <charconv>

#include "common/model/jinja/fault.hpp"
#include "common/model/unicode_classes.hpp"

namespace adit::model::jinja {
namespace {

bool is_blank(char32_t code) { return (code >= 0x1c && code <= 0x1f) || class_of(code) == CodeClass::kSpace; }

bool is_stripped(std::string_view one, std::optional<std::string_view> chars) {
  if (!chars) return is_blank(decode_utf8(one).code);
  return chars->find(one) != std::string_view::npos;
}

bool is_continuation(char c) { return (static_cast<unsigned char>(c) & 0xc0u) == 0x80u; }

// \xHH, \uHHHH, \UHHHHHHHH.
std::size_t unescape_hex(std::string_view text, std::size_t digits, std::string& out, int line) {
  std::uint32_t code = 0;
  const std::string_view hex = text.substr(2, digits);
  const auto [end, error] = std::from_chars(hex.data(), hex.data() + hex.size(), code, 16);
  const bool good = hex.size() == digits && error == std::errc{} && end == hex.data() + hex.size();
  if (!good || code > 0x10ffff || (code >= 0xd800 && code < 0xe000)) {
    fail(line, "bad escape '{}'", text.substr(0, 2 + hex.size()));
  }
  append_utf8(code, out);
  return 2 + digits;
}

}  // namespace

std::string_view strip_left(std::string_view text, std::optional<std::string_view> chars) {
  while (!text.empty()) {
    const std::size_t length = decode_utf8(text).length;
    if (!is_stripped(text.substr(0, length), chars)) break;
    text.remove_prefix(length);
  }
  return text;
}

std::string_view strip_right(std::string_view text, std::optional<std::string_view> chars) {
  while (!text.empty()) {
    std::size_t first = text.size() - 1;
    while (first > 0 && is_continuation(text[first])) --first;
    if (!is_stripped(text.substr(first), chars)) break;
    text.remove_suffix(text.size() - first);
  }
  return text;
}

std::int64_t code_count(std::string_view text) {
  return std::count_if(text.begin(), text.end(), [](char c) { return !is_continuation(c); });
}

std::string_view code_slice(std::string_view text, std::int64_t begin, std::int64_t end) {
  const auto offset_of = [text](std::int64_t codes) {
    std::size_t at = 0;
    while (codes > 0 && at < text.size()) {
      ++at;
      while (at < text.size() && is_continuation(text[at])) ++at;
      --codes;
    }
    return at;
  };
  const std::size_t first = offset_of(begin);
  return text.substr(first, std::max(offset_of(end), first) - first);
}

std::string replace_all(std::string_view text, std::string_view from, std::string_view to) {
  std::string out;
  if (from.empty()) {
    // As Python: before every character and at the end.
    for (std::size_t at = 0; at < text.size();) {
      const std::size_t length = decode_utf8(text.substr(at)).length;
      out.append(to).append(text.substr(at, length));
      at += length;
    }
    return out.append(to);
  }
  std::size_t at = 0;
  while (true) {
    const std::size_t found = text.find(from, at);
    if (found == std::string_view::npos) return out.append(text.substr(at));
    out.append(text.substr(at, found - at)).append(to);
    at = found + from.size();
  }
}

std::vector<std::string> split(std::string_view text, std::optional<std::string_view> separator,
                               std::int64_t splits_max) {
  std::vector<std::string> out;
  if (separator) {
    std::size_t found = text.find(*separator);
    while (found != std::string_view::npos && splits_max-- != 0) {
      out.emplace_back(text.substr(0, found));
      text.remove_prefix(found + separator->size());
      found = text.find(*separator);
    }
    out.emplace_back(text);
    return out;
  }
  text = strip_left(text);
  while (!text.empty()) {
    if (splits_max-- == 0) {
      out.emplace_back(strip_right(text));
      return out;
    }
    std::size_t end = 0;
    while (end < text.size() && !is_blank(decode_utf8(text.substr(end)).code)) {
      end += decode_utf8(text.substr(end)).length;
    }
    out.emplace_back(text.substr(0, end));
    text = strip_left(text.substr(end));
  }
  return out;
}

std::string fold_case(std::string_view text, bool upper, int line) {
  std::string out(text);
  for (char& c : out) {
    if (static_cast<unsigned char>(c) >= 0x80) refuse(line, "upper and lower of text beyond ASCII");
    if (upper && c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
    if (!upper && c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return out;
}

std::size_t unescape(std::string_view text, std::string& out, int line) {
  constexpr std::string_view kFrom = "ntrabfv\\'\"";
  constexpr std::string_view kTo = "\n\t\r\a\b\f\v\\'\"";
  const char c = text[1];
  if (const std::size_t found = kFrom.find(c); found != std::string_view::npos) {
    out.push_back(kTo[found]);
    return 2;
  }
  if (c == 'x') return unescape_hex(text, 2, out, line);
  if (c == 'u') return unescape_hex(text, 4, out, line);
  if (c == 'U') return unescape_hex(text, 8, out, line);
  if (c == '\n') return 2;
  if ((c >= '0' && c <= '7') || c == 'N') refuse(line, "the escape '\\{}'", c);
  out.push_back('\\');
  return 1;
}

}  // namespace adit::model::jinja
