// SPDX-License-Identifier: MIT
#include "common/model/model_config.hpp"

#include <cmath>
#include <cstdint>

#include <nlohmann/json.hpp>

#include "common/base/limits.hpp"

namespace adit::model {
namespace {

using Json = nlohmann::json;

constexpr int kWidthMax = 1 << 17;
constexpr int kHeadsMax = 1024;
constexpr int kHeadDimMax = 1024;
constexpr std::size_t kStopIdsMax = 64;

Result<void> check_range(const char* field, std::int64_t value, std::int64_t low, std::int64_t high) {
  if (value >= low && value <= high) return {};
  return invalid_argument("{} is {}, expected {}..{}", field, value, low, high);
}

Result<std::int64_t> integer_at(const Json& json, const char* key) {
  const auto found = json.find(key);
  if (found == json.end()) return invalid_argument("config: key {} is missing", key);
  if (!found->is_number_integer()) return invalid_argument("config: {} is not an integer", key);
  return found->get<std::int64_t>();
}

Result<int> int_at(const Json& json, const char* key) {
  ADIT_TRY(const std::int64_t value, integer_at(json, key));
  if (value < 0 || value > INT32_MAX) return invalid_argument("config: {} is {}, out of range", key, value);
  return static_cast<int>(value);
}

Result<bool> bool_at(const Json& json, const char* key) {
  const auto found = json.find(key);
  if (found == json.end()) return invalid_argument("config: key {} is missing", key);
  if (!found->is_boolean()) return invalid_argument("config: {} is not true or false", key);
  return found->get<bool>();
}

Result<double> number_at(const Json& json, const char* key) {
  const auto found = json.find(key);
  if (found == json.end()) return invalid_argument("config: key {} is missing", key);
  if (!found->is_number()) return invalid_argument("config: {} is not a number", key);
  return found->get<double>();
}

Result<std::string> string_at(const Json& json, const char* key) {
  const auto found = json.find(key);
  if (found == json.end()) return invalid_argument("config: key {} is missing", key);
  if (!found->is_string()) return invalid_argument("config: {} is not a string", key);
  return found->get<std::string>();
}

Result<std::vector<TokenId>> ids_at(const Json& json, const char* key) {
  const auto found = json.find(key);
  if (found == json.end() || !found->is_array() || found->size() > kStopIdsMax) {
    return invalid_argument("config: {} is not a list of at most {} token ids", key, kStopIdsMax);
  }
  std::vector<TokenId> ids;
  for (const Json& item : *found) {
    if (!item.is_number_integer()) return invalid_argument("config: {} holds a non-integer", key);
    const std::int64_t value = item.get<std::int64_t>();
    if (value < 0 || value > INT32_MAX) return invalid_argument("config: {} holds {}", key, value);
    ids.push_back(static_cast<TokenId>(value));
  }
  return ids;
}

Result<void> read_shape(const Json& json, ModelConfig& config) {
  ADIT_TRY(config.layers, int_at(json, "layers"));
  ADIT_TRY(config.hidden, int_at(json, "hidden"));
  ADIT_TRY(config.ffn, int_at(json, "ffn"));
  ADIT_TRY(config.heads, int_at(json, "heads"));
  ADIT_TRY(config.kv_heads, int_at(json, "kv_heads"));
  ADIT_TRY(config.head_dim, int_at(json, "head_dim"));
  ADIT_TRY(config.vocab, int_at(json, "vocab"));
  ADIT_TRY(config.context, int_at(json, "context"));
  return {};
}

}  // namespace

Result<void> check_config(const ModelConfig& config) {
  if (config.family != "llama") return unimplemented("family is '{}', expected llama", config.family);
  if (config.name.size() > 256)
    return invalid_argument("name has {} bytes, at most 256", config.name.size());
  ADIT_TRY_VOID(check_range("layers", config.layers, 1, limits::kLayersMax));
  ADIT_TRY_VOID(check_range("hidden", config.hidden, 8, kWidthMax));
  ADIT_TRY_VOID(check_range("ffn", config.ffn, 8, kWidthMax));
  ADIT_TRY_VOID(check_range("heads", config.heads, 1, kHeadsMax));
  ADIT_TRY_VOID(check_range("kv_heads", config.kv_heads, 1, config.heads));
  ADIT_TRY_VOID(check_range("head_dim", config.head_dim, 8, kHeadDimMax));
  ADIT_TRY_VOID(check_range("vocab", config.vocab, 2, limits::kVocabularyMax));
  ADIT_TRY_VOID(check_range("context", config.context, 1, limits::kContextMax));
  ADIT_TRY_VOID(check_range("bos", config.bos, 0, config.vocab - 1));
  if (config.heads % config.kv_heads != 0) {
    return invalid_argument("heads {} is not a multiple of kv_heads {}", config.heads, config.kv_heads);
  }
  if (config.head_dim % 8 != 0)
    return invalid_argument("head_dim {} is not a multiple of 8", config.head_dim);
  ADIT_TRY_VOID(
      check_range("heads * head_dim", std::int64_t{config.heads} * config.head_dim, 8, kWidthMax));
  if (!(config.norm_eps > 0.0f && config.norm_eps < 1.0f)) {
    return invalid_argument("norm_eps is {}, expected a number between 0 and 1", config.norm_eps);
  }
  if (!(config.rope_theta > 1.0 && config.rope_theta <= 1e12)) {
    return invalid_argument("rope_theta is {}, expected 1..1e12", config.rope_theta);
  }
  if (config.stop_ids.empty() || config.stop_ids.size() > kStopIdsMax) {
    return invalid_argument("stop_ids has {} entries, expected 1..{}", config.stop_ids.size(), kStopIdsMax);
  }
  for (const TokenId id : config.stop_ids) {
    ADIT_TRY_VOID(check_range("stop id", id, 0, config.vocab - 1));
  }
  return {};
}

std::string config_json(const ModelConfig& config) {
  // nlohmann::json sorts keys and prints numbers as the shortest text that reads back the same.
  return Json{{"family", config.family},
              {"name", config.name},
              {"layers", config.layers},
              {"hidden", config.hidden},
              {"ffn", config.ffn},
              {"heads", config.heads},
              {"kv_heads", config.kv_heads},
              {"head_dim", config.head_dim},
              {"vocab", config.vocab},
              {"context", config.context},
              {"norm_eps", static_cast<double>(config.norm_eps)},
              {"rope_theta", config.rope_theta},
              {"tied_head", config.tied_head},
              {"stop_ids", config.stop_ids},
              {"bos", config.bos},
              {"add_bos", config.add_bos}}
      .dump(-1, ' ', true, Json::error_handler_t::replace);
}

Result<ModelConfig> parse_config_json(std::string_view text) {
  const Json json = Json::parse(text, nullptr, false);
  if (!json.is_object()) return invalid_argument("config: not a JSON object");
  ModelConfig config;
  ADIT_TRY(config.family, string_at(json, "family"));
  ADIT_TRY(config.name, string_at(json, "name"));
  ADIT_TRY_VOID(read_shape(json, config));
  ADIT_TRY(const double eps, number_at(json, "norm_eps"));
  config.norm_eps = static_cast<float>(eps);
  ADIT_TRY(config.rope_theta, number_at(json, "rope_theta"));
  ADIT_TRY(config.tied_head, bool_at(json, "tied_head"));
  ADIT_TRY(config.stop_ids, ids_at(json, "stop_ids"));
  ADIT_TRY(config.bos, int_at(json, "bos"));
  ADIT_TRY(config.add_bos, bool_at(json, "add_bos"));
  constexpr std::size_t kKeys = 16;
  if (json.size() != kKeys) return invalid_argument("config: {} keys, expected {}", json.size(), kKeys);
  if (auto ok = check_config(config); !ok) return tl::unexpected<Error>(ok.error().context("config"));
  return config;
}

}  // namespace adit::model
