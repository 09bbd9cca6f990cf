// SPDX-License-Identifier: MIT
#include "common/model/tokenizer_steps.hpp"

#include <nlohmann/json.hpp>

#include "common/base/limits.hpp"
#include "common/model/word_splitter.hpp"

namespace adit::model {
namespace {

using nlohmann::json;

constexpr std::size_t kPartBytesMax = 1u << 20;
constexpr std::size_t kStepsMax = 64;
constexpr std::size_t kStepTextMax = 256;
constexpr std::string_view kMeta = "\xe2\x96\x81";

Result<json> parse(std::string_view text, const char* key) {
  if (text.size() > kPartBytesMax)
    return invalid_argument("tokenizer: {}: {} bytes, at most {} are read", key, text.size(), kPartBytesMax);
  try {
    return json::parse(text);
  } catch (const json::exception&) {
    return invalid_argument("tokenizer: {}: not JSON", key);
  }
}

const json* member(const json& object, const char* key) {
  if (!object.is_object()) return nullptr;
  const auto found = object.find(key);
  return found == object.end() || found->is_null() ? nullptr : &*found;
}

std::string text_at(const json& object, const char* key) {
  const json* value = member(object, key);
  return value != nullptr && value->is_string() ? value->get<std::string>() : std::string();
}

std::string type_of(const json& object) {
  const std::string type = text_at(object, "type");
  return type.empty() ? object.dump().substr(0, 60) : type.substr(0, 60);
}

bool flag_at(const json& object, const char* key, bool absent) {
  const json* value = member(object, key);
  return value != nullptr && value->is_boolean() ? value->get<bool>() : absent;
}

// The steps of a Sequence (also nested), or the one thing itself; nothing for null.
Result<void> flatten(const json& value, const char* list_key, const std::string& path,
                     std::vector<std::pair<std::string, json>>& out) {
  if (value.is_null()) return {};
  const json* list = text_at(value, "type") == "Sequence" ? member(value, list_key) : nullptr;
  if (list == nullptr) {
    if (out.size() >= kStepsMax)
      return invalid_argument("tokenizer: {}: more than {} steps", path, kStepsMax);
    out.emplace_back(path, value);
    return {};
  }
  if (!list->is_array()) return invalid_argument("tokenizer: {}.{}: expected a list", path, list_key);
  for (std::size_t i = 0; i < list->size(); ++i) {
    ADIT_TRY_VOID(flatten((*list)[i], list_key, fmt::format("{}.{}[{}]", path, list_key, i), out));
  }
  return {};
}

using Flat = std::vector<std::pair<std::string, json>>;
Result<Flat> steps_of(std::string_view text, const char* key, const char* list_key) {
  ADIT_TRY(const json value, parse(text, key));
  Flat out;
  ADIT_TRY_VOID(flatten(value, list_key, key, out));
  return out;
}

// {"String": x} of a pattern; empty if it is anything else.
std::string plain_pattern(const json& step) {
  const json* pattern = member(step, "pattern");
  return pattern == nullptr ? std::string() : text_at(*pattern, "String");
}

Result<WordStep> read_split(const json& step, const std::string& path) {
  const json* pattern = member(step, "pattern");
  const std::string text = pattern == nullptr ? std::string() : text_at(*pattern, "Regex");
  const std::optional<Cut> cut = text.empty() ? std::nullopt : find_cut(text);
  if (!cut) {
    return unimplemented(
        "tokenizer: {}.pattern: {}: expected the pattern of GPT-2, Llama 3, Qwen2 or DeepSeek", path,
        pattern == nullptr ? "none" : pattern->dump().substr(0, 200));
  }
  if (text_at(step, "behavior") != "Isolated" || flag_at(step, "invert", false)) {
    return unimplemented("tokenizer: {}: behavior '{}', invert {}: expected 'Isolated' and false", path,
                         text_at(step, "behavior").substr(0, 60), flag_at(step, "invert", false));
  }
  return WordStep{WordStep::Kind::kCut, *cut, false, WordStep::Prepend::kNever};
}

Result<WordStep> read_metaspace(const json& step, const std::string& path) {
  if (text_at(step, "replacement") != kMeta)
    return unimplemented("tokenizer: {}.replacement: expected U+2581", path);
  const json* scheme = member(step, "prepend_scheme");
  const std::string given = scheme != nullptr                         ? text_at(step, "prepend_scheme")
                            : flag_at(step, "add_prefix_space", true) ? "always"
                                                                      : "never";
  WordStep out{WordStep::Kind::kMetaspace, Cut::kGpt2, flag_at(step, "split", true),
               WordStep::Prepend::kNever};
  if (given == "always") {
    out.prepend = WordStep::Prepend::kAlways;
  } else if (given == "first") {
    out.prepend = WordStep::Prepend::kFirst;
  } else if (given != "never") {
    return unimplemented("tokenizer: {}.prepend_scheme: '{}': expected always, first or never", path,
                         given.substr(0, 60));
  }
  return out;
}

Result<WordStep> read_word_step(const json& step, const std::string& path) {
  const std::string type = type_of(step);
  if (type == "Split") return read_split(step, path);
  if (type == "Metaspace") return read_metaspace(step, path);
  if (type == "Digits") {
    return WordStep{WordStep::Kind::kDigits, Cut::kGpt2, flag_at(step, "individual_digits", false),
                    WordStep::Prepend::kNever};
  }
  if (type == "ByteLevel") {
    return WordStep{
        WordStep::Kind::kByteLevel, Cut::kGpt2, flag_at(step, "use_regex", true),
        flag_at(step, "add_prefix_space", true) ? WordStep::Prepend::kAlways : WordStep::Prepend::kNever};
  }
  return unimplemented("tokenizer: {}: type '{}': expected Split, ByteLevel, Digits, Metaspace or Sequence",
                       path, type);
}

Result<TokenId> bos_of_template(const json& step, const std::string& path) {
  const json* single = member(step, "single");
  if (single == nullptr || !single->is_array())
    return invalid_argument("tokenizer: {}.single: expected a list", path);
  const auto is_text = [](const json& item) { return member(item, "Sequence") != nullptr; };
  if (single->size() == 1 && is_text((*single)[0])) return TokenId{-1};
  const json* bos =
      single->size() == 2 && is_text((*single)[1]) ? member((*single)[0], "SpecialToken") : nullptr;
  if (bos == nullptr) {
    return unimplemented("tokenizer: {}.single: expected the text alone or one token before it", path);
  }
  const json* all = member(step, "special_tokens");
  const std::string name = text_at(*bos, "id");
  const json* entry = all == nullptr ? nullptr : member(*all, name.c_str());
  const json* ids = entry == nullptr ? nullptr : member(*entry, "ids");
  const bool good = ids != nullptr && ids->is_array() && ids->size() == 1 && (*ids)[0].is_number_unsigned() &&
                    (*ids)[0].get<std::uint64_t>() < limits::kVocabularyMax;
  if (!good)
    return invalid_argument("tokenizer: {}.special_tokens: expected one id for '{}'", path,
                            name.substr(0, 60));
  return (*ids)[0].get<TokenId>();
}

std::string sequence_json(const std::vector<std::string>& items, const char* list_key) {
  if (items.empty()) return "null";
  if (items.size() == 1) return items[0];
  std::string out = fmt::format(R"({{"type":"Sequence","{}":[)", list_key);
  for (std::size_t i = 0; i < items.size(); ++i) out += (i == 0 ? "" : ",") + items[i];
  return out + "]}";
}

std::string word_step_json(const WordStep& step) {
  switch (step.kind) {
    case WordStep::Kind::kCut:
      return fmt::format(
          R"({{"type":"Split","pattern":{{"Regex":{}}},"behavior":"Isolated","invert":false}})",
          json_quoted(pattern_of(step.cut)));
    case WordStep::Kind::kDigits:
      return fmt::format(R"({{"type":"Digits","individual_digits":{}}})", step.flag);
    case WordStep::Kind::kByteLevel:
      return fmt::format(R"({{"type":"ByteLevel","add_prefix_space":{},"trim_offsets":true,"use_regex":{}}})",
                         step.prepend == WordStep::Prepend::kAlways, step.flag);
    case WordStep::Kind::kMetaspace: break;
  }
  const char* scheme = step.prepend == WordStep::Prepend::kAlways  ? "always"
                       : step.prepend == WordStep::Prepend::kFirst ? "first"
                                                                   : "never";
  return fmt::format(R"({{"type":"Metaspace","replacement":"{}","prepend_scheme":"{}","split":{}}})", kMeta,
                     scheme, step.flag);
}

}  // namespace

std::string json_quoted(std::string_view text) {
  return json(text).dump();
}

Result<std::vector<NormalizerStep>> read_normalizer(std::string_view text) {
  ADIT_TRY(const Flat flat, steps_of(text, "normalizer", "normalizers"));
  std::vector<NormalizerStep> out;
  for (const auto& [path, step] : flat) {
    const std::string type = type_of(step);
    NormalizerStep made;
    if (type == "NFC") {
      made.kind = NormalizerStep::Kind::kNfc;
    } else if (type == "Lowercase") {
      made.kind = NormalizerStep::Kind::kLowercase;
    } else if (type == "Prepend") {
      made = {NormalizerStep::Kind::kPrepend, "", text_at(step, "prepend")};
    } else if (type == "Replace") {
      made = {NormalizerStep::Kind::kReplace, plain_pattern(step), text_at(step, "content")};
      if (made.from.empty()) {
        const json* pattern = member(step, "pattern");
        return unimplemented("tokenizer: {}.pattern: {}: expected a String that is not empty", path,
                             pattern == nullptr ? "none" : pattern->dump().substr(0, 200));
      }
    } else {
      return unimplemented("tokenizer: {}: type '{}': expected NFC, Lowercase, Replace, Prepend or Sequence",
                           path, type);
    }
    if (made.from.size() > kStepTextMax || made.to.size() > kStepTextMax) {
      return invalid_argument("tokenizer: {}: expected texts of at most {} bytes", path, kStepTextMax);
    }
    out.push_back(std::move(made));
  }
  return out;
}

Result<std::vector<WordStep>> read_pre_tokenizer(std::string_view text) {
  ADIT_TRY(const Flat flat, steps_of(text, "pre_tokenizer", "pretokenizers"));
  std::vector<WordStep> out;
  bool lines = false;
  for (const auto& [path, step] : flat) {
    ADIT_TRY(const WordStep made, read_word_step(step, path));
    const bool is_cut = made.kind == WordStep::Kind::kCut;
    if (is_cut && made.cut == Cut::kTrailingBlanks && !lines) {
      return unimplemented(R"(tokenizer: {}.pattern: \s+$ is read after [\r\n] only)", path);
    }
    lines = lines || (is_cut && made.cut == Cut::kLine);
    out.push_back(made);
  }
  return out;
}

Result<void> read_decoder(std::string_view text, TextSteps& steps) {
  ADIT_TRY(const Flat flat, steps_of(text, "decoder", "decoders"));
  if (flat.size() == 1 && type_of(flat[0].second) == "ByteLevel") {
    steps.byte_level = true;
    return {};
  }
  steps.byte_level = false;
  bool fallback = false;
  bool blanks = false;
  for (const auto& [path, step] : flat) {
    const std::string type = type_of(step);
    if (type == "Replace" && plain_pattern(step) == kMeta && text_at(step, "content") == " ") {
      blanks = true;
    } else if (type == "ByteFallback") {
      fallback = true;
    } else if (type == "Strip" && text_at(step, "content") == " " && step.value("stop", json()) == 0 &&
               step.value("start", json()).is_number_unsigned() && step["start"].get<std::uint64_t>() <= 16) {
      steps.strip_left = step["start"].get<std::uint32_t>();
    } else if (type != "Fuse") {
      return unimplemented(
          "tokenizer: {}: {}: expected ByteLevel, or Replace of U+2581 by a blank, ByteFallback, "
          "Fuse and Strip of blanks at the start",
          path, step.dump().substr(0, 200));
    }
  }
  if (!blanks || !fallback)
    return unimplemented("tokenizer: decoder: {}: expected ByteLevel, or Replace and ByteFallback",
                         text.substr(0, 200));
  return {};
}

Result<TokenId> read_post_processor(std::string_view text) {
  ADIT_TRY(const Flat flat, steps_of(text, "post_processor", "processors"));
  TokenId bos = -1;
  for (const auto& [path, step] : flat) {
    const std::string type = type_of(step);
    if (type == "TemplateProcessing") {
      ADIT_TRY(bos, bos_of_template(step, path));
    } else if (type != "ByteLevel") {
      return unimplemented("tokenizer: {}: type '{}': expected ByteLevel, TemplateProcessing or Sequence",
                           path, type);
    }
  }
  return bos;
}

Result<void> check_steps(const TextSteps& steps) {
  bool bytes = false;
  for (const WordStep& step : steps.words) {
    if (bytes) return unimplemented("tokenizer: pre_tokenizer: a step after ByteLevel");
    bytes = step.kind == WordStep::Kind::kByteLevel;
  }
  if (bytes != steps.byte_level) {
    return unimplemented("tokenizer: pre_tokenizer and decoder: expected ByteLevel in both or in none");
  }
  return {};
}

std::string normalizer_json(const std::vector<NormalizerStep>& steps) {
  std::vector<std::string> items;
  for (const NormalizerStep& step : steps) {
    switch (step.kind) {
      case NormalizerStep::Kind::kNfc: items.emplace_back(R"({"type":"NFC"})"); break;
      case NormalizerStep::Kind::kLowercase: items.emplace_back(R"({"type":"Lowercase"})"); break;
      case NormalizerStep::Kind::kPrepend:
        items.push_back(fmt::format(R"({{"type":"Prepend","prepend":{}}})", json_quoted(step.to)));
        break;
      case NormalizerStep::Kind::kReplace:
        items.push_back(fmt::format(R"({{"type":"Replace","pattern":{{"String":{}}},"content":{}}})",
                                    json_quoted(step.from), json_quoted(step.to)));
        break;
    }
  }
  return sequence_json(items, "normalizers");
}

std::string pre_tokenizer_json(const std::vector<WordStep>& steps) {
  std::vector<std::string> items;
  for (const WordStep& step : steps) items.push_back(word_step_json(step));
  return sequence_json(items, "pretokenizers");
}

std::string decoder_json(const TextSteps& steps) {
  if (steps.byte_level)
    return R"({"type":"ByteLevel","add_prefix_space":true,"trim_offsets":true,"use_regex":true})";
  std::string out = fmt::format(
      R"({{"type":"Sequence","decoders":[{{"type":"Replace","pattern":{{"String":"{}"}},"content":" "}},)"
      R"({{"type":"ByteFallback"}},{{"type":"Fuse"}})",
      kMeta);
  if (steps.strip_left > 0)
    out += fmt::format(R"(,{{"type":"Strip","content":" ","start":{},"stop":0}})", steps.strip_left);
  return out + "]}";
}

TextSteps sentencepiece_steps(bool space_prefix) {
  TextSteps out;
  if (space_prefix) out.normalizer.push_back({NormalizerStep::Kind::kPrepend, "", std::string(kMeta)});
  out.normalizer.push_back({NormalizerStep::Kind::kReplace, " ", std::string(kMeta)});
  out.byte_level = false;
  out.strip_left = space_prefix ? 1 : 0;
  return out;
}

}  // namespace adit::model
