// SPDX-License-Identifier: MIT
// Parts checked, and a tokenizer built of them.
#include <algorithm>

#include "common/model/tokenizer_data.hpp"
#include "common/model/tokenizer_steps.hpp"
#include "common/model/unicode_classes.hpp"
#include "common/model/unicode_forms.hpp"
#include "common/model/word_splitter.hpp"

namespace adit::model {
namespace {

// Longer tokens have too many places where they could have been joined.
constexpr std::size_t kRankedBytesMax = 256;

bool is_added(int type) {
  return type == kTokenControl || type == kTokenUserDefined || type == kTokenUnknown;
}

// <0x41> stands for a byte; -1 for any other text.
int byte_of_token(std::string_view text) {
  if (text.size() != 6 || !text.starts_with("<0x") || text[5] != '>') return -1;
  int value = 0;
  for (const char c : text.substr(3, 2)) {
    if (c >= '0' && c <= '9') {
      value = value * 16 + (c - '0');
    } else if (c >= 'A' && c <= 'F') {
      value = value * 16 + (c - 'A' + 10);
    } else {
      return -1;
    }
  }
  return value;
}

std::string replace_text(std::string_view text, std::string_view from, std::string_view to) {
  std::string out;
  out.reserve(text.size());
  std::size_t at = 0;
  for (std::size_t found = text.find(from); found != std::string_view::npos; found = text.find(from, at)) {
    out.append(text.substr(at, found - at)).append(to);
    at = found + from.size();
  }
  return out.append(text.substr(at));
}

class Builder {
 public:
  explicit Builder(TokenizerParts parts)
      : parts_(std::move(parts)), data_(std::make_shared<Tokenizer::Data>()) {}

  Result<std::shared_ptr<const Tokenizer::Data>> run() {
    ADIT_TRY(data_->steps, steps_of(parts_));
    data_->texts = std::move(parts_.tokens);
    if (const TokenId twice = data_->ids.build(data_->texts); twice >= 0) {
      return invalid_argument("tokenizer: token {}: expected a text that occurs once", twice);
    }
    tokens();
    symbols();
    ADIT_TRY_VOID(unknown());
    ADIT_TRY_VOID(parts_.ranks.empty() ? merges() : ranks());
    data_->ignore_merges = parts_.ignore_merges;
    data_->bos = parts_.bos;
    data_->eos = parts_.eos;
    data_->unk = parts_.unk;
    data_->pad = parts_.pad;
    data_->add_bos = parts_.add_bos;
    return std::shared_ptr<const Tokenizer::Data>(std::move(data_));
  }

 private:
  [[nodiscard]] TokenId find(std::string_view text) const { return data_->ids.find(data_->texts, text); }

  [[nodiscard]] std::string piece_of(const std::string& text, int type) const {
    if (is_added(type)) return text;
    if (data_->steps.byte_level) return bytes_of_alphabet(text);
    if (const int byte = byte_of_token(text); byte >= 0) return std::string(1, static_cast<char>(byte));
    return replace_text(text, "\xe2\x96\x81", " ");
  }

  void tokens() {
    const std::size_t count = data_->texts.size();
    data_->pieces.reserve(count);
    data_->special.resize(count);
    data_->normal.resize(count);
    for (std::size_t i = 0; i < count; ++i) {
      const int type = parts_.types[i];
      const std::string& text = data_->texts[i];
      data_->pieces.push_back(piece_of(text, type));
      data_->special[i] = type == kTokenControl || type == kTokenUnknown;
      data_->normal[i] = !is_added(type) && type != kTokenUnused;
      if (!is_added(type)) continue;
      const auto id = static_cast<TokenId>(i);
      const auto given = parts_.flags.find(id);
      const AddedFlags flags = given == parts_.flags.end() ? AddedFlags{} : given->second;
      const std::string wanted = flags.normalized ? normalize(data_->steps.normalizer, text) : text;
      data_->added.add(wanted, id, flags, data_->special[i]);
    }
  }

