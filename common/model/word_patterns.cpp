// SPDX-License-Identifier: MIT
#include "common/model/word_patterns.hpp"

#include <algorithm>
#include <optional>

#include "common/model/word_splitter.hpp"

namespace adit::model {
namespace {

using Ends = std::vector<std::size_t>;

struct Pattern {
  Cut cut;
  std::string_view text;
};

// A run of blanks, less its last if something follows it (that one belongs to the next word): \s+(?!\S)|\s+
std::size_t blanks(const Stretch& s, std::size_t at) {
  const std::size_t to = s.run(at, [](const Code& c) { return c.kind == CodeClass::kSpace; });
  return to < s.end() && to - at > 1 ? to - 1 : to;
}

// 's|'t|'re|'ve|'m|'ll|'d, for any case if `blind` (U+017F folds to s).
std::size_t contraction(const Stretch& s, std::size_t at, bool blind) {
  if (!s.has(at, '\'') || at + 1 >= s.end()) return at;
  const auto letter = [&](std::size_t i) -> char32_t {
    if (i >= s.end()) return 0;
    const char32_t code = s.code(i);
    if (!blind) return code;
    if (code == 0x17f) return 's';
    return code >= 'A' && code <= 'Z' ? code + 0x20 : code;
  };
  const char32_t first = letter(at + 1);
  if (first == 's' || first == 't' || first == 'm' || first == 'd') return at + 2;
  const char32_t second = letter(at + 2);
  const bool two =
      (first == 'r' && second == 'e') || (first == 'v' && second == 'e') || (first == 'l' && second == 'l');
  return two ? at + 3 : at;
}

bool is_sign(CodeClass kind) {
  return kind != CodeClass::kSpace && kind != CodeClass::kLetter && kind != CodeClass::kNumber;
}

// GPT-2's pattern.
std::size_t gpt2(const Stretch& s, std::size_t at) {
  if (const std::size_t to = contraction(s, at, false); to != at) return to;
  const std::size_t first = s.has(at, ' ') ? at + 1 : at;
  if (first < s.end() && !s.is(first, CodeClass::kSpace)) {
    const bool sign = is_sign(s.kind(first));
    const CodeClass kind = s.kind(first);
    return s.run(first, [&](const Code& c) { return sign ? is_sign(c.kind) : c.kind == kind; });
  }
  return blanks(s, at);
}

// \s*[\r\n]+|\s+(?!\S)|\s+ at a blank: up to the last line end of the run, if it has one.
std::size_t lines_or_blanks(const Stretch& s, std::size_t at) {
  std::size_t to = s.run(at, [](const Code& c) { return c.kind == CodeClass::kSpace; });
  while (to > at && !s.is_line(to - 1)) --to;
  return to > at ? to : blanks(s, at);
}

// The pattern of Llama 3 (numbers of up to three digits) and Qwen2 (one).
std::size_t llama3(const Stretch& s, std::size_t at, std::size_t digits) {
  if (const std::size_t to = contraction(s, at, true); to != at) return to;
  const auto is_letter = [](const Code& c) { return c.kind == CodeClass::kLetter; };
  if (s.is(at, CodeClass::kLetter)) return s.run(at, is_letter);
  if (s.is(at + 1, CodeClass::kLetter) && !s.is_line(at) && !s.is(at, CodeClass::kNumber))
    return s.run(at + 1, is_letter);
  if (s.is(at, CodeClass::kNumber)) {
    const std::size_t most = std::min(s.end(), at + digits);
    std::size_t to = at + 1;
    while (to < most && s.is(to, CodeClass::kNumber)) ++to;
    return to;
  }
  const std::size_t first = s.has(at, ' ') ? at + 1 : at;
  const std::size_t signs = s.run(first, [](const Code& c) { return is_sign(c.kind); });
  if (signs > first) return s.run(signs, [](const Code& c) { return c.value == '\r' || c.value == '\n'; });
  return lines_or_blanks(s, at);
}

bool is_ascii_letter(const Code& c) {
  return (c.value | 0x20) >= 'a' && (c.value | 0x20) <= 'z';
}
bool is_ascii_sign(char32_t code) {
  return (code >= 0x21 && code <= 0x2f) || (code >= 0x3a && code <= 0x40) || (code >= 0x5b && code <= 0x60) ||
         (code >= 0x7b && code <= 0x7e);
}
bool is_sign_or_punctuation(CodeClass kind) {
  return kind == CodeClass::kPunctuation || kind == CodeClass::kSymbol;
}
bool is_letter_or_mark(CodeClass kind) {
  return kind == CodeClass::kLetter || kind == CodeClass::kMark;
}

// DeepSeek V3's third pattern; numbers and controls match nothing.
std::size_t deepseek_v3(const Stretch& s, std::size_t at) {
  if (is_ascii_sign(s.code(at)) && at + 1 < s.end()) {
    if (const std::size_t to = s.run(at + 1, is_ascii_letter); to > at + 1) return to;
  }
  const auto word = [](const Code& c) { return is_letter_or_mark(c.kind); };
  const CodeClass kind = s.kind(at);
  // A mark is also what may stand before; either way the run goes on to its end.
  if (is_letter_or_mark(kind)) return s.run(at, word);
  if (!s.is_line(at) && !is_sign_or_punctuation(kind)) {
    if (const std::size_t to = s.run(at + 1, word); to > at + 1) return to;
  }
  const std::size_t first = s.has(at, ' ') ? at + 1 : at;
  const std::size_t signs = s.run(first, [](const Code& c) { return is_sign_or_punctuation(c.kind); });
  if (signs > first) return s.run(signs, [](const Code& c) { return c.value == '\r' || c.value == '\n'; });
  return kind == CodeClass::kSpace ? lines_or_blanks(s, at) : at;
}

// \s?[class]+
template <class Accept>
std::size_t blank_and(const Stretch& s, std::size_t at, Accept accept) {
  const std::size_t first = s.is(at, CodeClass::kSpace) ? at + 1 : at;
  const std::size_t to = s.run(first, accept);
  if (to > first) return to;
  // The blank may be of the class itself (U+3000 in DeepSeek's).
  return s.run(at, accept);
}

bool is_alphabet(const Code& c) {
  const auto after =
      std::upper_bound(kAlphabetRanges.begin(), kAlphabetRanges.end(), c.value,
                       [](char32_t value, const CodeRange& range) { return value < range.first; });
  return after != kAlphabetRanges.begin() && c.value <= std::prev(after)->last;
}

bool is_ascii_or_cjk_sign(const Code& c) {
  const char32_t v = c.value;
  return (v >= 0x21 && v <= 0x2f) || (v >= 0x3a && v <= 0x7e) || (v >= 0xff01 && v <= 0xff0f) ||
         (v >= 0xff1a && v <= 0xff5e) || (v >= 0x2018 && v <= 0x201f) || (v >= 0x3000 && v <= 0x3002);
}

bool is_cjk(const Code& c) {
  return (c.value >= 0x800 && c.value <= 0x9fa5) || (c.value >= 0xac00 && c.value <= 0xd7ff);
}
bool is_cjk_v3(const Code& c) {
  return (c.value >= 0x4e00 && c.value <= 0x9fa5) || (c.value >= 0x3040 && c.value <= 0x30ff);
}

// \s+$ of a piece without line ends inside.
void cut_trailing_blanks(const Stretch& s, Ends& ends) {
  std::size_t from = s.end();
  while (from > s.begin() && s.kind(from - 1) == CodeClass::kSpace) --from;
  if (from > s.begin() && from < s.end()) ends.push_back(from);
  ends.push_back(s.end());
}

constexpr Pattern kPatterns[] = {
    {Cut::kGpt2, R"('s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+)"},
    {Cut::kLlama3, R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|)"
                   R"(\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)"},
    {Cut::kQwen2, R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|)"
                  R"(\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)"},
    {Cut::kDigits3, R"(\p{N}{1,3})"},
    {Cut::kCjkV3, "[\u4e00-\u9fa5\u3040-\u309f\u30a0-\u30ff]+"},
    {Cut::kDeepseekV3,
     "[!\"#$%&'()*+,\\-./:;<=>?@\\[\\\\\\]^_`{|}~][A-Za-z]+|[^\r\n\\p{L}\\p{P}\\p{S}]?[\\p{L}\\p{M}]+|"
     " ?[\\p{P}\\p{S}]+[\r\n]*|\\s*[\r\n]+|\\s+(?!\\S)|\\s+"},
    {Cut::kLine, "[\r\n]"},
    {Cut::kAsciiSigns, "\\s?[!-/:-~\uff01-\uff0f\uff1a-\uff5e\u2018-\u201f\u3000-\u3002]+"},
    {Cut::kTrailingBlanks, R"(\s+$)"},
    {Cut::kCjk, "[\u4e00-\u9fa5\u0800-\u4e00\uac00-\ud7ff]+"},
    {Cut::kLetters, R"(\s?\p{L}+)"},
    {Cut::kPunctuation, R"(\s?\p{P}+)"},
};

}  // namespace

