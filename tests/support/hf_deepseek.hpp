// SPDX-License-Identifier: MIT
// tests/support/hf_deepseek.hpp
//
// Configuration and parts of the DeepSeek models of tests/vectors/hf in our order, written apart from the
// project's own readers: RoPE dimensions from neighbouring pairs to halves, kv_b cut into W_UK (transposed)
// and W_UV of each head, experts one after another.
#pragma once

#include <cmath>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "common/model/model_parts.hpp"

namespace adit::test {

inline void hf_deepseek_config(const nlohmann::json& json, model::ModelConfig& c) {
  const bool v2 = c.family == "deepseek_v2";
  const auto& q_rank = json.at("q_lora_rank");
  c.mla.q_rank = q_rank.is_null() ? 0 : q_rank.get<int>();
  c.mla.kv_rank = json.at("kv_lora_rank");
  c.mla.nope_dim = json.at("qk_nope_head_dim");
  c.mla.rope_dim = json.at("qk_rope_head_dim");
  c.mla.v_dim = json.at("v_head_dim");
  c.kv_heads = 1;
  c.head_dim = c.mla.nope_dim + c.mla.rope_dim;
  c.moe.experts = json.at("n_routed_experts");
  c.moe.per_token = json.at("num_experts_per_tok");
  c.moe.ffn = json.at("moe_intermediate_size");
  c.moe.shared_ffn = c.moe.ffn * json.at("n_shared_experts").get<int>();
  c.moe.dense_layers = json.at("first_k_dense_replace");
  c.moe.groups = json.at("n_group");
  c.moe.groups_per_token = json.at("topk_group");
  c.moe.group_top = v2 ? 1 : 2;
  c.moe.router = v2 ? model::Router::kSoftmax : model::Router::kSigmoid;
  c.moe.has_bias = !v2;
  c.moe.normalise = json.at("norm_topk_prob");
  c.moe.scale = json.at("routed_scaling_factor");
  const auto& rope = json.at("rope_parameters");
  const auto magnitude = [&](const char* key) {
    return 0.1 * rope.at(key).get<double>() * std::log(rope.at("factor").get<double>()) + 1;
  };
  c.rope.attention_factor = magnitude("mscale") / magnitude("mscale_all_dim");
  c.rope.score_factor = std::pow(magnitude("mscale_all_dim"), 2);
  if (c.family != "deepseek_v32") return;
  c.indexer.heads = json.at("index_n_heads");
  c.indexer.head_dim = json.at("index_head_dim");
  c.indexer.top_k = json.at("index_topk");
}

// take(name): the values of a tensor of the part's layer.
using HfTake = std::function<std::vector<float>(const std::string& name)>;

// The last rope_dim of each `head` rows: pairs (2i, 2i + 1) to halves (i, i + rope_dim / 2).
inline std::vector<float> halves_apart(const std::vector<float>& rows, int head, int rope_dim, int k) {
  std::vector<float> out = rows;
  const int m = static_cast<int>(rows.size()) / k, nope = head - rope_dim;
  for (int row = 0; row < m; ++row) {
    const int i = row % head - nope;
    if (i < 0) continue;
    const int from = row - i + (i < rope_dim / 2 ? 2 * i : 2 * (i - rope_dim / 2) + 1);
    std::copy_n(rows.begin() + std::ptrdiff_t{from} * k, k, out.begin() + std::ptrdiff_t{row} * k);
  }
  return out;
}

inline std::vector<float> cut_kv_b(const std::vector<float>& kv_b, const model::ModelConfig& c, bool keys) {
  const model::MlaShape& m = c.mla;
  std::vector<float> out;
  for (int h = 0; h < c.heads; ++h) {
    const auto cell = [&](int row, int column) {
      return kv_b[static_cast<std::size_t>((h * (m.nope_dim + m.v_dim) + row) * m.kv_rank + column)];
    };
    if (keys) {
      for (int r = 0; r < m.kv_rank; ++r) {
        for (int n = 0; n < m.nope_dim; ++n) out.push_back(cell(n, r));
      }
    } else {
      for (int d = 0; d < m.v_dim; ++d) {
        for (int r = 0; r < m.kv_rank; ++r) out.push_back(cell(m.nope_dim + d, r));
      }
    }
  }
  return out;
}

// Empty: a part that other families have too.
inline std::vector<float> hf_deepseek_part(const model::Part& part, const model::ModelConfig& c,
                                           const HfTake& take) {
  using model::PartRole;
  static const std::map<PartRole, std::string> kPlain{
      {PartRole::kAttnQA, "self_attn.q_a_proj.weight"},
      {PartRole::kAttnQANorm, "self_attn.q_a_layernorm.weight"},
      {PartRole::kAttnKvANorm, "self_attn.kv_a_layernorm.weight"},
      {PartRole::kIndexQB, "self_attn.indexer.wq_b.weight"},
      {PartRole::kIndexK, "self_attn.indexer.wk.weight"},
      {PartRole::kIndexKNorm, "self_attn.indexer.k_norm.weight"},
      {PartRole::kIndexKNormBias, "self_attn.indexer.k_norm.bias"},
      {PartRole::kIndexW, "self_attn.indexer.weights_proj.weight"},
      {PartRole::kRouter, "mlp.gate.weight"},
      {PartRole::kRouterBias, "mlp.gate.e_score_correction_bias"},
      {PartRole::kSharedGate, "mlp.shared_experts.gate_proj.weight"},
      {PartRole::kSharedUp, "mlp.shared_experts.up_proj.weight"},
      {PartRole::kSharedDown, "mlp.shared_experts.down_proj.weight"}};
  static const std::map<PartRole, std::string> kExperts{{PartRole::kExpertsGate, "gate_proj.weight"},
                                                        {PartRole::kExpertsUp, "up_proj.weight"},
                                                        {PartRole::kExpertsDown, "down_proj.weight"}};
  if (const auto found = kPlain.find(part.role); found != kPlain.end()) return take(found->second);
  if (const auto found = kExperts.find(part.role); found != kExperts.end()) {
    std::vector<float> out;
    for (int e = 0; e < c.moe.experts; ++e) {
      const auto one = take("mlp.experts." + std::to_string(e) + "." + found->second);
      out.insert(out.end(), one.begin(), one.end());
    }
    return out;
  }
  const int rope = c.mla.rope_dim;
  switch (part.role) {
    case PartRole::kAttnQ: return halves_apart(take("self_attn.q_proj.weight"), c.head_dim, rope, part.k);
    case PartRole::kAttnQB: return halves_apart(take("self_attn.q_b_proj.weight"), c.head_dim, rope, part.k);
    case PartRole::kAttnKvA:
      return halves_apart(take("self_attn.kv_a_proj_with_mqa.weight"), part.m, rope, part.k);
    case PartRole::kAttnKB: return cut_kv_b(take("self_attn.kv_b_proj.weight"), c, true);
    case PartRole::kAttnVB: return cut_kv_b(take("self_attn.kv_b_proj.weight"), c, false);
    default: return {};
  }
}

}  // namespace adit::test
