// SPDX-License-Identifier: MIT
// The tokenizer and the chat template of a GGUF file (tokenizer.ggml.*).
#include <algorithm>
#include <cmath>

#include <climits>

#include "common/model/gguf_model.hpp"
#include "common/model/tokenizer_steps.hpp"
#include "common/model/word_splitter.hpp"

namespace adit::model {
namespace {

Result<TokenId> token_or(const Gguf& gguf, const std::string& name, TokenId absent) {
  const std::string key = "tokenizer.ggml." + name;
  if (!gguf.has(key)) return absent;
  ADIT_TRY(const std::uint64_t value, gguf.unsigned_at(key));
  if (value > INT_MAX) return invalid_argument("{}: key {}: {} is too large", gguf.label(), key, value);
  return static_cast<TokenId>(value);
}

Result<bool> flag_or(const Gguf& gguf, const std::string& name, bool absent) {
  const std::string key = "tokenizer.ggml." + name;
  if (!gguf.has(key)) return absent;
  return gguf.bool_at(key);
}

// Scores in order: the best is 0, equal ones are equal.
Result<std::vector<std::int32_t>> ranks_of(const Gguf& gguf, const std::vector<int>& types) {
  ADIT_TRY(const std::vector<double> scores, gguf.numbers_at("tokenizer.ggml.scores"));
  if (scores.size() != types.size()) {
    return invalid_argument("{}: key tokenizer.ggml.scores: {} entries, expected {}", gguf.label(),
                            scores.size(), types.size());
  }
  std::vector<double> order;
  for (std::size_t i = 0; i < scores.size(); ++i) {
    if (std::isnan(scores[i]))
      return invalid_argument("{}: key tokenizer.ggml.scores: entry {} is not a number", gguf.label(), i);
    if (types[i] == kTokenNormal || types[i] == kTokenUserDefined) order.push_back(scores[i]);
  }
  std::sort(order.begin(), order.end(), std::greater<>());
  order.erase(std::unique(order.begin(), order.end()), order.end());
  std::vector<std::int32_t> out(scores.size(), -1);
  for (std::size_t i = 0; i < scores.size(); ++i) {
    if (types[i] != kTokenNormal && types[i] != kTokenUserDefined) continue;
    const auto place = std::lower_bound(order.begin(), order.end(), scores[i], std::greater<>());
    out[i] = static_cast<std::int32_t>(place - order.begin());
  }
  return out;
}

// Sentencepiece, as llama.cpp's kind "llama" reads it.
Result<void> read_sentencepiece(const Gguf& gguf, TokenizerParts& parts) {
  if (gguf.has("tokenizer.ggml.merges")) {
    return unimplemented("{}: key tokenizer.ggml.merges: merges beside scores", gguf.label());
  }
  ADIT_TRY(const bool tidy, flag_or(gguf, "remove_extra_whitespaces", false));
  if (tidy)
    return unimplemented("{}: key tokenizer.ggml.remove_extra_whitespaces: true, expected false",
                         gguf.label());
  ADIT_TRY(const bool space_prefix, flag_or(gguf, "add_space_prefix", true));
  ADIT_TRY(parts.add_bos, flag_or(gguf, "add_bos_token", true));
  ADIT_TRY(parts.ranks, ranks_of(gguf, parts.types));
  parts.pre.clear();
  parts.steps = sentencepiece_steps(space_prefix);
  parts.byte_fallback = true;
  parts.fuse_unk = true;
  const auto unk = static_cast<std::size_t>(parts.unk);
  if (parts.unk >= 0 && unk < parts.tokens.size()) parts.unk_text = parts.tokens[unk];
  return {};
}

Result<void> read_byte_level(const Gguf& gguf, TokenizerParts& parts) {
  ADIT_TRY(parts.pre, gguf.string_at("tokenizer.ggml.pre"));
  const std::optional<PreSteps> pre = find_pre(parts.pre);
  if (!pre) {
    return unimplemented("{}: key tokenizer.ggml.pre: '{}', expected {}", gguf.label(),
                         parts.pre.substr(0, 60), pre_names());
  }
  parts.ignore_merges = pre->ignore_merges;
  ADIT_TRY(parts.add_bos, flag_or(gguf, "add_bos_token", pre->add_bos));
  ADIT_TRY(parts.merges, gguf.strings_at("tokenizer.ggml.merges"));
  return {};
}

}  // namespace

Result<TokenizerParts> tokenizer_from_gguf(const Gguf& gguf) {
  TokenizerParts parts;
  ADIT_TRY(parts.kind, gguf.string_at("tokenizer.ggml.model"));
  ADIT_TRY(parts.tokens, gguf.strings_at("tokenizer.ggml.tokens"));
  ADIT_TRY(const std::vector<std::int64_t> types, gguf.integers_at("tokenizer.ggml.token_type"));
  for (const std::int64_t type : types)
    parts.types.push_back(static_cast<int>(std::clamp<std::int64_t>(type, -1, 99)));
  if (parts.types.size() != parts.tokens.size()) {
    return invalid_argument("{}: key tokenizer.ggml.token_type: {} entries, expected {}", gguf.label(),
                            types.size(), parts.tokens.size());
  }
  ADIT_TRY(parts.bos, token_or(gguf, "bos_token_id", -1));
  ADIT_TRY(parts.eos, token_or(gguf, "eos_token_id", -1));
  ADIT_TRY(parts.unk, token_or(gguf, "unknown_token_id", -1));
  ADIT_TRY(parts.pad, token_or(gguf, "padding_token_id", -1));
  ADIT_TRY(const bool add_eos, flag_or(gguf, "add_eos_token", false));
  if (add_eos)
    return unimplemented("{}: key tokenizer.ggml.add_eos_token: true, expected false", gguf.label());
  if (parts.kind == "gpt2") {
    ADIT_TRY_VOID(read_byte_level(gguf, parts));
  } else if (parts.kind == "llama") {
    ADIT_TRY_VOID(read_sentencepiece(gguf, parts));
  } else {
    return unimplemented("{}: key tokenizer.ggml.model: '{}', expected gpt2 or llama", gguf.label(),
                         parts.kind.substr(0, 60));
  }
  return parts;
}

Result<std::string> chat_template_from_gguf(const Gguf& gguf) {
  if (!gguf.has("tokenizer.chat_template")) return std::string();
  return gguf.string_at("tokenizer.chat_template");
}

}  // namespace adit::model