  // What a word is made of before merging.
  void symbols() {
    Bpe& bpe = data_->bpe;
    if (data_->steps.byte_level) {
      for (std::size_t byte = 0; byte < 256; ++byte) {
        bpe.set_byte(static_cast<std::uint8_t>(byte),
                     find(alphabet_of_byte(static_cast<std::uint8_t>(byte))));
      }
      return;
    }
    bpe.use_characters();
    for (std::size_t i = 0; i < data_->texts.size(); ++i) {
      const std::string& text = data_->texts[i];
      const Utf8Step step = decode_utf8(text);
      if (step.length == text.size() && !data_->special[i])
        bpe.set_character(step.code, static_cast<TokenId>(i));
      const int byte = parts_.byte_fallback ? byte_of_token(text) : -1;
      if (byte >= 0) bpe.set_fallback(static_cast<std::uint8_t>(byte), static_cast<TokenId>(i));
    }
  }

  Result<void> unknown() {
    if (parts_.unk_text.empty()) return {};
    const TokenId id = find(parts_.unk_text);
    if (id < 0)
      return invalid_argument("tokenizer: model.unk_token: '{}' is no token", parts_.unk_text.substr(0, 60));
    data_->bpe.set_unknown(id, parts_.fuse_unk);
    return {};
  }

  Result<void> merges() {
    data_->bpe.reserve(parts_.merges.size());
    std::string joined;
    for (std::size_t i = 0; i < parts_.merges.size(); ++i) {
      const std::string& merge = parts_.merges[i];
      const std::size_t space = merge.find(' ');
      if (space == std::string::npos || merge.find(' ', space + 1) != std::string::npos) {
        return invalid_argument("tokenizer: model.merges[{}]: expected two tokens", i);
      }
      joined.assign(merge, 0, space).append(merge, space + 1);
      const TokenId left = find(std::string_view(merge).substr(0, space));
      const TokenId right = find(std::string_view(merge).substr(space + 1));
      const TokenId merged = find(joined);
      if (left < 0 || right < 0 || merged < 0) {
        return invalid_argument(
            "tokenizer: model.merges[{}]: expected tokens of the vocabulary that join to one of it", i);
      }
      if (!data_->bpe.add_merge(left, right, merged)) {
        return invalid_argument("tokenizer: model.merges[{}]: expected a pair that occurs once", i);
      }
    }
    return {};
  }

  // Sentencepiece: every pair of tokens that joins to a ranked one.
  Result<void> ranks() {
    for (std::size_t i = 0; i < data_->texts.size(); ++i) {
      const std::string_view text = data_->texts[i];
      if (parts_.ranks[i] < 0) continue;
      if (text.size() > kRankedBytesMax) {
        return invalid_argument("tokenizer: token {}: {} bytes, expected at most {}", i, text.size(),
                                kRankedBytesMax);
      }
      for (std::size_t at = decode_utf8(text).length; at < text.size();
           at += decode_utf8(text.substr(at)).length) {
        const TokenId left = find(text.substr(0, at));
        const TokenId right = left < 0 ? -1 : find(text.substr(at));
        if (right < 0 || !is_joined(left) || !is_joined(right)) continue;
        static_cast<void>(data_->bpe.add_merge(left, right, static_cast<TokenId>(i),
                                               static_cast<std::uint32_t>(parts_.ranks[i])));
      }
    }
    return {};
  }
  [[nodiscard]] bool is_joined(TokenId id) const { return parts_.ranks[static_cast<std::size_t>(id)] >= 0; }

