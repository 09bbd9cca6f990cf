// SPDX-License-Identifier: MIT
#include "common/model/jinja/lexer.hpp"

#include <algorithm>
#include <array>

#include "common/model/jinja/fault.hpp"
#include "common/model/jinja/text_ops.hpp"

namespace adit::model::jinja {
namespace {

constexpr std::array<std::string_view, 6> kLongSymbols{"==", "!=", "<=", ">=", "//", "**"};
constexpr std::string_view kShortSymbols = "+-*/%~<>=()[]{},.:|";

bool is_name_start(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}
bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

class Lexer {
 public:
  explicit Lexer(std::string source) : source_(std::move(source)) {}

  std::vector<Token> run() {
    while (at_ < source_.size()) {
      const std::size_t open = find_open(at_);
      text(open);
      if (open == source_.size()) break;
      tag(open);
    }
    add(TokenKind::kEnd, "");
    return std::move(tokens_);
  }

 private:
  [[nodiscard]] std::string_view rest() const { return std::string_view(source_).substr(at_); }

  [[nodiscard]] std::size_t find_open(std::size_t from) const {
    for (std::size_t i = from; i + 1 < source_.size(); ++i) {
      if (source_[i] == '{' && (source_[i + 1] == '{' || source_[i + 1] == '%' || source_[i + 1] == '#'))
        return i;
    }
    return source_.size();
  }

  void add(TokenKind kind, std::string text) { tokens_.push_back({kind, line_, std::move(text)}); }

  void advance(std::size_t to) {
    line_ += static_cast<int>(std::count(source_.begin() + static_cast<std::ptrdiff_t>(at_),
                                         source_.begin() + static_cast<std::ptrdiff_t>(to), '\n'));
    at_ = to;
  }

  // The plain text up to the tag at `open`, less what the tag's sign or lstrip_blocks takes from its end.
  void text(std::size_t open) {
    std::string_view piece = std::string_view(source_).substr(at_, open - at_);
    if (open < source_.size()) {
      const char sign = open + 2 < source_.size() ? source_[open + 2] : ' ';
      if (sign == '-') {
        piece = strip_right(piece);
      } else if (sign != '+' && source_[open + 1] != '{') {
        const std::size_t newline = piece.rfind('\n');
        const std::size_t begin = newline == std::string_view::npos ? 0 : newline + 1;
        if ((begin > 0 || line_start_) && strip_right(piece.substr(begin)).empty())
          piece = piece.substr(0, begin);
      }
    }
    if (!piece.empty()) add(TokenKind::kText, std::string(piece));
    advance(open);
  }

  void tag(std::size_t open) {
    const char kind = source_[open + 1];
    std::size_t begin = open + 2;
    if (begin < source_.size() && (source_[begin] == '-' || source_[begin] == '+')) ++begin;
    if (kind == '#') {
      comment(begin);
      return;
    }
    add(kind == '{' ? TokenKind::kExprBegin : TokenKind::kTagBegin, "");
    advance(begin);
    while (!close(kind)) one_token();
  }

  // After the closing mark at `mark_end`: what its sign or trim_blocks takes from the text that follows.
  void finish(std::size_t mark_end, char sign, bool block) {
    std::size_t to = mark_end;
    if (sign == '-') {
      to = source_.size() - strip_left(std::string_view(source_).substr(mark_end)).size();
    } else if (sign != '+' && block && to < source_.size() && source_[to] == '\n') {
      ++to;
    }
    line_start_ = source_[to - 1] == '\n';
    advance(to);
  }

  void comment(std::size_t begin) {
    const std::size_t end = source_.find("#}", begin);
    if (end == std::string::npos) fail(line_, "the comment is not closed");
    const char sign = end > begin ? source_[end - 1] : ' ';
    finish(end + 2, sign, true);
  }

