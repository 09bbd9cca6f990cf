// SPDX-License-Identifier: MIT
// The canonical text of a configuration.
#include <array>
#include <cstdint>
#include <utility>

#include <nlohmann/json.hpp>

#include "common/model/model_config.hpp"

namespace adit::model {
namespace {

using Json = nlohmann::json;

constexpr std::size_t kStopIdsMax = 64;

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

constexpr std::array<std::pair<RopeScaling, const char*>, 4> kScalings{{{RopeScaling::kNone, "none"},
                                                                        {RopeScaling::kLinear, "linear"},
                                                                        {RopeScaling::kLlama3, "llama3"},
                                                                        {RopeScaling::kYarn, "yarn"}}};

// An object of the configuration with exactly `keys` keys.
Result<const Json*> object_at(const Json& json, const char* key, std::size_t keys) {
  const Json& object = json.at(key);
  if (object.is_object() && object.size() == keys) return &object;
  return invalid_argument("config: {} is not an object of {} keys", key, keys);
}

Json rope_json(const RopeShape& r) {
  const char* name = "none";
  for (const auto& [scaling, text] : kScalings) {
    if (scaling == r.scaling) name = text;
  }
  return Json{{"type", name},
              {"factor", r.factor},
              {"original_context", r.original_context},
              {"low_freq_factor", r.low_freq_factor},
              {"high_freq_factor", r.high_freq_factor},
              {"beta_fast", r.beta_fast},
              {"beta_slow", r.beta_slow},
              {"attention_factor", r.attention_factor},
              {"score_factor", r.score_factor}};
}

Result<RopeShape> read_rope(const Json& config) {
  ADIT_TRY(const Json* json, object_at(config, "rope_scaling", 9));
  RopeShape r;
  ADIT_TRY(const std::string type, string_at(*json, "type"));
  bool known = false;
  for (const auto& [scaling, text] : kScalings) {
    if (type != text) continue;
    r.scaling = scaling;
    known = true;
  }
  if (!known) return invalid_argument("config: rope_scaling.type is '{}'", type.substr(0, 40));
  ADIT_TRY(r.factor, number_at(*json, "factor"));
  ADIT_TRY(r.original_context, number_at(*json, "original_context"));
  ADIT_TRY(r.low_freq_factor, number_at(*json, "low_freq_factor"));
  ADIT_TRY(r.high_freq_factor, number_at(*json, "high_freq_factor"));
  ADIT_TRY(r.beta_fast, number_at(*json, "beta_fast"));
  ADIT_TRY(r.beta_slow, number_at(*json, "beta_slow"));
  ADIT_TRY(r.attention_factor, number_at(*json, "attention_factor"));
  ADIT_TRY(r.score_factor, number_at(*json, "score_factor"));
  return r;
}

Result<MlaShape> read_mla(const Json& config) {
  ADIT_TRY(const Json* json, object_at(config, "mla", 5));
  MlaShape m;
  ADIT_TRY(m.q_rank, int_at(*json, "q_rank"));
  ADIT_TRY(m.kv_rank, int_at(*json, "kv_rank"));
  ADIT_TRY(m.nope_dim, int_at(*json, "nope_dim"));
  ADIT_TRY(m.rope_dim, int_at(*json, "rope_dim"));
  ADIT_TRY(m.v_dim, int_at(*json, "v_dim"));
  return m;
}

Json moe_json(const MoeShape& m) {
  return Json{{"experts", m.experts},
              {"per_token", m.per_token},
              {"ffn", m.ffn},
              {"shared_ffn", m.shared_ffn},
              {"dense_layers", m.dense_layers},
              {"groups", m.groups},
              {"groups_per_token", m.groups_per_token},
              {"group_top", m.group_top},
              {"router", m.router == Router::kSoftmax ? "softmax" : "sigmoid"},
              {"has_bias", m.has_bias},
              {"normalise", m.normalise},
              {"scale", m.scale}};
}

Result<MoeShape> read_moe(const Json& config) {
  ADIT_TRY(const Json* json, object_at(config, "moe", 12));
  MoeShape m;
  ADIT_TRY(m.experts, int_at(*json, "experts"));
  ADIT_TRY(m.per_token, int_at(*json, "per_token"));
  ADIT_TRY(m.ffn, int_at(*json, "ffn"));
  ADIT_TRY(m.shared_ffn, int_at(*json, "shared_ffn"));
  ADIT_TRY(m.dense_layers, int_at(*json, "dense_layers"));
  ADIT_TRY(m.groups, int_at(*json, "groups"));
  ADIT_TRY(m.groups_per_token, int_at(*json, "groups_per_token"));
  ADIT_TRY(m.group_top, int_at(*json, "group_top"));
  ADIT_TRY(const std::string router, string_at(*json, "router"));
  if (router != "softmax" && router != "sigmoid") {
    return invalid_argument("config: moe.router is '{}', expected softmax or sigmoid", router.substr(0, 40));
  }
  m.router = router == "softmax" ? Router::kSoftmax : Router::kSigmoid;
  ADIT_TRY(m.has_bias, bool_at(*json, "has_bias"));
  ADIT_TRY(m.normalise, bool_at(*json, "normalise"));
  ADIT_TRY(m.scale, number_at(*json, "scale"));
  return m;
}

Result<IndexerShape> read_indexer(const Json& config) {
  ADIT_TRY(const Json* json, object_at(config, "indexer", 3));
  IndexerShape x;
  ADIT_TRY(x.heads, int_at(*json, "heads"));
  ADIT_TRY(x.head_dim, int_at(*json, "head_dim"));
  ADIT_TRY(x.top_k, int_at(*json, "top_k"));
  return x;
}

// The objects that only some models have; returns how many there are.
Result<std::size_t> read_optional(const Json& json, ModelConfig& config) {
  std::size_t found = 0;
  if (json.contains("rope_scaling")) {
    ADIT_TRY(config.rope, read_rope(json));
    ++found;
  }
  if (json.contains("mla")) {
    ADIT_TRY(config.mla, read_mla(json));
    ++found;
  }
  if (json.contains("moe")) {
    ADIT_TRY(config.moe, read_moe(json));
    ++found;
  }
  if (json.contains("indexer")) {
    ADIT_TRY(config.indexer, read_indexer(json));
    ++found;
  }
  return found;
}

}  // namespace

std::string config_json(const ModelConfig& config) {
  // nlohmann::json sorts keys and prints numbers as the shortest text that reads back the same.
  Json json{{"family", config.family},
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
              {"add_bos", config.add_bos}};
  const MlaShape& m = config.mla;
  const IndexerShape& x = config.indexer;
  if (config.rope != RopeShape{}) json["rope_scaling"] = rope_json(config.rope);
  if (config.is_mla()) {
    json["mla"] = {{"q_rank", m.q_rank},
                   {"kv_rank", m.kv_rank},
                   {"nope_dim", m.nope_dim},
                   {"rope_dim", m.rope_dim},
                   {"v_dim", m.v_dim}};
  }
  if (config.moe.experts > 0) json["moe"] = moe_json(config.moe);
  if (x.top_k > 0) json["indexer"] = {{"heads", x.heads}, {"head_dim", x.head_dim}, {"top_k", x.top_k}};
  return json.dump(-1, ' ', true, Json::error_handler_t::replace);
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
  ADIT_TRY(const std::size_t optional, read_optional(json, config));
  constexpr std::size_t kKeys = 16;
  if (json.size() != kKeys + optional) {
    return invalid_argument("config: {} keys, expected {}", json.size(), kKeys + optional);
  }
  if (auto ok = check_config(config); !ok) return tl::unexpected<Error>(ok.error().context("config"));
  return config;
}

}  // namespace adit::model
