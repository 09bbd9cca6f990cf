// SPDX-License-Identifier: MIT
#include "common/model/gguf_model.hpp"

#include <algorithm>
#include <climits>

#include "common/base/limits.hpp"

namespace adit::model {
namespace {

Result<int> int_at(const Gguf& gguf, const std::string& key) {
  ADIT_TRY(const std::uint64_t value, gguf.unsigned_at(key));
  if (value > INT_MAX) return invalid_argument("{}: key {}: {} is too large", gguf.label(), key, value);
  return static_cast<int>(value);
}

Result<int> int_or(const Gguf& gguf, const std::string& key, int absent) {
  if (!gguf.has(key)) return absent;
  return int_at(gguf, key);
}

Result<TokenId> token_or(const Gguf& gguf, const std::string& key, TokenId absent) {
  return int_or(gguf, "tokenizer.ggml." + key, absent);
}

Result<void> read_shape(const Gguf& gguf, ModelConfig& config) {
  ADIT_TRY(config.layers, int_at(gguf, "llama.block_count"));
  ADIT_TRY(config.hidden, int_at(gguf, "llama.embedding_length"));
  ADIT_TRY(config.ffn, int_at(gguf, "llama.feed_forward_length"));
  ADIT_TRY(config.heads, int_at(gguf, "llama.attention.head_count"));
  ADIT_TRY(config.kv_heads, int_or(gguf, "llama.attention.head_count_kv", config.heads));
  ADIT_TRY(config.context, int_at(gguf, "llama.context_length"));
  config.context = std::min(config.context, static_cast<int>(limits::kContextMax));
  if (config.heads < 1) return invalid_argument("{}: key llama.attention.head_count: 0", gguf.label());
  ADIT_TRY(config.head_dim, int_or(gguf, "llama.attention.key_length", config.hidden / config.heads));
  ADIT_TRY(const int value_dim, int_or(gguf, "llama.attention.value_length", config.head_dim));
  ADIT_TRY(const int rope_dim, int_or(gguf, "llama.rope.dimension_count", config.head_dim));
  if (value_dim != config.head_dim || rope_dim != config.head_dim) {
    return unimplemented("{}: heads of {} with values of {} and RoPE over {}: expected all equal",
                         gguf.label(), config.head_dim, value_dim, rope_dim);
  }
  return {};
}

Result<void> read_numbers(const Gguf& gguf, ModelConfig& config) {
  ADIT_TRY(const double eps, gguf.number_at("llama.attention.layer_norm_rms_epsilon"));
  config.norm_eps = static_cast<float>(eps);
  config.rope_theta = 10000;
  if (gguf.has("llama.rope.freq_base")) {
    ADIT_TRY(config.rope_theta, gguf.number_at("llama.rope.freq_base"));
  }
  if (!gguf.has("llama.rope.scaling.type")) return {};
  const Result<std::string> scaling = gguf.string_at("llama.rope.scaling.type");
  if (!scaling) return tl::unexpected<Error>(scaling.error());
  const std::string_view type = *scaling;
  if (type == "none") return {};
  return unimplemented("{}: key llama.rope.scaling.type: '{}', expected none", gguf.label(),
                       type.substr(0, 40));
}

Result<void> read_tokens(const Gguf& gguf, ModelConfig& config) {
  ADIT_TRY(const TokenId eos, token_or(gguf, "eos_token_id", -1));
  ADIT_TRY(const TokenId eot, token_or(gguf, "eot_token_id", -1));
  ADIT_TRY(const TokenId bos, token_or(gguf, "bos_token_id", -1));
  if (eos < 0) return not_found("{}: no key tokenizer.ggml.eos_token_id", gguf.label());
  config.stop_ids = {eos};
  if (eot >= 0 && eot != eos) config.stop_ids.push_back(eot);
  config.bos = bos >= 0 ? bos : eos;
  if (gguf.has("tokenizer.ggml.add_bos_token")) {
    ADIT_TRY(config.add_bos, gguf.bool_at("tokenizer.ggml.add_bos_token"));
  }
  if (config.add_bos && bos < 0) return not_found("{}: no key tokenizer.ggml.bos_token_id", gguf.label());
  return {};
}

}  // namespace

Result<ModelConfig> config_from_gguf(const Gguf& gguf) {
  ADIT_TRY(const std::string architecture, gguf.string_at("general.architecture"));
  if (architecture != "llama") {
    return unimplemented("{}: key general.architecture: '{}', expected llama", gguf.label(),
                         architecture.substr(0, 40));
  }
  ModelConfig config;
  if (gguf.has("general.name")) {
    ADIT_TRY(config.name, gguf.string_at("general.name"));
  }
  ADIT_TRY_VOID(read_shape(gguf, config));
  ADIT_TRY_VOID(read_numbers(gguf, config));
  ADIT_TRY_VOID(read_tokens(gguf, config));
  ADIT_TRY(const GgufTensor* embedding, gguf.tensor("token_embd.weight"));
  config.vocab = static_cast<int>(std::min<std::uint64_t>(embedding->rows, INT_MAX));
  config.tied_head = gguf.find_tensor("output.weight") == nullptr;
  if (auto ok = check_config(config); !ok) return tl::unexpected<Error>(ok.error().context(gguf.label()));
  return config;
}


}  // namespace adit::model
