// SPDX-License-Identifier: MIT
#include "common/answers/extraction.hpp"

#include <algorithm>
#include <vector>

namespace adit::answers {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }
char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }
// Bytes of a multi-byte character count as letters: a word is never cut inside one.
bool is_letter(char c) {
  return (lower(c) >= 'a' && lower(c) <= 'z') || (static_cast<unsigned char>(c) & 0x80u) != 0;
}

std::vector<std::string> words_of(std::string_view text) {
  std::vector<std::string> out;
  bool inside = false;
  for (const char c : text) {
    if (is_letter(c) || (inside && (c == '\'' || c == '-'))) {
      if (!inside) out.emplace_back();
      out.back().push_back(lower(c));
      inside = true;
    } else {
      inside = false;
    }
  }
  for (std::string& word : out) {
    while (!word.empty() && !is_letter(word.back())) word.pop_back();
  }
  return out;
}

// The last integer of the text, canonical; digits grouped by single commas are one number.
std::optional<std::string> last_integer(std::string_view text) {
  std::optional<std::string> found;
  for (std::size_t i = 0; i < text.size();) {
    if (!is_digit(text[i])) {
      ++i;
      continue;
    }
    const bool minus =
        i > 0 && text[i - 1] == '-' && (i < 2 || !(is_digit(text[i - 2]) || is_letter(text[i - 2])));
    std::string digits;
    while (i < text.size()) {
      if (is_digit(text[i])) {
        digits.push_back(text[i++]);
      } else if (text[i] == ',' && i + 3 < text.size() &&
                 std::all_of(text.begin() + static_cast<std::ptrdiff_t>(i) + 1,
                             text.begin() + static_cast<std::ptrdiff_t>(i) + 4, is_digit) &&
                 (i + 4 == text.size() || !is_digit(text[i + 4]))) {
        ++i;
      } else {
        break;
      }
    }
    digits.erase(0, std::min(digits.find_first_not_of('0'), digits.size() - 1));
    found = (minus && digits != "0" ? "-" : "") + digits;
  }
  return found;
}

std::optional<std::string> typed(std::string_view text, AnswerType type, std::size_t words) {
  if (type == AnswerType::kInteger) return last_integer(text);
  const std::vector<std::string> all = words_of(text);
  const std::size_t wanted = type == AnswerType::kWord ? 1 : words;
  if (all.size() < wanted || wanted == 0) return std::nullopt;
  std::string out;
  for (std::size_t i = all.size() - wanted; i < all.size(); ++i) {
    if (!out.empty()) out += ' ';
    out += all[i];
  }
  return out;
}

// The contents of all \boxed{…} whose braces close and that hold no further box, in order; one pass.
std::vector<std::string_view> boxes_of(std::string_view text) {
  constexpr std::string_view kOpen = "\\boxed{";
  struct Brace {
    std::size_t at;
    bool box;
    bool holds_box;
  };
  std::vector<Brace> open;
  std::vector<std::string_view> out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '{') {
      const bool box = i + 1 >= kOpen.size() && text.substr(i + 1 - kOpen.size(), kOpen.size()) == kOpen;
      open.push_back({i, box, false});
    } else if (text[i] == '}' && !open.empty()) {
      const Brace brace = open.back();
      open.pop_back();
      if (brace.box && !brace.holds_box) out.push_back(text.substr(brace.at + 1, i - brace.at - 1));
      if (!open.empty() && (brace.box || brace.holds_box)) open.back().holds_box = true;
    }
  }
  return out;
}

// The whole of a box must be one value of the type: "about 5 or 6" is no integer.
std::optional<std::string> strict(std::string_view text, AnswerType type, std::size_t words) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\n')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\n' || text.back() == '.'))
    text.remove_suffix(1);
  if (type == AnswerType::kInteger) {
    const std::size_t sign = text.starts_with('-') ? 1 : 0;
    const bool all_digits =
        text.size() > sign && std::all_of(text.begin() + static_cast<std::ptrdiff_t>(sign), text.end(),
                                          [](char c) { return is_digit(c) || c == ','; });
    if (!all_digits) return std::nullopt;
  } else if (words_of(text).size() != (type == AnswerType::kWord ? 1 : words)) {
    return std::nullopt;
  }
  return typed(text, type, words);
}

std::optional<std::string> boxed(std::string_view text, AnswerType type, std::size_t words) {
  const std::size_t end = text.rfind("</think>");
  if (end != std::string_view::npos) {
    text.remove_prefix(end + 8);
  }
  if (text.find("<think>") != std::string_view::npos) return std::nullopt;
  const std::vector<std::string_view> boxes = boxes_of(text);
  if (!boxes.empty()) {
    const auto answer = strict(boxes.back(), type, words);
    const bool agreed = std::all_of(boxes.begin(), boxes.end(),
                                    [&](std::string_view box) { return strict(box, type, words) == answer; });
    return agreed ? answer : std::nullopt;
  }
  const std::size_t close = text.rfind("</answer>");
  if (close == std::string_view::npos) return std::nullopt;
  const std::size_t open = text.substr(0, close).rfind("<answer>");
  if (open == std::string_view::npos) return std::nullopt;
  return strict(text.substr(open + 8, close - open - 8), type, words);
}

}  // namespace

std::optional<std::string> extract_answer(std::string_view text, Extraction rule, AnswerType type,
                                          std::size_t words) {
  return rule == Extraction::kBoxed ? boxed(text, type, words) : typed(text, type, words);
}

bool is_right(std::string_view text, Extraction rule, AnswerType type, std::string_view answer) {
  const auto words = static_cast<std::size_t>(std::count(answer.begin(), answer.end(), ' ')) + 1;
  return extract_answer(text, rule, type, words) == answer;
}

}  // namespace adit::answers
