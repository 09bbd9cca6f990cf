// SPDX-License-Identifier: MIT
#include <algorithm>
#include <limits>
#include <stdexcept>
#include <unordered_set>
#include <utility>

#include <nlohmann/json.hpp>

#include "common/base/limits.hpp"
#include "common/model/tokenizer.hpp"
#include "common/model/tokenizer_data.hpp"
#include "common/model/unicode_classes.hpp"

namespace adit::model {
namespace {

using nlohmann::json;

constexpr int kJsonDepthMax = 8;
constexpr std::size_t kMergesMax = std::size_t{2} * limits::kVocabularyMax;
constexpr std::size_t kJsonValuesMax = 8 * std::size_t{limits::kVocabularyMax};
constexpr std::size_t kAddedMax = 65'536;
constexpr std::size_t kTokenBytesMax = 4096;
constexpr std::size_t kAddedBytesMax = 256;
constexpr int kTypeNormal = 1;
constexpr int kTypeControl = 3;
constexpr int kTypeUserDefined = 4;
constexpr int kTypeUnused = 5;

// --- writing ---

std::string json_quoted(std::string_view text) { return json(text).dump(); }

std::string pre_tokenizer_json(PreTokenizer pre) {
  const std::string byte_level =
      R"({"type":"ByteLevel","add_prefix_space":false,"trim_offsets":true,"use_regex":true})";
  if (pre == PreTokenizer::kGpt2) return byte_level;
  return R"({"type":"Sequence","pretokenizers":[{"type":"Digits","individual_digits":true},)" + byte_level +
         "]}";
}

Result<void> check_parts(const TokenizerParts& parts) {
  if (parts.kind != "gpt2") return unimplemented("tokenizer: kind '{}': expected 'gpt2'", parts.kind);
  if (!find_pre_tokenizer(parts.pre)) {
    return unimplemented("tokenizer: pre '{}': expected 'smollm' or 'gpt-2'", parts.pre);
  }
  if (parts.tokens.empty() || parts.tokens.size() > limits::kVocabularyMax) {
    return invalid_argument("tokenizer: tokens: expected 1..{}, got {}", limits::kVocabularyMax,
                            parts.tokens.size());
  }
  if (parts.types.size() != parts.tokens.size()) {
    return invalid_argument("tokenizer: token types: expected {}, got {}", parts.tokens.size(),
                            parts.types.size());
  }
  if (parts.merges.size() > kMergesMax) {
    return invalid_argument("tokenizer: merges: expected at most {}, got {}", kMergesMax,
                            parts.merges.size());
  }
  std::unordered_set<std::string_view> seen;
  for (std::size_t id = 0; id < parts.tokens.size(); ++id) {
    const std::string& token = parts.tokens[id];
    if (token.empty() || token.size() > kTokenBytesMax || !is_valid_utf8(token)) {
      return invalid_argument("tokenizer: token {}: expected 1..{} bytes of UTF-8", id, kTokenBytesMax);
    }
    if (!seen.insert(token).second) return invalid_argument("tokenizer: token {}: its text occurs twice", id);
    const int type = parts.types[id];
    if (type != kTypeNormal && type != kTypeControl && type != kTypeUserDefined && type != kTypeUnused) {
      return unimplemented("tokenizer: token {}: type {}: expected 1, 3, 4 or 5", id, type);
    }
  }
  return {};
}

// The names of the roles that a token plays, as a JSON list.
std::string roles_json(const TokenizerParts& parts, TokenId id) {
  std::string out;
  const auto add = [&](bool plays, std::string_view role) {
    if (plays) out += (out.empty() ? "\"" : ",\"") + std::string(role) + "\"";
  };
  add(id == parts.bos, "bos");
  add(id == parts.bos && parts.add_bos, "add_bos");
  add(id == parts.eos, "eos");
  add(id == parts.unk, "unk");
  add(id == parts.pad, "pad");
  return "[" + out + "]";
}

Result<std::string> added_json(const TokenizerParts& parts) {
  std::string out;
  for (std::size_t i = 0; i < parts.tokens.size(); ++i) {
    const bool special = parts.types[i] == kTypeControl;
    if (!special && parts.types[i] != kTypeUserDefined) continue;
    out += fmt::format(
        R"({}{{"id":{},"content":{},"single_word":false,"lstrip":false,"rstrip":false,"normalized":false,)"
        R"("special":{},"adit_roles":{}}})",
        out.empty() ? "\n" : ",\n", i, json_quoted(parts.tokens[i]), special,
        roles_json(parts, static_cast<TokenId>(i)));
  }
  for (const auto& [id, role] : {std::pair(parts.bos, "bos"), std::pair(parts.eos, "eos")}) {
    if (id == -1) continue;
    const bool good = id >= 0 && static_cast<std::size_t>(id) < parts.types.size() &&
                      parts.types[static_cast<std::size_t>(id)] == kTypeControl;
    if (!good) return invalid_argument("tokenizer: {} id {}: expected the id of a control token", role, id);
  }
  return out;
}

Result<std::string> blob_text(const TokenizerParts& parts) {
  ADIT_TRY(const std::string added, added_json(parts));
  std::string out = R"({"version":"1.0","truncation":null,"padding":null,"added_tokens":[)" + added;
  out +=
      "],\n"
      R"("normalizer":null,"pre_tokenizer":)" +
      pre_tokenizer_json(*find_pre_tokenizer(parts.pre));
  out +=
      ",\n"
      R"("post_processor":null,"decoder":{"type":"ByteLevel","add_prefix_space":true,)"
      R"("trim_offsets":true,"use_regex":true},)"
      "\n"
      R"("model":{"type":"BPE","dropout":null,"unk_token":null,"continuing_subword_prefix":null,)"
      R"("end_of_word_suffix":null,"fuse_unk":false,"byte_fallback":false,"ignore_merges":false,"vocab":{)";
  for (std::size_t i = 0; i < parts.tokens.size(); ++i) {
    out += fmt::format("{}{}:{}", i == 0 ? "\n" : ",\n", json_quoted(parts.tokens[i]), i);
  }
  out += "},\n\"merges\":[";
  for (std::size_t i = 0; i < parts.merges.size(); ++i) {
    const std::string& merge = parts.merges[i];
    const std::size_t space = merge.find(' ');
    if (space == std::string::npos || merge.find(' ', space + 1) != std::string::npos) {
      return invalid_argument("tokenizer: merge {}: expected two tokens and one space, got '{}'", i, merge);
    }
    out += fmt::format("{}[{},{}]", i == 0 ? "\n" : ",\n", json_quoted(merge.substr(0, space)),
                       json_quoted(merge.substr(space + 1)));
  }
  return out + "]}}\n";
}

// --- reading ---

tl::unexpected<Error> wrong(std::string_view key, std::string_view expected) {
  return invalid_argument("tokenizer: {}: expected {}", key, expected);
}

struct TooMuch : std::runtime_error {
  using std::runtime_error::runtime_error;
};

Result<json> parse_bounded(std::string_view text) {
  if (text.size() > limits::kTokenizerJsonBytesMax) {
    return resource_exhausted("tokenizer: {} bytes, at most {} are accepted", text.size(),
                              limits::kTokenizerJsonBytesMax);
  }
  std::size_t values = 0;
  const json::parser_callback_t bound = [&values](int depth, json::parse_event_t /*event*/, json& /*value*/) {
    if (depth > kJsonDepthMax) throw TooMuch(fmt::format("nested deeper than {} levels", kJsonDepthMax));
    if (++values > kJsonValuesMax) throw TooMuch(fmt::format("more than {} values", kJsonValuesMax));
    return true;
  };
  try {
    return json::parse(text, bound);
  } catch (const json::parse_error& error) {
    return invalid_argument("tokenizer: offset {}: not JSON", error.byte);
  } catch (const std::exception& error) {
    return invalid_argument("tokenizer: {}", error.what());
  }
}

const json* member(const json& object, const char* key) {
  if (!object.is_object()) return nullptr;
  const auto found = object.find(key);
  return found == object.end() ? nullptr : &*found;
}

// Absent, null, false or "" (what a feature that is not used looks like).
bool is_unset(const json& object, const char* key) {
  const json* value = member(object, key);
  return value == nullptr || value->is_null() || (value->is_boolean() && !value->get<bool>()) ||
         (value->is_string() && value->get_ref<const std::string&>().empty());
}

bool is_id(const json& value) {
  return value.is_number_unsigned() && value.get<std::uint64_t>() < limits::kVocabularyMax;
}

// The parts of tokenizer.json that change ids and that we do not have are refused by name.
Result<PreTokenizer> read_form(const json& root) {
  if (!is_unset(root, "normalizer")) return unimplemented("tokenizer: normalizer: expected null");
  const json* post = member(root, "post_processor");
  if (post != nullptr && !post->is_null()) {
    const json* type = member(*post, "type");
    if (type == nullptr || *type != "ByteLevel")
      return unimplemented("tokenizer: post_processor: expected null");
  }
  const json* given = member(root, "pre_tokenizer");
  for (const PreTokenizer pre : {PreTokenizer::kSmollm, PreTokenizer::kGpt2}) {
    if (given != nullptr && *given == json::parse(pre_tokenizer_json(pre))) return pre;
  }
  return unimplemented("tokenizer: pre_tokenizer: expected the one of smollm or gpt-2");
}

Result<void> set_token(Tokenizer::Data& data, const std::string& text, std::size_t id, bool added) {
  if (text.empty() || text.size() > kTokenBytesMax)
    return wrong("token", fmt::format("1..{} bytes", kTokenBytesMax));
  const auto token = static_cast<TokenId>(id);
  const auto [known, fresh] = data.ids.emplace(text, token);
  if (!fresh && known->second != token) return wrong(fmt::format("token {}", id), "a text that occurs once");
  if (id >= data.pieces.size()) {
    data.pieces.resize(id + 1);
    data.special.resize(id + 1, false);
  }
  std::string& piece = data.pieces[id];
  if (fresh && !piece.empty()) return wrong(fmt::format("token {}", id), "an id that occurs once");
  piece = added ? text : bytes_of_alphabet(text);
  return {};
}

Result<void> read_vocabulary(Tokenizer::Data& data, const json& model) {
  const json* vocabulary = member(model, "vocab");
  if (vocabulary == nullptr || !vocabulary->is_object()) return wrong("model.vocab", "an object");
  for (const auto& [text, id] : vocabulary->items()) {
    if (!is_id(id)) return wrong("model.vocab", fmt::format("ids below {}", limits::kVocabularyMax));
    ADIT_TRY_VOID(set_token(data, text, id.get<std::size_t>(), false));
  }
  for (std::size_t byte = 0; byte < 256; ++byte) {
    const auto found = data.ids.find(alphabet_of_byte(static_cast<std::uint8_t>(byte)));
    if (found != data.ids.end()) data.bpe.set_byte(static_cast<std::uint8_t>(byte), found->second);
  }
  return {};
}

// "left right" or ["left", "right"].
bool read_pair(const json& merge, std::string& left, std::string& right) {
  if (merge.is_array() && merge.size() == 2 && merge[0].is_string() && merge[1].is_string()) {
    left = merge[0].get<std::string>();
    right = merge[1].get<std::string>();
    return true;
  }
  if (!merge.is_string()) return false;
  const auto& text = merge.get_ref<const std::string&>();
  const std::size_t space = text.find(' ');
  if (space == std::string::npos || text.find(' ', space + 1) != std::string::npos) return false;
  left = text.substr(0, space);
  right = text.substr(space + 1);
  return true;
}

Result<void> read_merges(Tokenizer::Data& data, const json& model) {
  const json* merges = member(model, "merges");
  if (merges == nullptr || !merges->is_array() || merges->size() > kMergesMax) {
    return wrong("model.merges", fmt::format("a list of at most {} items", kMergesMax));
  }
  data.bpe.reserve(merges->size());
  std::string left;
  std::string right;
  for (std::size_t i = 0; i < merges->size(); ++i) {
    const std::string where = fmt::format("model.merges[{}]", i);
    if (!read_pair((*merges)[i], left, right)) return wrong(where, "two tokens");
    const auto l = data.ids.find(left);
    const auto r = data.ids.find(right);
    const auto merged = data.ids.find(left + right);
    if (l == data.ids.end() || r == data.ids.end() || merged == data.ids.end()) {
      return wrong(where, "tokens of the vocabulary that join to one of it");
    }
    if (!data.bpe.add_merge(l->second, r->second, merged->second))
      return wrong(where, "a pair that occurs once");
  }
  return {};
}

void insert_added(AddedTokens& added, const std::string& text, TokenId id) {
  added.ids.emplace(text, id);
  added.first_bytes[static_cast<std::uint8_t>(text[0])] = true;
  if (std::find(added.lengths.begin(), added.lengths.end(), text.size()) == added.lengths.end()) {
    added.lengths.push_back(text.size());
    std::sort(added.lengths.begin(), added.lengths.end(), std::greater<>());
  }
}

Result<void> read_roles(Tokenizer::Data& data, const json& token, TokenId id) {
  const json* roles = member(token, "adit_roles");
  if (roles == nullptr) return {};
  if (!roles->is_array()) return wrong("added_tokens.adit_roles", "a list");
  for (const json& role : *roles) {
    if (role == "bos")
      data.bos = id;
    else if (role == "add_bos")
      data.add_bos = true;
    else if (role == "eos")
      data.eos = id;
    else if (role == "unk")
      data.unk = id;
    else if (role == "pad")
      data.pad = id;
    else
      return wrong("added_tokens.adit_roles", "bos, add_bos, eos, unk or pad");
  }
  return {};
}

Result<void> read_added(Tokenizer::Data& data, const json& root) {
  const json* list = member(root, "added_tokens");
  if (list == nullptr) return {};
  if (!list->is_array() || list->size() > kAddedMax) {
    return wrong("added_tokens", fmt::format("a list of at most {} items", kAddedMax));
  }
  for (std::size_t i = 0; i < list->size(); ++i) {
    const json& token = (*list)[i];
    const std::string where = fmt::format("added_tokens[{}]", i);
    const json* id = member(token, "id");
    const json* content = member(token, "content");
    const json* special = member(token, "special");
    if (id == nullptr || content == nullptr || !is_id(*id) || !content->is_string()) {
      return wrong(where, "an id and a content");
    }
    if (!is_unset(token, "single_word") || !is_unset(token, "lstrip") || !is_unset(token, "rstrip")) {
      return unimplemented("tokenizer: {}: single_word, lstrip and rstrip: expected false", where);
    }
    const auto& text = content->get_ref<const std::string&>();
    if (text.size() > kAddedBytesMax) return wrong(where, fmt::format("at most {} bytes", kAddedBytesMax));
    const bool is_special = special != nullptr && special->is_boolean() && special->get<bool>();
    ADIT_TRY_VOID(set_token(data, text, id->get<std::size_t>(), true));
    const auto token_id = id->get<TokenId>();
    data.special[id->get<std::size_t>()] = is_special;
    insert_added(data.all_added, text, token_id);
    if (!is_special) insert_added(data.user, text, token_id);
    ADIT_TRY_VOID(read_roles(data, token, token_id));
  }
  return {};
}

Result<std::shared_ptr<const Tokenizer::Data>> read_blob(const json& root) {
  auto data = std::make_shared<Tokenizer::Data>();
  ADIT_TRY(data->pre, read_form(root));
  const json* model = member(root, "model");
  const json* type = model == nullptr ? nullptr : member(*model, "type");
  if (type == nullptr || *type != "BPE") return unimplemented("tokenizer: model.type: expected 'BPE'");
  for (const char* key : {"dropout", "unk_token", "continuing_subword_prefix", "end_of_word_suffix",
                          "byte_fallback", "ignore_merges"}) {
    if (!is_unset(*model, key)) return unimplemented("tokenizer: model.{}: expected it unset", key);
  }
  ADIT_TRY_VOID(read_vocabulary(*data, *model));
  ADIT_TRY_VOID(read_merges(*data, *model));
  ADIT_TRY_VOID(read_added(*data, root));
  return std::shared_ptr<const Tokenizer::Data>(std::move(data));
}

}  // namespace

Result<std::string> make_tokenizer_blob(const TokenizerParts& parts) {
  ADIT_TRY_VOID(check_parts(parts));
  try {
    return blob_text(parts);
  } catch (const json::exception& error) {
    return invalid_argument("tokenizer: a merge is not UTF-8 ({})", error.what());
  }
}

Result<Tokenizer> Tokenizer::from_blob(std::string_view text) {
  ADIT_TRY(const json root, parse_bounded(text));
  ADIT_TRY(std::shared_ptr<const Data> data, read_blob(root));
  return Tokenizer(std::move(data));
}

}  // namespace adit::model
