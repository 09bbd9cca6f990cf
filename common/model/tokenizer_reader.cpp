// SPDX-License-Identifier: MIT
#include "common/model/tokenizer_reader.hpp"

#include <set>

#include "common/base/limits.hpp"
#include "common/model/json_scanner.hpp"
#include "common/model/tokenizer_data.hpp"
#include "common/model/tokenizer_steps.hpp"
#include "common/model/unicode_classes.hpp"

namespace adit::model {
namespace {

tl::unexpected<Error> wrong(std::string_view key, std::string_view expected) {
  return invalid_argument("tokenizer: {}: expected {}", key, expected);
}

bool is_id(std::int64_t id) {
  return id >= 0 && id < static_cast<std::int64_t>(limits::kVocabularyMax);
}

class Reader {
 public:
  explicit Reader(std::string_view text) : in_(text) {}

  Result<TokenizerParts> run() {
    if (!in_.next_is('{')) return wrong("the file", "a JSON object");
    if (!in_.object()) return broken();
    std::set<std::string> seen;
    std::string key;
    while (in_.more()) {
      if (!in_.key(key)) return broken();
      ADIT_TRY_VOID(once(seen, key, ""));
      ADIT_TRY_VOID(section(key));
    }
    if (in_.failed() || !in_.done()) return broken();
    ADIT_TRY_VOID(finish());
    return std::move(parts_);
  }

 private:
  [[nodiscard]] tl::unexpected<Error> broken() const {
    return invalid_argument("tokenizer: {}", in_.error());
  }

  static Result<void> once(std::set<std::string>& seen, const std::string& key, std::string_view path) {
    if (seen.size() > 256) return wrong("the file", "at most 256 keys in an object");
    if (!seen.insert(key).second)
      return wrong(std::string(path) + key.substr(0, 80), "a key that occurs once");
    return {};
  }

  Result<void> section(const std::string& key) {
    if (key == "model") return model();
    if (key == "added_tokens") return added_tokens();
    std::string_view text;
    if (!in_.raw(text)) return broken();
    if (key == "normalizer") {
      ADIT_TRY(steps_.normalizer, read_normalizer(text));
    } else if (key == "pre_tokenizer") {
      ADIT_TRY(steps_.words, read_pre_tokenizer(text));
    } else if (key == "decoder") {
      ADIT_TRY_VOID(read_decoder(text, steps_));
      has_decoder_ = true;
    } else if (key == "post_processor") {
      ADIT_TRY(template_bos_, read_post_processor(text));
    } else if (key != "version" && key != "truncation" && key != "padding") {
      return unimplemented("tokenizer: {}: an unknown key", key.substr(0, 80));
    }
    return {};
  }

  Result<void> model() {
    if (!in_.object()) return broken();
    std::set<std::string> seen;
    std::string key;
    while (in_.more()) {
      if (!in_.key(key)) return broken();
      ADIT_TRY_VOID(once(seen, key, "model."));
      if (key == "vocab") {
        ADIT_TRY_VOID(vocabulary());
      } else if (key == "merges") {
        ADIT_TRY_VOID(merges());
      } else if (key == "adit_ranks") {
        ADIT_TRY_VOID(ranks());
      } else {
        ADIT_TRY_VOID(option(key));
      }
    }
    if (in_.failed()) return broken();
    if (!seen.contains("vocab")) return wrong("model.vocab", "an object");
    return {};
  }

  Result<void> option(const std::string& key) {
    std::string_view text;
    if (!in_.raw(text)) return broken();
    const bool unset = text == "null" || text == "false" || text == "\"\"";
    const auto flag = [&](bool& out) -> Result<void> {
      if (!unset && text != "true") return wrong("model." + key, "true or false");
      out = !unset;
      return {};
    };
    if (key == "byte_fallback") return flag(parts_.byte_fallback);
    if (key == "ignore_merges") return flag(parts_.ignore_merges);
    if (key == "fuse_unk") return flag(parts_.fuse_unk);
    if (key == "type") {
      if (text != "\"BPE\"")
        return unimplemented("tokenizer: model.type: {}: expected 'BPE'", text.substr(0, 60));
      return {};
    }
    if (key == "unk_token") {
      JsonScanner scanner(text);
      if (!unset && !scanner.string(parts_.unk_text)) return wrong("model.unk_token", "a text or null");
      return {};
    }
    if (key == "dropout" || key == "continuing_subword_prefix" || key == "end_of_word_suffix") {
      if (unset || text == "0.0" || text == "0") return {};
      return unimplemented("tokenizer: model.{}: {}: expected it unset", key, text.substr(0, 60));
    }
    return unimplemented("tokenizer: model.{}: an unknown key", key.substr(0, 80));
  }

