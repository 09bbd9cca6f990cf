// SPDX-License-Identifier: MIT
#include <string>

#include "common/model/hf_fields.hpp"

namespace adit::model {
namespace {

Result<void> read_mla(JsonFields& fields, ModelConfig& config) {
  MlaShape& mla = config.mla;
  ADIT_TRY(mla.q_rank, fields.integer_or("q_lora_rank", 0));
  ADIT_TRY(mla.kv_rank, fields.integer("kv_lora_rank"));
  ADIT_TRY(mla.nope_dim, fields.integer("qk_nope_head_dim"));
  ADIT_TRY(mla.rope_dim, fields.integer("qk_rope_head_dim"));
  ADIT_TRY(mla.v_dim, fields.integer("v_head_dim"));
  config.head_dim = mla.nope_dim + mla.rope_dim;
  config.kv_heads = 1;
  ADIT_TRY_VOID(fields.must_be("qk_head_dim", config.head_dim));
  // transformers writes the width of what RoPE turns here.
  ADIT_TRY_VOID(fields.must_be("head_dim", mla.rope_dim));
  return fields.must_be("rope_interleave", true);
}

// Which experts a token may go to.
Result<void> read_choice(JsonFields& fields, ModelConfig& config) {
  MoeShape& moe = config.moe;
  const bool v2 = config.family == "deepseek_v2";
  ADIT_TRY(const std::string scoring, fields.text_or("scoring_func", v2 ? "softmax" : "sigmoid"));
  if (scoring != "softmax" && scoring != "sigmoid") {
    return fields.not_supported("scoring_func", "softmax or sigmoid");
  }
  moe.router = scoring == "softmax" ? Router::kSoftmax : Router::kSigmoid;
  ADIT_TRY(const std::string method, fields.text_or("topk_method", v2 ? "greedy" : "noaux_tc"));
  if (method != "greedy" && method != "group_limited_greedy" && method != "noaux_tc") {
    return fields.not_supported("topk_method", "greedy, group_limited_greedy or noaux_tc");
  }
  moe.has_bias = method == "noaux_tc";
  ADIT_TRY(const int groups, fields.integer_or("n_group", 1));
  ADIT_TRY(const int groups_per_token, fields.integer_or("topk_group", 1));
  if (method != "greedy" && groups > 1) {
    moe.groups = groups;
    moe.groups_per_token = groups_per_token;
    moe.group_top = method == "noaux_tc" ? 2 : 1;
  }
  return {};
}

Result<void> read_experts(JsonFields& fields, ModelConfig& config) {
  MoeShape& moe = config.moe;
  ADIT_TRY(moe.experts, fields.integer_or("n_routed_experts", 0));
  ADIT_TRY_VOID(fields.must_be("num_local_experts", moe.experts));
  if (moe.experts == 0) return {};
  ADIT_TRY(moe.per_token, fields.integer("num_experts_per_tok"));
  ADIT_TRY(moe.ffn, fields.integer("moe_intermediate_size"));
  ADIT_TRY(const int shared, fields.integer_or("n_shared_experts", 0));
  if (shared > 64) return fields.wrong("n_shared_experts", "0..64");
  moe.shared_ffn = shared * moe.ffn;
  ADIT_TRY(moe.dense_layers, fields.integer_or("first_k_dense_replace", 0));
  ADIT_TRY_VOID(fields.must_be("moe_layer_freq", 1));
  ADIT_TRY(const auto layer_types, fields.texts("mlp_layer_types"));
  for (std::size_t i = 0; i < layer_types.size(); ++i) {
    const bool is_dense = i < static_cast<std::size_t>(moe.dense_layers);
    if (layer_types[i] != (is_dense ? "dense" : "sparse"))
      return fields.not_supported("mlp_layer_types", "dense for the first first_k_dense_replace, then sparse");
  }
  ADIT_TRY_VOID(read_choice(fields, config));
  const bool v2 = config.family == "deepseek_v2";
  ADIT_TRY(moe.normalise, fields.boolean_or("norm_topk_prob", !v2));
  ADIT_TRY(moe.scale, fields.number_or("routed_scaling_factor", v2 ? 1.0 : 2.5));
  if (v2 && moe.normalise && moe.scale != 1) {
    return fields.not_supported("routed_scaling_factor", "1 with norm_topk_prob (its order is not defined)");
  }
  return {};
}

Result<void> read_indexer(JsonFields& fields, ModelConfig& config) {
  if (config.family != "deepseek_v32") return {};
  ADIT_TRY(config.indexer.heads, fields.integer("index_n_heads"));
  ADIT_TRY(config.indexer.head_dim, fields.integer("index_head_dim"));
  ADIT_TRY(config.indexer.top_k, fields.integer("index_topk"));
  return {};
}

}  // namespace

Result<void> read_hf_deepseek(JsonFields& fields, ModelConfig& config) {
  ADIT_TRY_VOID(read_mla(fields, config));
  ADIT_TRY_VOID(read_experts(fields, config));
  return read_indexer(fields, config);
}

}  // namespace adit::model