  TokenizerParts parts_;
  std::shared_ptr<Tokenizer::Data> data_;
};

Result<void> check_token(const TokenizerParts& parts, std::size_t id) {
  const std::string& token = parts.tokens[id];
  if (token.empty() || token.size() > kTokenBytesMax || !is_valid_utf8(token)) {
    return invalid_argument("tokenizer: token {}: expected 1..{} bytes of UTF-8", id, kTokenBytesMax);
  }
  const int type = parts.types[id];
  const bool byte = type == kTokenByte && parts.kind == "llama";
  if (type != kTokenNormal && !is_added(type) && type != kTokenUnused && !byte) {
    return unimplemented("tokenizer: token {}: type {}: expected 1, 2, 3, 4 or 5", id, type);
  }
  if (is_added(type) && token.size() > kAddedBytesMax) {
    return invalid_argument("tokenizer: token {}: an added token of {} bytes, at most {} are read", id,
                            token.size(), kAddedBytesMax);
  }
  return {};
}

Result<void> check_role(const TokenizerParts& parts, TokenId id, std::string_view role) {
  if (id == -1) return {};
  const bool good = id >= 0 && static_cast<std::size_t>(id) < parts.types.size() &&
                    (parts.types[static_cast<std::size_t>(id)] == kTokenControl ||
                     parts.types[static_cast<std::size_t>(id)] == kTokenUnknown);
  if (!good) return invalid_argument("tokenizer: {} id {}: expected the id of a control token", role, id);
  return {};
}

}  // namespace

std::string normalize(const std::vector<NormalizerStep>& steps, std::string_view given) {
  std::string text(given);
  for (const NormalizerStep& step : steps) {
    switch (step.kind) {
      case NormalizerStep::Kind::kNfc: text = nfc(text); break;
      case NormalizerStep::Kind::kLowercase: text = lower_case(text); break;
      case NormalizerStep::Kind::kReplace: text = replace_text(text, step.from, step.to); break;
      case NormalizerStep::Kind::kPrepend:
        if (!text.empty()) text.insert(0, step.to);
        break;
    }
  }
  return text;
}

Result<TextSteps> steps_of(const TokenizerParts& parts) {
  if (parts.steps) return *parts.steps;
  if (parts.kind == "llama") return sentencepiece_steps(true);
  const std::optional<PreSteps> pre = find_pre(parts.pre);
  if (!pre) return unimplemented("tokenizer: pre '{}': expected {}", parts.pre.substr(0, 60), pre_names());
  return pre->steps;
}

Result<void> check_parts(const TokenizerParts& parts) {
  if (parts.kind != "gpt2" && parts.kind != "llama") {
    return unimplemented("tokenizer: kind '{}': expected 'gpt2' or 'llama'", parts.kind.substr(0, 60));
  }
  ADIT_TRY(const TextSteps steps, steps_of(parts));
  ADIT_TRY_VOID(check_steps(steps));
  if (steps.byte_level != (parts.kind == "gpt2") ||
      (steps.byte_level && (parts.byte_fallback || !parts.ranks.empty()))) {
    return invalid_argument("tokenizer: kind '{}': its steps, byte_fallback or ranks are of the other kind",
                            parts.kind);
  }
  const std::size_t count = parts.tokens.size();
  if (count == 0 || count > limits::kVocabularyMax) {
    return invalid_argument("tokenizer: tokens: expected 1..{}, got {}", limits::kVocabularyMax, count);
  }
  if (parts.types.size() != count) {
    return invalid_argument("tokenizer: token types: expected {}, got {}", count, parts.types.size());
  }
  if (!parts.ranks.empty() && (parts.ranks.size() != count || !parts.merges.empty())) {
    return invalid_argument("tokenizer: ranks: expected {} and no merges, got {} and {}", count,
                            parts.ranks.size(), parts.merges.size());
  }
  if (parts.merges.size() > kMergesMax) {
    return invalid_argument("tokenizer: merges: expected at most {}, got {}", kMergesMax,
                            parts.merges.size());
  }
  for (std::size_t id = 0; id < count; ++id) ADIT_TRY_VOID(check_token(parts, id));
  const auto added = std::count_if(parts.types.begin(), parts.types.end(), is_added);
  if (added > static_cast<std::ptrdiff_t>(kAddedMax))
    return invalid_argument("tokenizer: {} added tokens, at most {} are read", added, kAddedMax);
  ADIT_TRY_VOID(check_role(parts, parts.bos, "bos"));
  return check_role(parts, parts.eos, "eos");
}

Result<std::shared_ptr<const Tokenizer::Data>> build_tokenizer(TokenizerParts parts) {
  ADIT_TRY_VOID(check_parts(parts));
  return Builder(std::move(parts)).run();
}

}  // namespace adit::model
