// SPDX-License-Identifier: MIT
#include "common/model/hf_tokenizer.hpp"

#include <optional>

#include <nlohmann/json.hpp>

#include "common/base/files.hpp"
#include "common/base/limits.hpp"
#include "common/model/json_scanner.hpp"
#include "common/model/token_map.hpp"
#include "common/model/tokenizer_reader.hpp"
#include "common/model/unicode_classes.hpp"

namespace adit::model {
namespace {

using nlohmann::json;

constexpr std::uint64_t kConfigBytesMax = 4u << 20;
constexpr const char* kConfigName = "tokenizer_config.json";

const json* member(const json& object, const char* key) {
  const auto found = object.find(key);
  return found == object.end() || found->is_null() ? nullptr : &*found;
}

// tokenizer_config.json; an empty object where the folder has none.
Result<json> read_config(const std::filesystem::path& folder) {
  const std::filesystem::path path = folder / kConfigName;
  std::error_code failed;
  if (!std::filesystem::exists(path, failed)) return json::object();
  ADIT_TRY(const Bytes bytes, read_file(path, kConfigBytesMax));
  // The scanner bounds the nesting before the tree is built.
  JsonScanner scanner(as_text(bytes));
  std::string_view whole;
  if (!scanner.raw(whole) || !scanner.done())
    return invalid_argument("{}: {}", path.string(), scanner.error());
  try {
    json config = json::parse(whole);
    if (!config.is_object()) return invalid_argument("{}: expected a JSON object", path.string());
    return config;
  } catch (const json::exception&) {
    return invalid_argument("{}: not JSON", path.string());
  }
}

// "text" or {"content": "text"}; absent for null and absent ones.
Result<std::optional<std::string>> token_text(const json& config, const char* key) {
  const json* value = member(config, key);
  if (value == nullptr) return std::optional<std::string>();
  if (value->is_object()) value = member(*value, "content");
  if (value == nullptr || !value->is_string())
    return invalid_argument("{}: {}: expected a text or null", kConfigName, key);
  return std::optional<std::string>(value->get<std::string>());
}

Result<bool> flag_of(const json& config, const char* key, bool absent) {
  const json* value = member(config, key);
  if (value == nullptr) return absent;
  if (!value->is_boolean()) return invalid_argument("{}: {}: expected true or false", kConfigName, key);
  return value->get<bool>();
}

// The id of a role's token; such tokens are control tokens, whatever tokenizer.json calls them.
Result<void> set_role(const json& config, const char* key, const TokenMap& map, TokenizerParts& parts,
                      TokenId& id) {
  ADIT_TRY(const std::optional<std::string> text, token_text(config, key));
  if (!text) return {};
  const TokenId found = map.find(parts.tokens, *text);
  if (found < 0)
    return invalid_argument("{}: {}: '{}' is no token of tokenizer.json", kConfigName, key,
                            text->substr(0, 80));
  id = found;
  parts.types[static_cast<std::size_t>(found)] = kTokenControl;
  return {};
}

Result<void> add_config(const json& config, TokenizerParts& parts) {
  TokenMap map;
  static_cast<void>(map.build(parts.tokens));
  const TokenId template_bos = parts.bos;
  ADIT_TRY_VOID(set_role(config, "bos_token", map, parts, parts.bos));
  if (template_bos >= 0 && parts.bos != template_bos) {
    return unimplemented("{}: bos_token: id {}, but tokenizer.json puts {} before every text", kConfigName,
                         parts.bos, template_bos);
  }
  ADIT_TRY_VOID(set_role(config, "eos_token", map, parts, parts.eos));
  ADIT_TRY_VOID(set_role(config, "pad_token", map, parts, parts.pad));
  ADIT_TRY(const std::optional<std::string> unknown, token_text(config, "unk_token"));
  if (unknown) parts.unk = map.find(parts.tokens, *unknown);
  if (!parts.unk_text.empty()) parts.unk = map.find(parts.tokens, parts.unk_text);
  ADIT_TRY(parts.add_bos, flag_of(config, "add_bos_token", parts.add_bos));
  ADIT_TRY(const bool add_eos, flag_of(config, "add_eos_token", false));
  if (add_eos) return unimplemented("{}: add_eos_token: true, expected false", kConfigName);
  if (parts.add_bos && parts.bos < 0)
    return invalid_argument("{}: add_bos_token: true without a bos_token", kConfigName);
  if (parts.bos >= 0) parts.types[static_cast<std::size_t>(parts.bos)] = kTokenControl;
  return {};
}

Result<std::string> checked_template(std::string text, const std::string& where) {
  if (text.size() > limits::kChatTemplateBytesMax) {
    return resource_exhausted("{}: {} bytes, at most {} are read", where, text.size(),
                              limits::kChatTemplateBytesMax);
  }
  if (!is_valid_utf8(text)) return invalid_argument("{}: not UTF-8", where);
  return text;
}

}  // namespace

Result<TokenizerParts> tokenizer_from_hf(const std::filesystem::path& folder) {
  const std::filesystem::path path = folder / "tokenizer.json";
  ADIT_TRY(const Bytes bytes, read_file(path, limits::kTokenizerJsonBytesMax));
  auto parts = read_tokenizer_json(as_text(bytes));
  if (!parts) return tl::unexpected<Error>(parts.error().context(path.string()));
  if (parts->bos >= static_cast<TokenId>(parts->tokens.size())) {
    return invalid_argument("{}: post_processor: token {} of {}", path.string(), parts->bos,
                            parts->tokens.size());
  }
  ADIT_TRY(const json config, read_config(folder));
  if (auto ok = add_config(config, *parts); !ok)
    return tl::unexpected<Error>(ok.error().context(folder.string()));
  return std::move(*parts);
}

Result<std::string> chat_template_from_hf(const std::filesystem::path& folder) {
  const std::filesystem::path own = folder / "chat_template.jinja";
  std::error_code failed;
  if (std::filesystem::exists(own, failed)) {
    ADIT_TRY(const Bytes bytes, read_file(own, limits::kChatTemplateBytesMax));
    return checked_template(std::string(as_text(bytes)), own.string());
  }
  ADIT_TRY(const json config, read_config(folder));
  const std::string where = (folder / kConfigName).string() + ": chat_template";
  const json* given = member(config, "chat_template");
  if (given == nullptr) return std::string();
  if (given->is_string()) return checked_template(given->get<std::string>(), where);
  if (!given->is_array()) return invalid_argument("{}: expected a text or a list of named ones", where);
  for (const json& one : *given) {
    if (!one.is_object()) return invalid_argument("{}: expected objects with a name and a template", where);
    const json* name = member(one, "name");
    const json* text = member(one, "template");
    if (name == nullptr || text == nullptr || !text->is_string()) {
      return invalid_argument("{}: expected objects with a name and a template", where);
    }
    if (*name == "default") return checked_template(text->get<std::string>(), where);
  }
  return not_found("{}: a list of named templates without one named 'default'", where);
}

}  // namespace adit::model