  Result<void> set_token(std::string& text, std::int64_t id, int type) {
    const auto index = static_cast<std::size_t>(id);
    if (index >= parts_.tokens.size()) {
      parts_.tokens.resize(index + 1);
      parts_.types.resize(index + 1, kTokenUnused);
    }
    std::string& here = parts_.tokens[index];
    if (text.empty()) return wrong(fmt::format("token {}", id), "a text that is not empty");
    if (!here.empty() && (type == kTokenNormal || here != text)) {
      return wrong(fmt::format("token {}", id), "an id that occurs once");
    }
    here.swap(text);
    parts_.types[index] = type;
    return {};
  }

  Result<void> vocabulary() {
    if (!in_.next_is('{')) return wrong("model.vocab", "an object");
    if (!in_.object()) return broken();
    std::string text;
    while (in_.more()) {
      std::int64_t id = 0;
      if (!in_.key(text)) return broken();
      if (!in_.integer(id) || !is_id(id))
        return wrong("model.vocab", fmt::format("ids below {}", limits::kVocabularyMax));
      // Added tokens may come first in the file.
      if (static_cast<std::size_t>(id) < added_.size() && added_[static_cast<std::size_t>(id)]) {
        if (parts_.tokens[static_cast<std::size_t>(id)] != text)
          return wrong(fmt::format("token {}", id), "an id that occurs once");
        continue;
      }
      ADIT_TRY_VOID(set_token(text, id, kTokenNormal));
    }
    return in_.failed() ? Result<void>(broken()) : Result<void>();
  }

  Result<void> merges() {
    if (!in_.next_is('[')) return wrong("model.merges", "a list");
    if (!in_.array()) return broken();
    std::string left;
    std::string right;
    while (in_.more()) {
      const auto where = [&] { return fmt::format("model.merges[{}]", parts_.merges.size()); };
      if (parts_.merges.size() >= kMergesMax)
        return wrong("model.merges", fmt::format("at most {} items", kMergesMax));
      if (in_.next_is('[')) {
        const bool pair =
            in_.array() && in_.more() && in_.string(left) && in_.more() && in_.string(right) && !in_.more();
        if (!pair || in_.failed()) return in_.failed() ? broken() : wrong(where(), "two tokens");
        if (left.find(' ') != std::string::npos || right.find(' ') != std::string::npos) {
          return unimplemented("tokenizer: {}: tokens with a blank", where());
        }
        left += ' ';
        left += right;
      } else if (!in_.next_is('"') || !in_.string(left)) {
        return wrong(where(), "two tokens");
      }
      parts_.merges.push_back(left);
    }
    return in_.failed() ? Result<void>(broken()) : Result<void>();
  }

  Result<void> ranks() {
    if (!in_.array()) return broken();
    while (in_.more()) {
      std::int64_t rank = 0;
      if (!in_.integer(rank)) return broken();
      if (rank < -1 || rank > static_cast<std::int64_t>(limits::kVocabularyMax) ||
          parts_.ranks.size() >= limits::kVocabularyMax) {
        return wrong("model.adit_ranks", "a number for each token");
      }
      parts_.ranks.push_back(static_cast<std::int32_t>(rank));
    }
    return in_.failed() ? Result<void>(broken()) : Result<void>();
  }

  Result<void> added_tokens() {
    if (in_.next_is('n')) {
      std::string_view null;
      return in_.raw(null) && null == "null" ? Result<void>() : Result<void>(broken());
    }
    if (!in_.next_is('[')) return wrong("added_tokens", "a list");
    if (!in_.array()) return broken();
    std::size_t index = 0;
    while (in_.more()) {
      if (index >= kAddedMax) return wrong("added_tokens", fmt::format("at most {} items", kAddedMax));
      ADIT_TRY_VOID(added_token(fmt::format("added_tokens[{}]", index++)));
    }
    return in_.failed() ? Result<void>(broken()) : Result<void>();
  }

