// SPDX-License-Identifier: MIT
#include "common/model/model_parts.hpp"

#include <fmt/core.h>

namespace adit::model {
namespace {

class PartList {
 public:
  explicit PartList(const ModelConfig& config) : c_(config) {}

  std::vector<Part> build() && {
    linear(PartRole::kEmbedding, c_.vocab, c_.hidden);
    for (layer_ = 0; layer_ < c_.layers; ++layer_) {
      vector(PartRole::kAttnNorm, c_.hidden);
      c_.is_mla() ? latent_attention() : attention();
      linear(PartRole::kAttnO, c_.hidden, c_.attention_width());
      vector(PartRole::kFfnNorm, c_.hidden);
      c_.is_moe(layer_) ? experts() : feed_forward();
    }
    layer_ = -1;
    vector(PartRole::kFinalNorm, c_.hidden);
    if (!c_.tied_head) linear(PartRole::kHead, c_.vocab, c_.hidden);
    add(PartKind::kFrequencies, PartRole::kInvFreq, 1, c_.rope_dim() / 2);
    return std::move(out_);
  }

 private:
  Part& add(PartKind kind, PartRole role, int m, int k) {
    Part part;
    part.kind = kind;
    part.role = role;
    part.layer = layer_;
    part.name = layer_ < 0 ? role_name(role) : fmt::format("layers.{}.{}", layer_, role_name(role));
    part.m = m;
    part.k = k;
    out_.push_back(std::move(part));
    return out_.back();
  }
  void vector(PartRole role, int k) { add(PartKind::kVector, role, 1, k); }
  Part& linear(PartRole role, int m, int k) { return add(PartKind::kLinear, role, m, k); }

  void attention() {
    const int q = c_.heads * c_.head_dim, kv = c_.kv_heads * c_.head_dim;
    linear(PartRole::kAttnQ, q, c_.hidden).has_bias = c_.has_qkv_bias();
    linear(PartRole::kAttnK, kv, c_.hidden).has_bias = c_.has_qkv_bias();
    linear(PartRole::kAttnV, kv, c_.hidden).has_bias = c_.has_qkv_bias();
    if (!c_.has_qk_norm()) return;
    vector(PartRole::kAttnQNorm, c_.head_dim);
    vector(PartRole::kAttnKNorm, c_.head_dim);
  }

  void latent_attention() {
    const MlaShape& m = c_.mla;
    const int q = c_.heads * c_.head_dim;
    if (m.q_rank == 0) {
      linear(PartRole::kAttnQ, q, c_.hidden);
    } else {
      linear(PartRole::kAttnQA, m.q_rank, c_.hidden);
      vector(PartRole::kAttnQANorm, m.q_rank);
      linear(PartRole::kAttnQB, q, m.q_rank);
    }
    linear(PartRole::kAttnKvA, m.kv_rank + m.rope_dim, c_.hidden);
    vector(PartRole::kAttnKvANorm, m.kv_rank);
    linear(PartRole::kAttnKB, c_.heads * m.kv_rank, m.nope_dim);
    linear(PartRole::kAttnVB, c_.heads * m.v_dim, m.kv_rank);
    if (c_.indexer.top_k == 0) return;
    const IndexerShape& x = c_.indexer;
    linear(PartRole::kIndexQB, x.heads * x.head_dim, m.q_rank);
    linear(PartRole::kIndexK, x.head_dim, c_.hidden);
    vector(PartRole::kIndexKNorm, x.head_dim);
    vector(PartRole::kIndexKNormBias, x.head_dim);
    linear(PartRole::kIndexW, x.heads, c_.hidden);
  }

  void feed_forward() {
    linear(PartRole::kFfnGate, c_.ffn, c_.hidden);
    linear(PartRole::kFfnUp, c_.ffn, c_.hidden);
    linear(PartRole::kFfnDown, c_.hidden, c_.ffn);
  }

