// SPDX-License-Identifier: MIT
#include "common/model/jinja/text_ops.hpp"

#include <algorithm>
#include <charconv>

#include "common/model/jinja/fault.hpp"
#include "common/model/unicode_classes.hpp"

namespace adit::model::jinja {
namespace {

bool is_blank(char32_t code) {
  return (code >= 0x1c && code <= 0x1f) || class_of(code) == CodeClass::kSpace;
}

bool is_stripped(std::string_view one, std::optional<std::string_view> chars) {
  if (!chars) return is_blank(decode_utf8(one).code);
  return chars->find(one) != std::string_view::npos;
}

bool is_continuation(char c) {
  return (static_cast<unsigned char>(c) & 0xc0u) == 0x80u;
}

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

std::string replace_all(std::string_view text, std::string_view from, std::string_view to,
                        std::int64_t most) {
  std::string out;
  if (from.empty()) {
    // As Python: before every character and at the end.
    for (std::size_t at = 0; at < text.size();) {
      const std::size_t length = decode_utf8(text.substr(at)).length;
      if (most != 0) out.append(to);
      if (most > 0) --most;
      out.append(text.substr(at, length));
      at += length;
    }
    return most != 0 ? out.append(to) : out;
  }
  std::size_t at = 0;
  while (true) {
    const std::size_t found = most == 0 ? std::string_view::npos : text.find(from, at);
    if (found == std::string_view::npos) return out.append(text.substr(at));
    out.append(text.substr(at, found - at)).append(to);
    at = found + from.size();
    if (most > 0) --most;
  }
}

std::int64_t find_code(std::string_view text, std::string_view wanted) {
  const std::size_t found = text.find(wanted);
  return found == std::string_view::npos ? -1 : code_count(text.substr(0, found));
}

std::int64_t count_of(std::string_view text, std::string_view wanted) {
  if (wanted.empty()) return code_count(text) + 1;
  std::int64_t count = 0;
  for (std::size_t at = text.find(wanted); at != std::string_view::npos;
       at = text.find(wanted, at + wanted.size()))
    ++count;
  return count;
}

std::vector<std::string> split_right(std::string_view text, std::string_view separator,
                                     std::int64_t splits_max) {
  std::vector<std::string> out;
  std::size_t found = text.rfind(separator);
  while (found != std::string_view::npos && splits_max-- != 0) {
    out.emplace_back(text.substr(found + separator.size()));
    text = text.substr(0, found);
    found = text.rfind(separator);
  }
  out.emplace_back(text);
  std::reverse(out.begin(), out.end());
  return out;
}

std::vector<std::string> split_lines(std::string_view text) {
  std::vector<std::string> out;
  std::string line;
  bool open = false;
  while (!text.empty()) {
    const Utf8Step step = decode_utf8(text);
    const char32_t c = step.code;
    const bool ends =
        (c >= 0xa && c <= 0xd) || (c >= 0x1c && c <= 0x1e) || c == 0x85 || c == 0x2028 || c == 0x2029;
    const bool pair = text.starts_with("\r\n");
    if (!ends) line.append(text.substr(0, step.length));
    text.remove_prefix(pair ? 2 : step.length);
    open = !ends;
    if (!ends) continue;
    out.push_back(std::move(line));
    line.clear();
  }
  if (open) out.push_back(std::move(line));
  return out;
}

std::string indent(std::string_view text, std::string_view by, bool first, bool blank) {
  const std::vector<std::string> lines = split_lines(std::string(text) + "\n");
  std::string out(first ? by : std::string_view());
  for (std::size_t i = 0; i < lines.size(); ++i) {
    if (i > 0) out += "\n";
    if (i > 0 && (blank || !lines[i].empty())) out += by;
    out += lines[i];
  }
  return out;
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

std::string change_case(std::string_view text, std::string_view how, int line) {
  std::string out(text);
  bool begins = true;  // the next letter begins a word (title) or the text (capitalize)
  for (char& c : out) {
    if (static_cast<unsigned char>(c) >= 0x80) refuse(line, "the case of text beyond ASCII");
    const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    const bool upper = how == "upper" || (how != "lower" && begins);
    if (letter) c = static_cast<char>(upper ? (c & ~0x20) : (c | 0x20));
    if (how == "capitalize") begins = false;
    if (how == "title") begins = !letter;
    if (how == "title_filter")
      begins =
          c == '-' || c == '(' || c == '{' || c == '[' || c == '<' || is_blank(static_cast<unsigned char>(c));
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
