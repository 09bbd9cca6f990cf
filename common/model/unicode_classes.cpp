// SPDX-License-Identifier: MIT
#include "common/model/unicode_classes.hpp"

#include <algorithm>
#include <cstring>
#include <vector>

namespace adit::model {
namespace {

constexpr std::string_view kReplacement = "\xef\xbf\xbd";
constexpr char32_t kReplacementCode = 0xfffd;

template <std::size_t N>
bool holds(const std::array<CodeRange, N>& ranges, char32_t code) {
  const auto after =
      std::upper_bound(ranges.begin(), ranges.end(), code,
                       [](char32_t value, const CodeRange& range) { return value < range.first; });
  return after != ranges.begin() && code <= std::prev(after)->last;
}

// Code points below this one are looked up in a table, the others by search.
constexpr char32_t kBasicEnd = 0x10000;

template <std::size_t N>
void fill(std::vector<CodeClass>& table, const std::array<CodeRange, N>& ranges, CodeClass kind) {
  for (const CodeRange& range : ranges) {
    for (std::uint32_t code = range.first; code <= range.last && code < kBasicEnd; ++code) table[code] = kind;
  }
}

bool is_space(char32_t code) {
  return (code >= 0x9 && code <= 0xd) || code == 0x20 || code == 0x85 || code == 0xa0 || code == 0x1680 ||
         (code >= 0x2000 && code <= 0x200a) || code == 0x2028 || code == 0x2029 || code == 0x202f ||
         code == 0x205f || code == 0x3000;
}

// What the first byte of a sequence allows: its length and the range of the second byte.
struct Lead {
  std::uint8_t length;
  std::uint8_t second_min;
  std::uint8_t second_max;
};

Lead lead_of(std::uint8_t byte) {
  if (byte >= 0xc2 && byte <= 0xdf) return {2, 0x80, 0xbf};
  if (byte == 0xe0) return {3, 0xa0, 0xbf};
  if (byte == 0xed) return {3, 0x80, 0x9f};
  if (byte >= 0xe1 && byte <= 0xef) return {3, 0x80, 0xbf};
  if (byte == 0xf0) return {4, 0x90, 0xbf};
  if (byte >= 0xf1 && byte <= 0xf3) return {4, 0x80, 0xbf};
  if (byte == 0xf4) return {4, 0x80, 0x8f};
  return {0, 0, 0};
}

// How many bytes of ASCII stand at the beginning.
std::size_t ascii_prefix(std::string_view bytes) {
  std::size_t at = 0;
  for (; at + 8 <= bytes.size(); at += 8) {
    std::uint64_t eight = 0;
    std::memcpy(&eight, bytes.data() + at, 8);
    if ((eight & 0x8080808080808080u) != 0) break;
  }
  while (at < bytes.size() && static_cast<std::uint8_t>(bytes[at]) < 0x80) ++at;
  return at;
}

}  // namespace

CodeClass class_of(char32_t code) {
  static const std::vector<CodeClass> basic = [] {
    std::vector<CodeClass> out(kBasicEnd);
    for (char32_t i = 0; i < kBasicEnd; ++i) out[i] = is_space(i) ? CodeClass::kSpace : CodeClass::kOther;
    fill(out, kLetterRanges, CodeClass::kLetter);
    fill(out, kNumberRanges, CodeClass::kNumber);
    fill(out, kMarkRanges, CodeClass::kMark);
    fill(out, kPunctuationRanges, CodeClass::kPunctuation);
    fill(out, kSymbolRanges, CodeClass::kSymbol);
    return out;
  }();
  if (code < kBasicEnd) return basic[code];
  if (holds(kLetterRanges, code)) return CodeClass::kLetter;
  if (holds(kSymbolRanges, code)) return CodeClass::kSymbol;
  if (holds(kMarkRanges, code)) return CodeClass::kMark;
  if (holds(kNumberRanges, code)) return CodeClass::kNumber;
  return holds(kPunctuationRanges, code) ? CodeClass::kPunctuation : CodeClass::kOther;
}

void append_utf8(char32_t code, std::string& out) {
  const auto tail = [&](int shift) { out.push_back(static_cast<char>(0x80 | ((code >> shift) & 0x3f))); };
  if (code < 0x80) {
    out.push_back(static_cast<char>(code));
  } else if (code < 0x800) {
    out.push_back(static_cast<char>(0xc0 | (code >> 6)));
    tail(0);
  } else if (code < 0x10000) {
    out.push_back(static_cast<char>(0xe0 | (code >> 12)));
    tail(6);
    tail(0);
  } else {
    out.push_back(static_cast<char>(0xf0 | (code >> 18)));
    tail(12);
    tail(6);
    tail(0);
  }
}

Utf8Step decode_utf8(std::string_view bytes) {
  const auto at = [bytes](std::size_t i) { return static_cast<std::uint8_t>(bytes[i]); };
  const std::uint8_t first = at(0);
  if (first < 0x80) return {Utf8Step::Kind::kCode, 1, first};
  const Lead lead = lead_of(first);
  if (lead.length == 0) return {Utf8Step::Kind::kIllFormed, 1, kReplacementCode};
  char32_t code = first & (0xffu >> (lead.length + 1));
  for (std::uint8_t i = 1; i < lead.length; ++i) {
    if (i == bytes.size()) return {Utf8Step::Kind::kUnfinished, i, kReplacementCode};
    const std::uint8_t min = i == 1 ? lead.second_min : 0x80;
    const std::uint8_t max = i == 1 ? lead.second_max : 0xbf;
    if (at(i) < min || at(i) > max) return {Utf8Step::Kind::kIllFormed, i, kReplacementCode};
    code = (code << 6) | (at(i) & 0x3fu);
  }
  return {Utf8Step::Kind::kCode, lead.length, code};
}

std::string to_valid_utf8(std::string_view bytes) {
  std::string out;
  out.reserve(bytes.size());
  while (!bytes.empty()) {
    const Utf8Step step = decode_utf8(bytes);
    out += step.kind == Utf8Step::Kind::kCode ? bytes.substr(0, step.length) : kReplacement;
    bytes.remove_prefix(step.length);
  }
  return out;
}

bool is_valid_utf8(std::string_view bytes) {
  while (true) {
    bytes.remove_prefix(ascii_prefix(bytes));
    if (bytes.empty()) return true;
    const Utf8Step step = decode_utf8(bytes);
    if (step.kind != Utf8Step::Kind::kCode) return false;
    bytes.remove_prefix(step.length);
  }
}

}  // namespace adit::model