  void experts() {
    const MoeShape& m = c_.moe;
    add(PartKind::kMatrix, PartRole::kRouter, m.experts, c_.hidden);
    if (m.has_bias) vector(PartRole::kRouterBias, m.experts);
    linear(PartRole::kExpertsGate, m.experts * m.ffn, c_.hidden);
    linear(PartRole::kExpertsUp, m.experts * m.ffn, c_.hidden);
    linear(PartRole::kExpertsDown, m.experts * c_.hidden, m.ffn);
    if (m.shared_ffn == 0) return;
    linear(PartRole::kSharedGate, m.shared_ffn, c_.hidden);
    linear(PartRole::kSharedUp, m.shared_ffn, c_.hidden);
    linear(PartRole::kSharedDown, c_.hidden, m.shared_ffn);
  }

  const ModelConfig& c_;
  int layer_ = -1;
  std::vector<Part> out_;
};

}  // namespace

const char* role_name(PartRole role) {
  switch (role) {
    case PartRole::kEmbedding: return "embedding";
    case PartRole::kAttnNorm: return "attn_norm";
    case PartRole::kAttnQ: return "attn_q";
    case PartRole::kAttnQA: return "attn_q_a";
    case PartRole::kAttnQANorm: return "attn_q_a_norm";
    case PartRole::kAttnQB: return "attn_q_b";
    case PartRole::kAttnK: return "attn_k";
    case PartRole::kAttnV: return "attn_v";
    case PartRole::kAttnQNorm: return "attn_q_norm";
    case PartRole::kAttnKNorm: return "attn_k_norm";
    case PartRole::kAttnKvA: return "attn_kv_a";
    case PartRole::kAttnKvANorm: return "attn_kv_a_norm";
    case PartRole::kAttnKB: return "attn_k_b";
    case PartRole::kAttnVB: return "attn_v_b";
    case PartRole::kIndexQB: return "index_q_b";
    case PartRole::kIndexK: return "index_k";
    case PartRole::kIndexKNorm: return "index_k_norm";
    case PartRole::kIndexKNormBias: return "index_k_norm_bias";
    case PartRole::kIndexW: return "index_w";
    case PartRole::kAttnO: return "attn_o";
    case PartRole::kFfnNorm: return "ffn_norm";
    case PartRole::kFfnGate: return "ffn_gate";
    case PartRole::kFfnUp: return "ffn_up";
    case PartRole::kFfnDown: return "ffn_down";
    case PartRole::kRouter: return "router";
    case PartRole::kRouterBias: return "router_bias";
    case PartRole::kExpertsGate: return "experts_gate";
    case PartRole::kExpertsUp: return "experts_up";
    case PartRole::kExpertsDown: return "experts_down";
    case PartRole::kSharedGate: return "shared_gate";
    case PartRole::kSharedUp: return "shared_up";
    case PartRole::kSharedDown: return "shared_down";
    case PartRole::kFinalNorm: return "final_norm";
    case PartRole::kHead: return "head";
    case PartRole::kInvFreq: return "rope.inv_freq";
  }
  return "";
}

int shared_input(PartRole role) {
  switch (role) {
    case PartRole::kAttnQ:
    case PartRole::kAttnQA:
    case PartRole::kAttnK:
    case PartRole::kAttnV:
    case PartRole::kAttnKvA:
    case PartRole::kIndexK:
    case PartRole::kIndexW: return 0;
    case PartRole::kAttnQB:
    case PartRole::kIndexQB: return 1;
    case PartRole::kFfnGate:
    case PartRole::kFfnUp:
    case PartRole::kExpertsGate:
    case PartRole::kExpertsUp:
    case PartRole::kSharedGate:
    case PartRole::kSharedUp: return 2;
    default: return -1;
  }
}

std::vector<Part> model_parts(const ModelConfig& config) {
  return PartList(config).build();
}

std::uint64_t active_weights(const ModelConfig& config) {
  std::uint64_t total = 0;
  for (const Part& part : model_parts(config)) {
    if (part.kind != PartKind::kLinear && part.kind != PartKind::kMatrix) continue;
    const std::uint64_t weights = static_cast<std::uint64_t>(part.m) * static_cast<std::uint64_t>(part.k);
    const bool routed = part.role == PartRole::kExpertsGate || part.role == PartRole::kExpertsUp ||
                        part.role == PartRole::kExpertsDown;
    if (part.role == PartRole::kEmbedding && !config.tied_head) continue;
    total += routed ? weights / static_cast<std::uint64_t>(config.moe.experts) *
                          static_cast<std::uint64_t>(config.moe.per_token)
                    : weights;
  }
  return total;
}

}  // namespace adit::model
