// SPDX-License-Identifier: MIT
// tests/support/text_corpus.hpp
//
// Seeded texts of many languages, blanks, signs, special tokens and ill-formed bytes; the same as text() makes in
// tests/conformance/tokenizer_hub.py and tokenizer_hub.mjs. Throws (failing the test) without corpus.json.
#pragma once

#include <cstdint>
#include <fstream>
#include <stdexcept>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "common/model/unicode_classes.hpp"

namespace adit::test {

// mulberry32
class SeededNumbers {
 public:
  explicit SeededNumbers(std::uint32_t seed) : state_(seed) {}
  std::uint32_t below(std::uint32_t bound) {
    state_ += 0x6d2b79f5u;
    std::uint32_t t = (state_ ^ (state_ >> 15)) * (state_ | 1u);
    t ^= t + (t ^ (t >> 7)) * (t | 61u);
    return (t ^ (t >> 14)) % bound;
  }

 private:
  std::uint32_t state_;
};

class TextCorpus {
 public:
  TextCorpus() {
    std::ifstream file(std::string(ADIT_TEST_VECTORS) + "/tokenizer/corpus.json");
    if (!file) throw std::runtime_error("tokenizer/corpus.json: cannot be opened");
    const auto root = nlohmann::json::parse(file);
    for (const auto& one : root.at("fragments")) fragments_.push_back(codes(one.get<std::string>()));
    special_ = root.at("special").get<std::vector<std::string>>();
    blanks_ = root.at("blanks").get<std::vector<std::string>>();
    emoji_ = root.at("emoji").get<std::vector<std::string>>();
    marks_ = root.at("marks").get<std::vector<std::string>>();
    endings_ = root.at("endings").get<std::vector<std::string>>();
    ranges_ = root.at("ranges").get<std::vector<std::vector<std::uint32_t>>>();
  }

  // Bytes, sometimes not UTF-8.
  [[nodiscard]] std::string text(std::uint32_t index) {
    numbers_ = SeededNumbers(0x5eedu + index * 0x9e3779b1u);
    std::string out;
    for (std::uint32_t parts = 1 + below(8); parts > 0; --parts) part(out);
    return out;
  }

 private:
  using Texts = std::vector<std::string>;

  std::uint32_t below(std::uint32_t bound) { return numbers_.below(bound); }
  const std::string& pick(const Texts& texts) {
    return texts[below(static_cast<std::uint32_t>(texts.size()))];
  }

  static Texts codes(std::string_view text) {
    Texts out;
    while (!text.empty()) {
      const auto step = model::decode_utf8(text);
      out.emplace_back(text.substr(0, step.length));
      text.remove_prefix(step.length);
    }
    return out;
  }

  void slice(std::string& out) {
    const Texts& all = fragments_[below(static_cast<std::uint32_t>(fragments_.size()))];
    const auto size = static_cast<std::uint32_t>(all.size());
    const bool whole = below(4) == 0;
    const std::uint32_t begin = whole ? 0 : below(size);
    const std::uint32_t end = whole ? size : std::min(size, begin + 1 + below(12));
    for (std::uint32_t i = begin; i < end; ++i) out += all[i];
  }

  void part(std::string& out) {
    const std::uint32_t kind = below(16);
    if (kind < 5) return slice(out);
    if (kind == 5) out += pick(special_);
    if (kind == 6) repeat(1 + below(4), [&] { out += pick(blanks_); });
    if (kind == 7) repeat(1 + below(12), [&] { out.push_back(static_cast<char>('0' + below(10))); });
    if (kind == 8) {
      const auto& range = ranges_[below(static_cast<std::uint32_t>(ranges_.size()))];
      repeat(1 + below(3), [&] { model::append_utf8(range[0] + below(range[1] - range[0] + 1), out); });
    }
    if (kind == 9) {
      const Texts& all = fragments_[below(static_cast<std::uint32_t>(fragments_.size()))];
      const std::string& one = all[below(static_cast<std::uint32_t>(all.size()))];
      repeat(1 + below(24), [&] { out += one; });
    }
    if (kind == 10) (out += '\'') += pick(endings_);
    if (kind == 11) {
      constexpr std::string_view kSigns = "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~";
      repeat(1 + below(10), [&] { out.push_back(kSigns[below(32)]); });
    }
    if (kind == 12) {
      if (below(4) == 0) {
        repeat(1 + below(5), [&] { out.push_back(static_cast<char>(below(256))); });
      } else {
        out.push_back(static_cast<char>(below(32)));
      }
    }
    if (kind == 13) {
      const char first = below(4) == 0 ? 'A' : 'a';
      repeat(1 + below(16), [&] { out.push_back(static_cast<char>(first + below(26))); });
    }
    if (kind == 14) repeat(1 + below(3), [&] { out += pick(emoji_); });
    if (kind == 15) out += pick(marks_);
  }

  template <class Act>
  static void repeat(std::uint32_t times, Act act) {
    for (; times > 0; --times) act();
  }

  SeededNumbers numbers_{0};
  std::vector<Texts> fragments_;
  Texts special_;
  Texts blanks_;
  Texts emoji_;
  Texts marks_;
  Texts endings_;
  std::vector<std::vector<std::uint32_t>> ranges_;
};

}  // namespace adit::test
