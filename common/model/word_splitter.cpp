// SPDX-License-Identifier: MIT
#include "common/model/word_splitter.hpp"

#include <array>

#include "common/model/unicode_classes.hpp"

namespace adit::model {
namespace {

// A code point, its class and where it ends.
struct Code {
  CodeClass kind;
  char32_t value;
  std::size_t end;
};

std::vector<Code> classify(std::string_view text) {
  std::vector<Code> codes;
  codes.reserve(text.size());
  std::size_t at = 0;
  while (at < text.size()) {
    const Utf8Step step = decode_utf8(text.substr(at));
    at += step.length;
    codes.push_back({class_of(step.code), step.code, at});
  }
  return codes;
}

// A stretch [begin, end) of code points, matched on its own: nothing looks beyond it.
class Stretch {
 public:
  Stretch(const std::vector<Code>& codes, std::size_t begin, std::size_t end)
      : codes_(codes), at_(begin), end_(end) {}

  [[nodiscard]] bool done() const { return at_ == end_; }
  // The end of the next word; the alternatives of the pattern in their order.
  std::size_t next() {
    std::size_t to = contraction();
    if (to == at_) to = run();
    if (to == at_) to = blanks();
    at_ = to;
    return to;
  }

 private:
  [[nodiscard]] bool is(std::size_t i, char32_t value) const { return i < end_ && codes_[i].value == value; }

  [[nodiscard]] std::size_t contraction() const {
    if (!is(at_, '\'')) return at_;
    for (const char32_t one : {U's', U't', U'm', U'd'}) {
      if (is(at_ + 1, one)) return at_ + 2;
    }
    constexpr std::array<std::array<char32_t, 2>, 3> kPairs{{{'r', 'e'}, {'v', 'e'}, {'l', 'l'}}};
    for (const auto& pair : kPairs) {
      if (is(at_ + 1, pair[0]) && is(at_ + 2, pair[1])) return at_ + 3;
    }
    return at_;
  }

  // ` ?` and a run of one class that is not blank.
  [[nodiscard]] std::size_t run() const {
    const std::size_t first = is(at_, ' ') ? at_ + 1 : at_;
    if (first >= end_ || codes_[first].kind == CodeClass::kSpace) return at_;
    std::size_t to = first + 1;
    while (to < end_ && codes_[to].kind == codes_[first].kind) ++to;
    return to;
  }

  // A run of blanks, less its last if something follows it (that one belongs to the next word).
  [[nodiscard]] std::size_t blanks() const {
    std::size_t to = at_;
    while (to < end_ && codes_[to].kind == CodeClass::kSpace) ++to;
    return to < end_ && to - at_ > 1 ? to - 1 : to;
  }

  const std::vector<Code>& codes_;
  std::size_t at_;
  std::size_t end_;
};

}  // namespace

std::string_view name(PreTokenizer pre) {
  switch (pre) {
    case PreTokenizer::kGpt2: return "gpt-2";
    case PreTokenizer::kSmollm: return "smollm";
  }
  return "";
}

std::optional<PreTokenizer> find_pre_tokenizer(std::string_view gguf_name) {
  for (const PreTokenizer pre : {PreTokenizer::kGpt2, PreTokenizer::kSmollm}) {
    if (name(pre) == gguf_name) return pre;
  }
  return std::nullopt;
}

std::vector<std::string_view> split_words(PreTokenizer pre, std::string_view text) {
  const std::vector<Code> codes = classify(text);
  std::vector<std::string_view> words;
  std::size_t byte = 0;
  std::size_t begin = 0;
  while (begin < codes.size()) {
    std::size_t end = codes.size();
    if (pre == PreTokenizer::kSmollm) {
      end = begin;
      while (end < codes.size() && codes[end].kind != CodeClass::kNumber) ++end;
      if (end == begin) ++end;
    }
    Stretch stretch(codes, begin, end);
    while (!stretch.done()) {
      const std::size_t to = codes[stretch.next() - 1].end;
      words.push_back(text.substr(byte, to - byte));
      byte = to;
    }
    begin = end;
  }
  return words;
}

}  // namespace adit::model
