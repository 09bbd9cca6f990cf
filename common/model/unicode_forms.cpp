// SPDX-License-Identifier: MIT
#include "common/model/unicode_forms.hpp"

#include <algorithm>
#include <vector>

#include "common/model/unicode_classes.hpp"

namespace adit::model {
namespace {

// Below the first combining mark nothing decomposes or composes by itself, once composed.
constexpr char32_t kFirstActive = 0x300;
constexpr std::uint32_t kHangulFirst = 0xac00;
constexpr std::uint32_t kHangulCount = 11172;
constexpr std::uint32_t kLeadFirst = 0x1100;
constexpr std::uint32_t kLeadCount = 19;
constexpr std::uint32_t kVowelFirst = 0x1161;
constexpr std::uint32_t kVowelCount = 21;
constexpr std::uint32_t kTailFirst = 0x11a7;
constexpr std::uint32_t kTailCount = 28;

struct Piece {
  std::uint32_t code;
  std::uint8_t combining_class;
};

std::uint8_t combining_class(std::uint32_t code) {
  if (code < kFirstActive) return 0;
  const auto after =
      std::upper_bound(kCombiningRanges.begin(), kCombiningRanges.end(), code,
                       [](std::uint32_t value, const CombiningRange& range) { return value < range.first; });
  if (after == kCombiningRanges.begin()) return 0;
  const CombiningRange& range = *std::prev(after);
  return code <= range.last ? range.combining_class : 0;
}

const CodePair* decomposition(std::uint32_t code) {
  const auto found =
      std::lower_bound(kDecompositions.begin(), kDecompositions.end(), code,
                       [](const CodePair& pair, std::uint32_t value) { return pair.a < value; });
  return found != kDecompositions.end() && found->a == code ? &*found : nullptr;
}

void decompose(std::uint32_t code, std::vector<Piece>& out) {
  if (code >= kHangulFirst && code < kHangulFirst + kHangulCount) {
    const std::uint32_t index = code - kHangulFirst;
    out.push_back({kLeadFirst + index / (kVowelCount * kTailCount), 0});
    out.push_back({kVowelFirst + index % (kVowelCount * kTailCount) / kTailCount, 0});
    if (index % kTailCount != 0) out.push_back({kTailFirst + index % kTailCount, 0});
    return;
  }
  const CodePair* parts = code < 0xc0 ? nullptr : decomposition(code);
  if (parts == nullptr) {
    out.push_back({code, combining_class(code)});
    return;
  }
  decompose(parts->b, out);
  if (parts->c != 0) decompose(parts->c, out);
}

// The composite of two code points, or 0.
std::uint32_t compose(std::uint32_t first, std::uint32_t second) {
  if (first - kLeadFirst < kLeadCount && second - kVowelFirst < kVowelCount) {
    return kHangulFirst + ((first - kLeadFirst) * kVowelCount + (second - kVowelFirst)) * kTailCount;
  }
  if (first - kHangulFirst < kHangulCount && (first - kHangulFirst) % kTailCount == 0 &&
      second > kTailFirst && second < kTailFirst + kTailCount) {
    return first + (second - kTailFirst);
  }
  const auto found =
      std::lower_bound(kCompositions.begin(), kCompositions.end(), std::pair(first, second),
                       [](const CodePair& pair, const std::pair<std::uint32_t, std::uint32_t>& key) {
                         return std::pair(pair.a, pair.b) < key;
                       });
  return found != kCompositions.end() && found->a == first && found->b == second ? found->c : 0;
}

// Marks in the order of their classes; equal ones keep theirs.
void reorder(std::vector<Piece>& pieces) {
  for (std::size_t begin = 0; begin < pieces.size();) {
    if (pieces[begin].combining_class == 0) {
      ++begin;
      continue;
    }
    std::size_t end = begin;
    while (end < pieces.size() && pieces[end].combining_class != 0) ++end;
    std::stable_sort(pieces.begin() + static_cast<std::ptrdiff_t>(begin),
                     pieces.begin() + static_cast<std::ptrdiff_t>(end),
                     [](const Piece& a, const Piece& b) { return a.combining_class < b.combining_class; });
    begin = end;
  }
}

void recompose(std::vector<Piece>& pieces) {
  constexpr std::size_t kNone = SIZE_MAX;
  std::size_t starter = kNone;
  std::size_t out = 0;
  int last_class = -1;  // of what stands between the starter and here; -1: nothing
  for (const Piece piece : pieces) {
    if (starter != kNone && last_class < static_cast<int>(piece.combining_class)) {
      if (const std::uint32_t both = compose(pieces[starter].code, piece.code); both != 0) {
        pieces[starter].code = both;
        continue;
      }
    }
    pieces[out] = piece;
    if (piece.combining_class == 0) {
      starter = out;
      last_class = -1;
    } else {
      last_class = piece.combining_class;
    }
    ++out;
  }
  pieces.resize(out);
}

bool is_quiet(std::string_view text) {
  // Bytes from 0xcc on begin the code points from U+0300 on.
  return std::none_of(text.begin(), text.end(), [](char c) { return static_cast<std::uint8_t>(c) >= 0xcc; });
}

}  // namespace

std::string nfc(std::string_view text) {
  if (is_quiet(text)) return std::string(text);
  std::vector<Piece> pieces;
  pieces.reserve(text.size());
  while (!text.empty()) {
    const Utf8Step step = decode_utf8(text);
    decompose(step.code, pieces);
    text.remove_prefix(step.length);
  }
  reorder(pieces);
  recompose(pieces);
  std::string out;
  out.reserve(pieces.size() * 2);
  for (const Piece& piece : pieces) append_utf8(piece.code, out);
  return out;
}

std::string lower_case(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    const Utf8Step step = decode_utf8(text);
    text.remove_prefix(step.length);
    if (step.code == 0x130) {
      out += "i\xcc\x87";
      continue;
    }
    const auto after =
        std::upper_bound(kLowerRanges.begin(), kLowerRanges.end(), step.code,
                         [](char32_t value, const LowerRange& range) { return value < range.first; });
    std::uint32_t code = step.code;
    // Ranges of step 2 may interleave with one other.
    for (auto range = after; range != kLowerRanges.begin() && after - range < 2;) {
      --range;
      if (code <= range->last && (code - range->first) % range->step == 0) {
        code = static_cast<std::uint32_t>(static_cast<std::int32_t>(code) + range->change);
        break;
      }
    }
    append_utf8(code, out);
  }
  return out;
}

}  // namespace adit::model
