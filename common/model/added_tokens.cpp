// SPDX-License-Identifier: MIT
#include "common/model/added_tokens.hpp"

#include <algorithm>

#include "common/model/unicode_classes.hpp"

namespace adit::model {
namespace {

bool is_other_number(char32_t code) {
  const auto after =
      std::upper_bound(kOtherNumberRanges.begin(), kOtherNumberRanges.end(), code,
                       [](char32_t value, const CodeRange& range) { return value < range.first; });
  return after != kOtherNumberRanges.begin() && code <= std::prev(after)->last;
}

// \w of Rust's regular expressions: Alphabetic, marks, decimal digits, connectors, joiners.
bool is_word(char32_t code) {
  switch (class_of(code)) {
    case CodeClass::kLetter:
    case CodeClass::kMark: return true;
    case CodeClass::kNumber: return !is_other_number(code);
    case CodeClass::kPunctuation:
      return code == '_' || code == 0x203f || code == 0x2040 || code == 0x2054 || code == 0xfe33 ||
             code == 0xfe34 || (code >= 0xfe4d && code <= 0xfe4f) || code == 0xff3f;
    case CodeClass::kSymbol:  // circled letters
      return (code >= 0x24b6 && code <= 0x24e9) || (code >= 0x1f130 && code <= 0x1f149) ||
             (code >= 0x1f150 && code <= 0x1f169) || (code >= 0x1f170 && code <= 0x1f189);
    default: return code == 0x200c || code == 0x200d;
  }
}

// Where the last character of `text` begins.
std::size_t last_start(std::string_view text) {
  std::size_t at = text.size() - 1;
  while (at > 0 && (static_cast<std::uint8_t>(text[at]) & 0xc0u) == 0x80u) --at;
  return at;
}

bool ends_with_word(std::string_view text) {
  return !text.empty() && is_word(decode_utf8(text.substr(last_start(text))).code);
}
bool begins_with_word(std::string_view text) {
  return !text.empty() && is_word(decode_utf8(text).code);
}

std::size_t blanks_at_end(std::string_view text) {
  const std::size_t all = text.size();
  while (!text.empty()) {
    const std::size_t at = last_start(text);
    if (class_of(decode_utf8(text.substr(at)).code) != CodeClass::kSpace) break;
    text = text.substr(0, at);
  }
  return all - text.size();
}

std::size_t blanks_at_start(std::string_view text) {
  std::size_t at = 0;
  while (at < text.size()) {
    const Utf8Step step = decode_utf8(text.substr(at));
    if (class_of(step.code) != CodeClass::kSpace) break;
    at += step.length;
  }
  return at;
}

}  // namespace

void AddedTokens::Tree::add(std::string_view text, std::uint32_t token) {
  first_[static_cast<std::uint8_t>(text[0])] = true;
  std::uint32_t node = 0;
  for (const char c : text) {
    const std::uint64_t key = (std::uint64_t{node} << 8) | static_cast<std::uint8_t>(c);
    if (const std::uint32_t* next = children_.find(key); next != nullptr) {
      node = *next;
      continue;
    }
    const auto fresh = static_cast<std::uint32_t>(tokens_.size());
    static_cast<void>(children_.insert(key, fresh));
    tokens_.push_back(0);
    node = fresh;
  }
  if (tokens_[node] == 0) tokens_[node] = token + 1;
}

std::pair<std::size_t, std::uint32_t> AddedTokens::Tree::longest(std::string_view text) const {
  std::pair<std::size_t, std::uint32_t> best{0, 0};
  if (!first_[static_cast<std::uint8_t>(text[0])]) return best;
  std::uint32_t node = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const std::uint32_t* next =
        children_.find((std::uint64_t{node} << 8) | static_cast<std::uint8_t>(text[i]));
    if (next == nullptr) break;
    node = *next;
    if (tokens_[node] != 0) best = {i + 1, tokens_[node] - 1};
  }
  return best;
}

void AddedTokens::add(const std::string& text, TokenId id, const AddedFlags& flags, bool special) {
  if (text.empty()) return;
  (flags.normalized ? normalized_ : exact_).add(text, static_cast<std::uint32_t>(tokens_.size()));
  tokens_.push_back({id, flags, special});
}

void AddedTokens::split(std::string_view text, bool normalized, bool parse_special,
                        std::vector<Piece>& out) const {
  const Tree& tree = normalized ? normalized_ : exact_;
  std::size_t given = 0;  // up to here the text is in `out`
  std::size_t at = 0;
  while (at < text.size() && !tree.nodes_empty()) {
    const auto [length, index] = tree.longest(text.substr(at));
    if (length == 0) {
      ++at;
      continue;
    }
    const Token& token = tokens_[index];
    std::size_t begin = at;
    std::size_t end = at + length;
    at = end;
    if (token.special && !parse_special) continue;
    if (token.flags.single_word &&
        (ends_with_word(text.substr(0, begin)) || begins_with_word(text.substr(end))))
      continue;
    // A match before may have taken blanks that belong to this one too.
    if (begin < given) continue;
    if (token.flags.lstrip)
      begin -= std::min(begin - given, blanks_at_end(text.substr(given, begin - given)));
    if (token.flags.rstrip) end += blanks_at_start(text.substr(end));
    if (given < begin) out.push_back({text.substr(given, begin - given), -1});
    out.push_back({text.substr(begin, end - begin), token.id});
    given = end;
  }
  if (given < text.size()) out.push_back({text.substr(given), -1});
}

}  // namespace adit::model
