// SPDX-License-Identifier: MIT
#include "common/model/json_scanner.hpp"

#include <charconv>

#include <fmt/format.h>

#include "common/model/unicode_classes.hpp"

namespace adit::model {

std::string JsonScanner::error() const {
  if (too_deep_) return fmt::format("offset {}: nested deeper than {} levels", at_, kJsonDepthMax);
  return fmt::format("offset {}: not JSON", at_);
}

bool JsonScanner::fail() {
  failed_ = true;
  return false;
}

void JsonScanner::blanks() {
  while (at_ < text_.size() &&
         (text_[at_] == ' ' || text_[at_] == '\n' || text_[at_] == '\r' || text_[at_] == '\t'))
    ++at_;
}

bool JsonScanner::next_is(char c) {
  blanks();
  return !failed_ && at_ < text_.size() && text_[at_] == c;
}

bool JsonScanner::done() {
  blanks();
  return (!failed_ && at_ == text_.size()) || fail();
}

bool JsonScanner::open(char bracket) {
  if (!next_is(bracket)) return fail();
  if (++depth_ > kJsonDepthMax) {
    too_deep_ = true;
    return fail();
  }
  ++at_;
  fresh_ = true;
  return true;
}

bool JsonScanner::more() {
  if (failed_) return false;
  blanks();
  if (at_ >= text_.size()) return fail();
  const char c = text_[at_];
  if (c == '}' || c == ']') {
    ++at_;
    --depth_;
    fresh_ = false;
    return false;
  }
  if (fresh_) {
    fresh_ = false;
    return true;
  }
  if (c != ',') return fail();
  ++at_;
  return true;
}

bool JsonScanner::key(std::string& out) {
  if (!string(out) || !next_is(':')) return fail();
  ++at_;
  return true;
}

bool JsonScanner::hex4(std::uint32_t& out) {
  if (text_.size() - at_ < 4) return fail();
  const char* begin = text_.data() + at_;
  const auto [end, error] = std::from_chars(begin, begin + 4, out, 16);
  if (error != std::errc{} || end != begin + 4) return fail();
  at_ += 4;
  return true;
}

bool JsonScanner::escape(std::string& out) {
  constexpr std::string_view kFrom = "\"\\/bfnrt";
  constexpr std::string_view kTo = "\"\\/\b\f\n\r\t";
  if (at_ + 1 >= text_.size()) return fail();
  const char c = text_[at_ + 1];
  if (const std::size_t found = kFrom.find(c); found != std::string_view::npos) {
    out.push_back(kTo[found]);
    at_ += 2;
    return true;
  }
  if (c != 'u') return fail();
  at_ += 2;
  std::uint32_t code = 0;
  if (!hex4(code)) return false;
  if (code >= 0xd800 && code < 0xdc00) {
    std::uint32_t low = 0;
    if (text_.substr(at_, 2) != "\\u") return fail();
    at_ += 2;
    if (!hex4(low)) return false;
    if (low < 0xdc00 || low >= 0xe000) return fail();
    code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
  } else if (code >= 0xdc00 && code < 0xe000) {
    return fail();
  }
  append_utf8(code, out);
  return true;
}

bool JsonScanner::string(std::string& out) {
  out.clear();
  if (!next_is('"')) return fail();
  ++at_;
  while (true) {
    const std::size_t begin = at_;
    while (at_ < text_.size() && text_[at_] != '"' && text_[at_] != '\\' &&
           static_cast<unsigned char>(text_[at_]) >= 0x20)
      ++at_;
    out.append(text_.substr(begin, at_ - begin));
    if (at_ >= text_.size() || static_cast<unsigned char>(text_[at_]) < 0x20) return fail();
    if (text_[at_] == '"') {
      ++at_;
      return true;
    }
    if (!escape(out)) return false;
  }
}

bool JsonScanner::integer(std::int64_t& out) {
  blanks();
  if (failed_ || at_ >= text_.size()) return fail();
  const char* begin = text_.data() + at_;
  const auto [end, error] = std::from_chars(begin, text_.data() + text_.size(), out);
  if (error != std::errc{}) return fail();
  const std::size_t to = static_cast<std::size_t>(end - text_.data());
  if (to < text_.size() && (text_[to] == '.' || text_[to] == 'e' || text_[to] == 'E')) return fail();
  at_ = to;
  return true;
}

// A number, true, false or null; only its letters are looked at.
bool JsonScanner::literal() {
  const std::size_t begin = at_;
  while (at_ < text_.size() &&
         std::string_view("+-.0123456789eEtrufalsn").find(text_[at_]) != std::string_view::npos)
    ++at_;
  const std::string_view word = text_.substr(begin, at_ - begin);
  if (word.empty()) return fail();
  if (word == "true" || word == "false" || word == "null") return true;
  double number = 0;
  const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), number);
  if (error == std::errc::invalid_argument || end != word.data() + word.size()) return fail();
  return true;
}

bool JsonScanner::raw(std::string_view& out) {
  blanks();
  const std::size_t begin = at_;
  const int outside = depth_;
  std::string text;
  do {
    blanks();
    if (failed_ || at_ >= text_.size()) return fail();
    const char c = text_[at_];
    if (c == '{' || c == '[') {
      if (!open(c)) return false;
    } else if (c == '"') {
      if (!string(text)) return false;
      fresh_ = false;
    } else if (c == '}' || c == ']') {
      if (depth_ == outside) return fail();
      ++at_;
      --depth_;
    } else if (c == ',' || c == ':') {
      if (depth_ == outside) return fail();
      ++at_;
    } else if (!literal()) {
      return false;
    }
  } while (depth_ > outside);
  fresh_ = false;
  out = text_.substr(begin, at_ - begin);
  return true;
}

}  // namespace adit::model