  // Is a closing mark next? If so, takes it and what it trims.
  bool close(char kind) {
    at_ = at_ + (rest().size() - strip_left_counting(rest()).size());
    if (at_ >= source_.size()) fail(line_, "the tag is not closed");
    if (depth_ > 0) return false;
    const char mark = kind == '{' ? '}' : '%';
    const bool signed_mark = source_[at_] == '-' || (source_[at_] == '+' && kind == '%');
    const std::size_t first = signed_mark ? at_ + 1 : at_;
    if (first + 1 >= source_.size() || source_[first] != mark || source_[first + 1] != '}') return false;
    add(kind == '{' ? TokenKind::kExprEnd : TokenKind::kTagEnd, "");
    finish(first + 2, signed_mark ? source_[at_] : ' ', kind == '%');
    return true;
  }

  // strip_left of blanks inside a tag, with line counting.
  std::string_view strip_left_counting(std::string_view text) {
    const std::string_view left = strip_left(text);
    line_ += static_cast<int>(std::count(text.begin(), text.begin() + (text.size() - left.size()), '\n'));
    return left;
  }

  void one_token() {
    const char c = source_[at_];
    if (is_name_start(c)) {
      take(TokenKind::kName, [](char k) { return is_name_start(k) || is_digit(k); });
    } else if (is_digit(c)) {
      number();
    } else if (c == '\'' || c == '"') {
      string_literal(c);
    } else {
      symbol();
    }
  }

  void number() {
    const std::size_t begin = at_;
    const auto digits = [&] {
      while (at_ < source_.size() && is_digit(source_[at_])) ++at_;
    };
    digits();
    // After a dot stands a number's index: x.0.1
    const bool index = begin > 0 && source_[begin - 1] == '.';
    const bool fraction =
        !index && at_ + 1 < source_.size() && source_[at_] == '.' && is_digit(source_[at_ + 1]);
    if (fraction) {
      ++at_;
      digits();
    }
    if (at_ < source_.size() && is_name_start(source_[at_]))
      refuse(line_, "the number '{}'", source_.substr(begin, at_ + 1 - begin));
    add(fraction ? TokenKind::kFloat : TokenKind::kInteger, source_.substr(begin, at_ - begin));
  }

  template <class Accept>
  void take(TokenKind kind, Accept accept) {
    std::size_t end = at_;
    while (end < source_.size() && accept(source_[end])) ++end;
    add(kind, source_.substr(at_, end - at_));
    at_ = end;
  }

  void symbol() {
    for (const std::string_view two : kLongSymbols) {
      if (rest().starts_with(two)) {
        add(TokenKind::kSymbol, std::string(two));
        at_ += 2;
        return;
      }
    }
    const char c = source_[at_];
    if (kShortSymbols.find(c) == std::string_view::npos) {
      fail(line_, "unexpected byte 0x{:02x}", static_cast<unsigned char>(c));
    }
    if (c == '(' || c == '[' || c == '{') ++depth_;
    if (c == ')' || c == ']' || c == '}') {
      if (depth_ == 0) fail(line_, "unexpected '{}'", c);
      --depth_;
    }
    add(TokenKind::kSymbol, std::string(1, c));
    ++at_;
  }

  void string_literal(char quote) {
    std::string out;
    std::size_t i = at_ + 1;
    while (i < source_.size() && source_[i] != quote) {
      if (source_[i] != '\\') {
        out.push_back(source_[i++]);
        continue;
      }
      if (i + 1 >= source_.size()) break;
      i += unescape(std::string_view(source_).substr(i), out, line_);
    }
    if (i >= source_.size()) fail(line_, "the string is not closed");
    add(TokenKind::kString, std::move(out));
    advance(i + 1);
  }

  std::string source_;
  std::size_t at_ = 0;
  int line_ = 1;
  int depth_ = 0;
  bool line_start_ = true;
  std::vector<Token> tokens_;
};

std::string normalize_newlines(std::string_view source) {
  std::string out;
  out.reserve(source.size());
  for (std::size_t i = 0; i < source.size(); ++i) {
    if (source[i] == '\r') {
      out.push_back('\n');
      if (i + 1 < source.size() && source[i + 1] == '\n') ++i;
    } else {
      out.push_back(source[i]);
    }
  }
  if (!out.empty() && out.back() == '\n') out.pop_back();
  return out;
}

}  // namespace

std::vector<Token> tokenize(std::string_view source) {
  return Lexer(normalize_newlines(source)).run();
}

}  // namespace adit::model::jinja
