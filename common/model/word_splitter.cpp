// SPDX-License-Identifier: MIT
#include "common/model/word_splitter.hpp"

#include "common/model/unicode_classes.hpp"
#include "common/model/word_patterns.hpp"

namespace adit::model {
namespace {

constexpr std::string_view kMeta = "\xe2\x96\x81";

std::vector<Code> classify(std::string_view text) {
  std::vector<Code> codes;
  codes.reserve(text.size());
  std::size_t at = 0;
  while (at < text.size()) {
    const Utf8Step step = decode_utf8(text.substr(at));
    at += step.length;
    codes.push_back({step.code, class_of(step.code), static_cast<std::uint32_t>(at)});
  }
  return codes;
}

// A text in pieces; both ends of a piece count code points.
class Pieces {
 public:
  explicit Pieces(std::string_view text) : text_(text), codes_(classify(text)) {
    if (!codes_.empty()) ends_ = {codes_.size()};
  }

  void cut(Cut pattern) {
    each([&](const Stretch& piece, std::vector<std::size_t>& ends) { cut_piece(pattern, piece, ends); });
  }
  void digits(bool individual) {
    each([&](const Stretch& piece, std::vector<std::size_t>& ends) {
      cut_runs(
          piece,
          [&](std::size_t at) {
            std::size_t to = at;
            while (piece.is(to, CodeClass::kNumber) && (!individual || to == at)) ++to;
            return to;
          },
          ends);
    });
  }

  // Puts a blank before every piece that does not begin with one.
  void prefix_blank() {
    rebuild([](std::string_view piece, bool /*first*/) { return piece.starts_with(' ') ? "" : " "; },
            [](std::string_view piece, std::string& out) { out += piece; });
  }

  void metaspace(const WordStep& step, bool text_first) {
    const auto before = [&](std::string_view piece, bool first) -> std::string_view {
      if (piece.starts_with(' ') || piece.starts_with(kMeta) || step.prepend == WordStep::Prepend::kNever)
        return "";
      return step.prepend == WordStep::Prepend::kAlways || (first && text_first) ? kMeta : "";
    };
    rebuild(before, [](std::string_view piece, std::string& out) {
      for (const char c : piece) c == ' ' ? out += kMeta : out += c;
    });
    if (!step.flag) return;
    each([](const Stretch& piece, std::vector<std::size_t>& ends) {
      for (std::size_t i = piece.begin() + 1; i < piece.end(); ++i) {
        if (piece.code(i) == 0x2581) ends.push_back(i);
      }
      ends.push_back(piece.end());
    });
  }

  void give(std::string_view original, Words& out) {
    out.ends.clear();
    for (const std::size_t end : ends_) out.ends.push_back(codes_[end - 1].end);
    out.changed = std::move(changed_);
    out.text = is_changed_ ? std::string_view(out.changed) : original;
  }

 private:
  template <class Split>
  void each(Split split) {
    std::vector<std::size_t> ends;
    ends.reserve(ends_.size() * 2);
    std::size_t begin = 0;
    for (const std::size_t end : ends_) {
      split(Stretch(codes_, begin, end), ends);
      begin = end;
    }
    ends_ = std::move(ends);
  }

  template <class Before, class Copy>
  void rebuild(Before before, Copy copy) {
    std::string out;
    out.reserve(text_.size() + 16);
    std::vector<std::size_t> byte_ends;
    std::size_t begin = 0;
    for (const std::size_t end : ends_) {
      const std::string_view piece = text_.substr(begin, codes_[end - 1].end - begin);
      out += before(piece, begin == 0);
      copy(piece, out);
      byte_ends.push_back(out.size());
      begin = codes_[end - 1].end;
    }
    changed_ = std::move(out);
    is_changed_ = true;
    text_ = changed_;
    codes_ = classify(text_);
    std::size_t code = 0;
    for (std::size_t i = 0; i < ends_.size(); ++i) {
      while (codes_[code].end < byte_ends[i]) ++code;
      ends_[i] = ++code;
    }
  }

  std::string_view text_;
  std::string changed_;
  bool is_changed_ = false;
  std::vector<Code> codes_;
  std::vector<std::size_t> ends_;
};

WordStep cut_step(Cut cut) {
  return {WordStep::Kind::kCut, cut, false, WordStep::Prepend::kNever};
}
WordStep byte_level(bool use_regex) {
  return {WordStep::Kind::kByteLevel, Cut::kGpt2, use_regex, WordStep::Prepend::kNever};
}
WordStep single_digits() {
  return {WordStep::Kind::kDigits, Cut::kGpt2, true, WordStep::Prepend::kNever};
}

PreSteps cuts(std::initializer_list<Cut> given, bool digits) {
  PreSteps out;
  for (const Cut cut : given) out.steps.words.push_back(cut_step(cut));
  if (digits) out.steps.words.push_back(single_digits());
  out.steps.words.push_back(byte_level(false));
  return out;
}

}  // namespace

std::optional<PreSteps> find_pre(std::string_view name) {
  PreSteps out;
  if (name == "gpt-2") {
    out.steps.words = {byte_level(true)};
    return out;
  }
  if (name == "smollm") {
    out.steps.words = {single_digits(), byte_level(true)};
    return out;
  }
  if (name == "llama-bpe" || name == "llama3" || name == "llama-v3") {
    out = cuts({Cut::kLlama3}, false);
    out.ignore_merges = true;
    out.add_bos = true;
    return out;
  }
  if (name == "qwen2" || name == "deepseek-r1-qwen") {
    out = cuts({Cut::kQwen2}, false);
    out.steps.normalizer = {{NormalizerStep::Kind::kNfc, "", ""}};
    return out;
  }
  if (name == "deepseek-llm") {
    return cuts({Cut::kLine, Cut::kAlphabet, Cut::kAsciiSigns, Cut::kTrailingBlanks, Cut::kCjk}, true);
  }
  if (name == "deepseek-coder") {
    return cuts({Cut::kLine, Cut::kLetters, Cut::kPunctuation, Cut::kCjk}, true);
  }
  if (name == "deepseek-v3") return cuts({Cut::kDigits3, Cut::kCjkV3, Cut::kDeepseekV3}, false);
  return std::nullopt;
}

std::string_view pre_names() {
  return "smollm, gpt-2, llama-bpe, qwen2, deepseek-llm, deepseek-coder, deepseek-v3 or deepseek-r1-qwen";
}

void split_words(std::span<const WordStep> steps, std::string_view text, bool first, Words& out) {
  Pieces pieces(text);
  for (const WordStep& step : steps) {
    switch (step.kind) {
      case WordStep::Kind::kCut: pieces.cut(step.cut); break;
      case WordStep::Kind::kDigits: pieces.digits(step.flag); break;
      case WordStep::Kind::kMetaspace: pieces.metaspace(step, first); break;
      case WordStep::Kind::kByteLevel:
        if (step.prepend == WordStep::Prepend::kAlways) pieces.prefix_blank();
        if (step.flag) pieces.cut(Cut::kGpt2);
        break;
    }
  }
  pieces.give(text, out);
}

}  // namespace adit::model