std::string_view pattern_of(Cut cut) {
  if (cut == Cut::kAlphabet) return kAlphabetPattern;
  for (const Pattern& pattern : kPatterns) {
    if (pattern.cut == cut) return pattern.text;
  }
  return {};
}

std::optional<Cut> find_cut(std::string_view text) {
  if (text == kAlphabetPattern) return Cut::kAlphabet;
  for (const Pattern& pattern : kPatterns) {
    if (pattern.text == text) return pattern.cut;
  }
  return std::nullopt;
}

void cut_piece(Cut cut, const Stretch& s, Ends& ends) {
  const auto by = [&](auto match) { cut_runs(s, [&](std::size_t at) { return match(s, at); }, ends); };
  const auto runs = [&](auto accept) {
    cut_runs(s, [&](std::size_t at) { return s.run(at, accept); }, ends);
  };
  const auto words = [&](auto accept) {
    cut_runs(s, [&](std::size_t at) { return blank_and(s, at, accept); }, ends);
  };
  switch (cut) {
    case Cut::kGpt2: return by(gpt2);
    case Cut::kLlama3: return by([](const Stretch& t, std::size_t at) { return llama3(t, at, 3); });
    case Cut::kQwen2: return by([](const Stretch& t, std::size_t at) { return llama3(t, at, 1); });
    case Cut::kDigits3:
      return cut_runs(
          s,
          [&](std::size_t at) {
            std::size_t to = at;
            while (to < at + 3 && s.is(to, CodeClass::kNumber)) ++to;
            return to;
          },
          ends);
    case Cut::kCjkV3: return runs(is_cjk_v3);
    case Cut::kDeepseekV3: return by(deepseek_v3);
    case Cut::kLine: return cut_runs(s, [&](std::size_t at) { return s.is_line(at) ? at + 1 : at; }, ends);
    case Cut::kAlphabet: return words(is_alphabet);
    case Cut::kAsciiSigns: return words(is_ascii_or_cjk_sign);
    case Cut::kTrailingBlanks: return cut_trailing_blanks(s, ends);
    case Cut::kCjk: return runs(is_cjk);
    case Cut::kLetters: return words([](const Code& c) { return c.kind == CodeClass::kLetter; });
    case Cut::kPunctuation: return words([](const Code& c) { return c.kind == CodeClass::kPunctuation; });
  }
}

}  // namespace adit::model