  Result<void> added_token(const std::string& where) {
    if (!in_.next_is('{')) return wrong(where, "an object");
    if (!in_.object()) return broken();
    std::set<std::string> seen;
    std::string key;
    std::string content;
    std::int64_t id = -1;
    AddedFlags flags;
    bool special = false;
    std::vector<std::string> roles;
    while (in_.more()) {
      if (!in_.key(key)) return broken();
      ADIT_TRY_VOID(once(seen, key, where + "."));
      if (key == "id") {
        if (!in_.integer(id)) return broken();
      } else if (key == "content") {
        if (!in_.string(content)) return broken();
      } else if (key == "adit_roles") {
        ADIT_TRY_VOID(read_roles(roles));
      } else {
        std::string_view text;
        if (!in_.raw(text)) return broken();
        bool* const flag = key == "special"       ? &special
                           : key == "single_word" ? &flags.single_word
                           : key == "lstrip"      ? &flags.lstrip
                           : key == "rstrip"      ? &flags.rstrip
                           : key == "normalized"  ? &flags.normalized
                                                  : nullptr;
        if (flag == nullptr)
          return unimplemented("tokenizer: {}.{}: an unknown key", where, key.substr(0, 80));
        if (text != "true" && text != "false" && text != "null")
          return wrong(where + "." + key, "true or false");
        *flag = text == "true";
      }
    }
    if (in_.failed()) return broken();
    if (!is_id(id) || content.empty()) return wrong(where, "an id and a content");
    if (content.size() > kAddedBytesMax) return wrong(where, fmt::format("at most {} bytes", kAddedBytesMax));
    return keep_added(content, id, flags, special, roles);
  }

  Result<void> keep_added(std::string& content, std::int64_t id, const AddedFlags& flags, bool special,
                          const std::vector<std::string>& roles) {
    const auto index = static_cast<std::size_t>(id);
    if (index >= added_.size()) added_.resize(index + 1, false);
    if (added_[index]) return wrong(fmt::format("added token {}", id), "an id that occurs once");
    ADIT_TRY_VOID(set_token(content, id, special ? kTokenControl : kTokenUserDefined));
    added_[index] = true;
    const auto token = static_cast<TokenId>(id);
    if (!(flags == AddedFlags{})) parts_.flags.emplace(token, flags);
    for (const std::string& role : roles) {
      if (role == "bos") {
        parts_.bos = token;
      } else if (role == "add_bos") {
        parts_.add_bos = true;
      } else if (role == "eos") {
        parts_.eos = token;
      } else if (role == "unk") {
        parts_.unk = token;
      } else if (role == "pad") {
        parts_.pad = token;
      } else {
        return wrong("added_tokens.adit_roles", "bos, add_bos, eos, unk or pad");
      }
    }
    return {};
  }

  Result<void> read_roles(std::vector<std::string>& out) {
    if (!in_.array()) return broken();
    std::string role;
    while (in_.more()) {
      if (!in_.string(role)) return broken();
      if (out.size() < 8) out.push_back(role);
    }
    return in_.failed() ? Result<void>(broken()) : Result<void>();
  }

  Result<void> finish() {
    if (!has_decoder_) return unimplemented("tokenizer: decoder: none, expected ByteLevel or a Sequence");
    if (parts_.tokens.empty()) return wrong("model.vocab", "at least one token");
    ADIT_TRY_VOID(check_steps(steps_));
    for (std::size_t id = 0; id < parts_.tokens.size(); ++id) {
      if (parts_.tokens[id].empty()) parts_.tokens[id] = fmt::format("[PAD{}]", id);
    }
    if (template_bos_ >= 0) {
      parts_.bos = template_bos_;
      parts_.add_bos = true;
    }
    parts_.kind = steps_.byte_level ? "gpt2" : "llama";
    parts_.pre.clear();
    parts_.steps = std::move(steps_);
    return {};
  }

  JsonScanner in_;
  TokenizerParts parts_;
  TextSteps steps_;
  std::vector<bool> added_;  // by id
  TokenId template_bos_ = -1;
  bool has_decoder_ = false;
};

}  // namespace

Result<TokenizerParts> read_tokenizer_json(std::string_view text) {
  if (text.size() > limits::kTokenizerJsonBytesMax) {
    return resource_exhausted("tokenizer: {} bytes, at most {} are accepted", text.size(),
                              limits::kTokenizerJsonBytesMax);
  }
  if (!is_valid_utf8(text)) return invalid_argument("tokenizer: not UTF-8");
  return Reader(text).run();
}

}  // namespace adit::model
