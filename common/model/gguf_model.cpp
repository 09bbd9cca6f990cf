// SPDX-License-Identifier: MIT
#include "common/model/gguf_model.hpp"

#include <algorithm>

#include <climits>

#include "common/base/limits.hpp"
#include "common/model/gguf_keys.hpp"

namespace adit::model {
namespace {

Result<void> read_shape(GgufKeys& keys, ModelConfig& config) {
  ADIT_TRY(const int blocks, keys.integer("block_count"));
  // The layers of multi-token prediction stand last.
  ADIT_TRY(const int nextn, keys.integer_or("nextn_predict_layers", 0));
  config.layers = blocks - nextn;
  ADIT_TRY(config.hidden, keys.integer("embedding_length"));
  ADIT_TRY(config.ffn, keys.integer("feed_forward_length"));
  ADIT_TRY(config.heads, keys.integer("attention.head_count"));
  ADIT_TRY(config.kv_heads, keys.integer_or("attention.head_count_kv", config.heads));
  ADIT_TRY(config.context, keys.integer("context_length"));
  config.context = std::min(config.context, static_cast<int>(limits::kContextMax));
  if (config.heads < 1) return keys.wrong("attention.head_count", "0", "at least 1");
  ADIT_TRY(const double eps, keys.number("attention.layer_norm_rms_epsilon"));
  config.norm_eps = static_cast<float>(eps);
  return {};
}

Result<void> read_heads(GgufKeys& keys, ModelConfig& config) {
  ADIT_TRY(config.head_dim, keys.integer_or("attention.key_length", config.hidden / config.heads));
  ADIT_TRY(const int value_dim, keys.integer_or("attention.value_length", config.head_dim));
  ADIT_TRY(const int rope_dim, keys.integer_or("rope.dimension_count", config.head_dim));
  if (value_dim != config.head_dim || rope_dim != config.head_dim) {
    return unimplemented("{}: heads of {} with values of {} and RoPE over {}: expected all equal",
                         keys.label(), config.head_dim, value_dim, rope_dim);
  }
  return {};
}

// Both spellings: widths of a head under *_mla, or (older files) without.
Result<void> read_mla(GgufKeys& keys, ModelConfig& config) {
  MlaShape& mla = config.mla;
  ADIT_TRY(mla.q_rank, keys.integer_or("attention.q_lora_rank", 0));
  ADIT_TRY(mla.kv_rank, keys.integer("attention.kv_lora_rank"));
  ADIT_TRY(mla.rope_dim, keys.integer("rope.dimension_count"));
  ADIT_TRY(const int key, keys.integer("attention.key_length"));
  ADIT_TRY(const int value, keys.integer("attention.value_length"));
  ADIT_TRY(config.head_dim, keys.integer_or("attention.key_length_mla", key));
  ADIT_TRY(mla.v_dim, keys.integer_or("attention.value_length_mla", value));
  mla.nope_dim = config.head_dim - mla.rope_dim;
  config.kv_heads = 1;
  return {};
}

Result<void> read_experts(GgufKeys& keys, ModelConfig& config) {
  MoeShape& moe = config.moe;
  ADIT_TRY(moe.experts, keys.integer_or("expert_count", 0));
  ADIT_TRY(const int per_token, keys.integer_or("expert_used_count", 0));
  ADIT_TRY(const int ffn, keys.integer_or("expert_feed_forward_length", 0));
  ADIT_TRY(const int shared, keys.integer_or("expert_shared_count", 0));
  ADIT_TRY(const int dense_layers, keys.integer_or("leading_dense_block_count", 0));
  ADIT_TRY(const int gating, keys.integer_or("expert_gating_func", 0));
  ADIT_TRY(const double scale, keys.number_or("expert_weights_scale", 1));
  ADIT_TRY(const bool normalise, keys.boolean_or("expert_weights_norm", false));
  ADIT_TRY(const int groups, keys.integer_or("expert_group_count", 1));
  ADIT_TRY(const int groups_per_token, keys.integer_or("expert_group_used_count", 1));
  if (moe.experts == 0) return {};
  if (gating > 2)
    return keys.wrong("expert_gating_func", fmt::format("{}", gating), "0, 1 (softmax), 2 (sigmoid)");
  if (shared > 64) return keys.wrong("expert_shared_count", fmt::format("{}", shared), "0..64");
  moe.per_token = per_token;
  moe.ffn = ffn;
  moe.shared_ffn = shared * std::min(ffn, 1 << 20);
  moe.dense_layers = dense_layers;
  moe.router = gating == 2 ? Router::kSigmoid : Router::kSoftmax;
  moe.normalise = normalise;
  moe.scale = scale == 0 ? 1.0 : scale;
  moe.has_bias = keys.find_tensor(fmt::format("blk.{}.exp_probs_b.bias", dense_layers)) != nullptr;
  if (config.family == "deepseek_v2" && (moe.router == Router::kSigmoid || moe.has_bias)) {
    config.family = "deepseek_v3";
  }
  if (config.family == "deepseek_v2" && moe.normalise && moe.scale != 1) {
    return keys.wrong("expert_weights_scale", fmt::format("{}", moe.scale), "1 with expert_weights_norm");
  }
  if (groups <= 1) return {};
  moe.groups = groups;
  moe.groups_per_token = groups_per_token;
  moe.group_top = moe.has_bias ? 2 : 1;
  return {};
}

Result<void> read_indexer(GgufKeys& keys, ModelConfig& config) {
  if (config.family != "deepseek_v32") return {};
  ADIT_TRY(config.indexer.heads, keys.integer("attention.indexer.head_count"));
  ADIT_TRY(config.indexer.head_dim, keys.integer("attention.indexer.key_length"));
  ADIT_TRY(config.indexer.top_k, keys.integer("attention.indexer.top_k"));
  return {};
}

Result<TokenId> token_or(const Gguf& gguf, const char* key, TokenId absent) {
  const std::string name = fmt::format("tokenizer.ggml.{}", key);
  if (!gguf.has(name)) return absent;
  ADIT_TRY(const std::uint64_t value, gguf.unsigned_at(name));
  if (value > INT_MAX) return invalid_argument("{}: key {}: {} is too large", gguf.label(), name, value);
  return static_cast<TokenId>(value);
}

Result<void> read_tokens(const Gguf& gguf, ModelConfig& config) {
  ADIT_TRY(const TokenId bos, token_or(gguf, "bos_token_id", -1));
  for (const char* key : {"eos_token_id", "eot_token_id", "eom_token_id"}) {
    ADIT_TRY(const TokenId id, token_or(gguf, key, -1));
    auto& ids = config.stop_ids;
    if (id >= 0 && std::find(ids.begin(), ids.end(), id) == ids.end()) ids.push_back(id);
  }
  if (config.stop_ids.empty()) return not_found("{}: no key tokenizer.ggml.eos_token_id", gguf.label());
  config.bos = bos >= 0 ? bos : config.stop_ids[0];
  if (gguf.has("tokenizer.ggml.add_bos_token")) {
    ADIT_TRY(config.add_bos, gguf.bool_at("tokenizer.ggml.add_bos_token"));
  }
  if (config.add_bos && bos < 0) return not_found("{}: no key tokenizer.ggml.bos_token_id", gguf.label());
  return {};
}

Result<std::string> family_of(const Gguf& gguf, const std::string& architecture) {
  if (architecture == "llama" || architecture == "qwen2" || architecture == "qwen3") return architecture;
  if (architecture == "deepseek2") return std::string("deepseek_v2");
  if (architecture == "deepseek32") return std::string("deepseek_v32");
  return unimplemented(
      "{}: key general.architecture: '{}', expected llama, qwen2, qwen3, deepseek2 or deepseek32",
      gguf.label(), architecture.substr(0, 40));
}

}  // namespace

Result<ModelConfig> config_from_gguf(const Gguf& gguf) {
  const Gguf* file = &gguf;
  return config_from_gguf(std::span(&file, 1));
}

Result<ModelConfig> config_from_gguf(std::span<const Gguf* const> files) {
  const Gguf& gguf = *files[0];
  ADIT_TRY(const std::string architecture, gguf.string_at("general.architecture"));
  GgufKeys keys(files, architecture);
  ModelConfig config;
  ADIT_TRY(config.family, family_of(gguf, architecture));
  if (gguf.has("general.name")) {
    ADIT_TRY(config.name, gguf.string_at("general.name"));
  }
  ADIT_TRY_VOID(read_shape(keys, config));
  if (config.family.starts_with("deepseek")) {
    ADIT_TRY_VOID(read_mla(keys, config));
    ADIT_TRY_VOID(read_experts(keys, config));
    ADIT_TRY_VOID(read_indexer(keys, config));
  } else {
    ADIT_TRY_VOID(read_heads(keys, config));
  }
  ADIT_TRY_VOID(read_gguf_rope(keys, config));
  ADIT_TRY_VOID(keys.finish());
  ADIT_TRY_VOID(read_tokens(gguf, config));
  const GgufTensor* embedding = keys.find_tensor("token_embd.weight");
  if (embedding == nullptr) return not_found("{}: no tensor token_embd.weight", gguf.label());
  config.vocab = static_cast<int>(std::min<std::uint64_t>(embedding->rows, INT_MAX));
  config.tied_head = keys.find_tensor("output.weight") == nullptr;
  if (auto ok = check_config(config); !ok) return tl::unexpected<Error>(ok.error().context(gguf.label()));
  return config;
}

}  // namespace adit::model
