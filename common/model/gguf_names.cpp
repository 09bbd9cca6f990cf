// SPDX-License-Identifier: MIT
#include "common/model/gguf_names.hpp"

#include <fmt/core.h>

namespace adit::model {
namespace {

// Inside a layer, without ".weight"; nullptr for parts of no layer.
const char* layer_name(PartRole role) {
  switch (role) {
    case PartRole::kAttnKvA:
      return "attn_kv_a_mqa";
    case PartRole::kAttnO:
      return "attn_output";
    case PartRole::kIndexQB:
      return "indexer.attn_q_b";
    case PartRole::kIndexK:
      return "indexer.attn_k";
    case PartRole::kIndexKNorm:
    case PartRole::kIndexKNormBias:
      return "indexer.k_norm";
    case PartRole::kIndexW:
      return "indexer.proj";
    case PartRole::kRouter:
      return "ffn_gate_inp";
    case PartRole::kRouterBias:
      return "exp_probs_b";
    case PartRole::kExpertsGate:
      return "ffn_gate_exps";
    case PartRole::kExpertsUp:
      return "ffn_up_exps";
    case PartRole::kExpertsDown:
      return "ffn_down_exps";
    case PartRole::kSharedGate:
      return "ffn_gate_shexp";
    case PartRole::kSharedUp:
      return "ffn_up_shexp";
    case PartRole::kSharedDown:
      return "ffn_down_shexp";
    // attn_q, attn_k_b, ffn_norm, …: the same names as ours.
    default:
      return role_name(role);
  }
}

std::string full_name(const Part& part) {
  switch (part.role) {
    case PartRole::kEmbedding:
      return "token_embd.weight";
    case PartRole::kFinalNorm:
      return "output_norm.weight";
    case PartRole::kHead:
      return "output.weight";
    default:
      break;
  }
  const bool is_bias = part.role == PartRole::kRouterBias || part.role == PartRole::kIndexKNormBias;
  return fmt::format("blk.{}.{}.{}", part.layer, layer_name(part.role), is_bias ? "bias" : "weight");
}

RowOrder order_of(const Part& part, const ModelConfig& config, bool has_kv_b) {
  switch (part.role) {
    case PartRole::kAttnQ:
      if (config.is_mla()) return RowOrder::kMlaQuery;
      return config.family == "llama" ? RowOrder::kInterleavedHeads : RowOrder::kPlain;
    case PartRole::kAttnK:
      return config.family == "llama" ? RowOrder::kInterleavedHeads : RowOrder::kPlain;
    case PartRole::kAttnQB:
      return RowOrder::kMlaQuery;
    case PartRole::kAttnKvA:
      return RowOrder::kMlaLatent;
    case PartRole::kAttnKB:
      return has_kv_b ? RowOrder::kKvBKey : RowOrder::kPlain;
    case PartRole::kAttnVB:
      return has_kv_b ? RowOrder::kKvBValue : RowOrder::kPlain;
    default:
      return RowOrder::kPlain;
  }
}

const char* apart_name(PartRole role) {
  switch (role) {
    case PartRole::kExpertsGate:
      return "ffn_gate";
    case PartRole::kExpertsUp:
      return "ffn_up";
    case PartRole::kExpertsDown:
      return "ffn_down";
    default:
      return nullptr;
  }
}

}  // namespace

PartNames gguf_part_names(const Part& part, const ModelConfig& config, const StoredTensors& stored) {
  const bool of_kv_b = part.role == PartRole::kAttnKB || part.role == PartRole::kAttnVB;
  std::string name = full_name(part);
  const bool has_kv_b = of_kv_b && stored.find(name) == nullptr;
  if (has_kv_b) name = fmt::format("blk.{}.attn_kv_b.weight", part.layer);
  PartNames out;
  out.order = order_of(part, config, has_kv_b);
  if (part.has_bias) out.bias = fmt::format("blk.{}.{}.bias", part.layer, layer_name(part.role));
  const char* apart = apart_name(part.role);
  if (apart == nullptr || stored.find(name) != nullptr) {
    out.tensors.push_back(std::move(name));
    return out;
  }
  // Neither spelling: the message should name the usual one.
  if (stored.find(fmt::format("blk.{}.{}.0.weight", part.layer, apart)) == nullptr) {
    out.tensors.push_back(std::move(name));
    return out;
  }
  for (int expert = 0; expert < config.moe.experts; ++expert) {
    out.tensors.push_back(fmt::format("blk.{}.{}.{}.weight", part.layer, apart, expert));
  }
  return out;
}

}  // namespace adit::model
