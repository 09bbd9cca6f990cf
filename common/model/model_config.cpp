// SPDX-License-Identifier: MIT
#include "common/model/model_config.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <string_view>

#include "common/base/limits.hpp"

namespace adit::model {
namespace {

constexpr int kWidthMax = 1 << 17;
constexpr int kHeadsMax = 1024;
constexpr int kHeadDimMax = 1024;
constexpr int kExpertsMax = 1024;
constexpr std::size_t kStopIdsMax = 64;
// Linears of several heads or experts are cut between tiles of this many rows.
constexpr int kTile = 16;

Result<void> check_range(const char* field, std::int64_t value, std::int64_t low, std::int64_t high) {
  if (value >= low && value <= high) return {};
  return invalid_argument("{} is {}, expected {}..{}", field, value, low, high);
}

Result<void> check_multiple(const char* field, int value, int of) {
  if (value % of == 0) return {};
  return invalid_argument("{} is {}, expected a multiple of {}", field, value, of);
}

Result<void> check_real(const char* field, double value, double low, double high) {
  if (value >= low && value <= high) return {};
  return invalid_argument("{} is {}, expected {}..{}", field, value, low, high);
}

Result<void> check_family(const ModelConfig& config) {
  constexpr std::array<std::string_view, 6> kFamilies{"llama",       "qwen2",       "qwen3",
                                                      "deepseek_v2", "deepseek_v3", "deepseek_v32"};
  if (std::find(kFamilies.begin(), kFamilies.end(), config.family) == kFamilies.end()) {
    return unimplemented(
        "family is '{}', expected llama, qwen2, qwen3, deepseek_v2, deepseek_v3 or deepseek_v32",
        config.family.substr(0, 40));
  }
  const bool deepseek = config.family.starts_with("deepseek");
  if (config.is_mla() != deepseek) {
    return invalid_argument("mla.kv_rank is {}, which does not fit family {}", config.mla.kv_rank,
                            config.family);
  }
  if (config.moe.experts > 0 && !deepseek) {
    return invalid_argument("moe.experts is {}, which does not fit family {}", config.moe.experts,
                            config.family);
  }
  if ((config.indexer.top_k > 0) != (config.family == "deepseek_v32")) {
    return invalid_argument("indexer.top_k is {}, which does not fit family {}", config.indexer.top_k,
                            config.family);
  }
  return {};
}

Result<void> check_rope(const ModelConfig& config) {
  const RopeShape& r = config.rope;
  ADIT_TRY_VOID(check_real("rope_scaling.score_factor", r.score_factor, 1e-3, 1e3));
  if (r.scaling == RopeScaling::kNone) return {};
  ADIT_TRY_VOID(check_real("rope_scaling.factor", r.factor, 1, 1e6));
  ADIT_TRY_VOID(check_real("rope_scaling.attention_factor", r.attention_factor, 1e-3, 1e3));
  if (r.scaling == RopeScaling::kLinear) return {};
  ADIT_TRY_VOID(check_real("rope_scaling.original_context", r.original_context, 1, limits::kContextMax));
  if (r.scaling == RopeScaling::kLlama3) {
    ADIT_TRY_VOID(check_real("rope_scaling.low_freq_factor", r.low_freq_factor, 1e-6, 1e6));
    if (r.high_freq_factor > r.low_freq_factor) return {};
    return invalid_argument("rope_scaling.high_freq_factor is {}, expected more than low_freq_factor {}",
                            r.high_freq_factor, r.low_freq_factor);
  }
  ADIT_TRY_VOID(check_real("rope_scaling.beta_slow", r.beta_slow, 1e-6, 1e6));
  return check_real("rope_scaling.beta_fast", r.beta_fast, r.beta_slow, 1e6);
}

Result<void> check_mla(const ModelConfig& config) {
  const MlaShape& m = config.mla;
  ADIT_TRY_VOID(check_range("mla.q_rank", m.q_rank, 0, kWidthMax));
  ADIT_TRY_VOID(check_range("mla.kv_rank", m.kv_rank, kTile, 4096));
  ADIT_TRY_VOID(check_multiple("mla.kv_rank", m.kv_rank, kTile));
  ADIT_TRY_VOID(check_range("mla.nope_dim", m.nope_dim, 8, kHeadDimMax));
  ADIT_TRY_VOID(check_range("mla.rope_dim", m.rope_dim, 8, kHeadDimMax));
  ADIT_TRY_VOID(check_multiple("mla.rope_dim", m.rope_dim, 8));
  ADIT_TRY_VOID(check_range("mla.v_dim", m.v_dim, kTile, kHeadDimMax));
  ADIT_TRY_VOID(check_multiple("mla.v_dim", m.v_dim, kTile));
  ADIT_TRY_VOID(check_range("kv_heads", config.kv_heads, 1, 1));
  ADIT_TRY_VOID(
      check_range("head_dim", config.head_dim, m.nope_dim + m.rope_dim, m.nope_dim + m.rope_dim));
  return check_range("heads * mla.kv_rank", std::int64_t{config.heads} * m.kv_rank, kTile, kWidthMax);
}

Result<void> check_moe(const ModelConfig& config) {
  const MoeShape& m = config.moe;
  ADIT_TRY_VOID(check_range("moe.experts", m.experts, 1, kExpertsMax));
  ADIT_TRY_VOID(check_range("moe.per_token", m.per_token, 1, m.experts));
  ADIT_TRY_VOID(check_range("moe.ffn", m.ffn, kTile, kWidthMax));
  ADIT_TRY_VOID(check_multiple("moe.ffn", m.ffn, kTile));
  ADIT_TRY_VOID(check_multiple("hidden", config.hidden, kTile));
  ADIT_TRY_VOID(check_range("moe.shared_ffn", m.shared_ffn, 0, kWidthMax));
  ADIT_TRY_VOID(check_range("moe.dense_layers", m.dense_layers, 0, config.layers));
  ADIT_TRY_VOID(check_range("moe.groups", m.groups, 1, m.experts));
  if (m.experts % m.groups != 0) {
    return invalid_argument("moe.experts {} is not a multiple of moe.groups {}", m.experts, m.groups);
  }
  ADIT_TRY_VOID(check_range("moe.groups_per_token", m.groups_per_token, 1, m.groups));
  ADIT_TRY_VOID(check_range("moe.group_top", m.group_top, 1, m.experts / m.groups));
  ADIT_TRY_VOID(
      check_range("moe.per_token", m.per_token, 1, m.experts / m.groups * m.groups_per_token));
  return check_real("moe.scale", m.scale, 1e-6, 1e6);
}

Result<void> check_indexer(const ModelConfig& config) {
  const IndexerShape& x = config.indexer;
  ADIT_TRY_VOID(check_range("indexer.heads", x.heads, 1, kHeadsMax));
  ADIT_TRY_VOID(check_range("indexer.head_dim", x.head_dim, config.mla.rope_dim, kHeadDimMax));
  if ((x.head_dim & (x.head_dim - 1)) != 0) {
    return invalid_argument("indexer.head_dim is {}, expected a power of two", x.head_dim);
  }
  ADIT_TRY_VOID(check_range("indexer.top_k", x.top_k, 1, limits::kContextMax));
  return check_range("mla.q_rank", config.mla.q_rank, 1, kWidthMax);
}

}  // namespace

Result<void> check_config(const ModelConfig& config) {
  ADIT_TRY_VOID(check_family(config));
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
  ADIT_TRY_VOID(check_rope(config));
  if (config.is_mla()) ADIT_TRY_VOID(check_mla(config));
  if (config.moe.experts > 0) ADIT_TRY_VOID(check_moe(config));
  if (config.indexer.top_k > 0) ADIT_TRY_VOID(check_indexer(config));
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

}  // namespace adit::model
