// SPDX-License-Identifier: MIT
// The text that packs keep: tokenizer.json with its keys and entries in one fixed order.
#include <nlohmann/json.hpp>

#include "common/model/tokenizer_data.hpp"
#include "common/model/tokenizer_reader.hpp"
#include "common/model/tokenizer_steps.hpp"

namespace adit::model {
namespace {

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

std::string added_json(const TokenizerParts& parts) {
  std::string out;
  for (std::size_t i = 0; i < parts.tokens.size(); ++i) {
    const bool special = parts.types[i] == kTokenControl || parts.types[i] == kTokenUnknown;
    if (!special && parts.types[i] != kTokenUserDefined) continue;
    const auto id = static_cast<TokenId>(i);
    const auto given = parts.flags.find(id);
    const AddedFlags flags = given == parts.flags.end() ? AddedFlags{} : given->second;
    out += fmt::format(R"({}{{"id":{},"content":{},"single_word":{},"lstrip":{},"rstrip":{},"normalized":{},)"
                       R"("special":{},"adit_roles":{}}})",
                       out.empty() ? "\n" : ",\n", i, json_quoted(parts.tokens[i]), flags.single_word,
                       flags.lstrip, flags.rstrip, flags.normalized, special, roles_json(parts, id));
  }
  return out;
}

Result<std::string> merges_json(const TokenizerParts& parts) {
  std::string out;
  for (std::size_t i = 0; i < parts.merges.size(); ++i) {
    const std::string& merge = parts.merges[i];
    const std::size_t space = merge.find(' ');
    if (space == std::string::npos || merge.find(' ', space + 1) != std::string::npos) {
      return invalid_argument("tokenizer: merge {}: expected two tokens and one space, got '{}'", i,
                              merge.substr(0, 80));
    }
    out += fmt::format("{}[{},{}]", i == 0 ? "\n" : ",\n", json_quoted(merge.substr(0, space)),
                       json_quoted(merge.substr(space + 1)));
  }
  return out;
}

Result<std::string> blob_text(const TokenizerParts& parts) {
  ADIT_TRY(const TextSteps steps, steps_of(parts));
  std::string out =
      R"({"version":"1.0","truncation":null,"padding":null,"added_tokens":[)" + added_json(parts);
  out += fmt::format("],\n\"normalizer\":{},\"pre_tokenizer\":{},\n\"post_processor\":null,\"decoder\":{},\n",
                     normalizer_json(steps.normalizer), pre_tokenizer_json(steps.words), decoder_json(steps));
  out += fmt::format(
      R"("model":{{"type":"BPE","dropout":null,"unk_token":{},"continuing_subword_prefix":null,)"
      R"("end_of_word_suffix":null,"fuse_unk":{},"byte_fallback":{},"ignore_merges":{},"vocab":{{)",
      parts.unk_text.empty() ? "null" : json_quoted(parts.unk_text), parts.fuse_unk, parts.byte_fallback,
      parts.ignore_merges);
  for (std::size_t i = 0; i < parts.tokens.size(); ++i) {
    out += fmt::format("{}{}:{}", i == 0 ? "\n" : ",\n", json_quoted(parts.tokens[i]), i);
  }
  ADIT_TRY(const std::string merges, merges_json(parts));
  out += "},\n\"merges\":[" + merges + "]";
  if (!parts.ranks.empty()) {
    out += ",\n\"adit_ranks\":[";
    for (std::size_t i = 0; i < parts.ranks.size(); ++i)
      out += fmt::format("{}{}", i == 0 ? "" : ",", parts.ranks[i]);
    out += "]";
  }
  return out + "}}\n";
}

Result<void> check_texts(const TokenizerParts& parts) {
  TokenMap map;
  const TokenId twice = map.build(parts.tokens);
  if (twice >= 0) return invalid_argument("tokenizer: token {}: its text occurs twice", twice);
  return {};
}

}  // namespace

Result<std::string> make_tokenizer_blob(const TokenizerParts& parts) {
  ADIT_TRY_VOID(check_parts(parts));
  ADIT_TRY_VOID(check_texts(parts));
  try {
    return blob_text(parts);
  } catch (const nlohmann::json::exception& error) {
    return invalid_argument("tokenizer: a merge is not UTF-8 ({})", error.what());
  }
}

Result<Tokenizer> Tokenizer::from_parts(TokenizerParts parts) {
  ADIT_TRY(std::shared_ptr<const Data> data, build_tokenizer(std::move(parts)));
  return Tokenizer(std::move(data));
}

Result<Tokenizer> Tokenizer::from_blob(std::string_view text) {
  ADIT_TRY(TokenizerParts parts, read_tokenizer_json(text));
  return from_parts(std::move(parts));
}

}  // namespace adit::model
