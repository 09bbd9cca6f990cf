// SPDX-License-Identifier: MIT
#include "common/model/hf_names.hpp"

#include <fmt/core.h>

namespace adit::model {
namespace {

// Inside a layer.
const char* layer_name(PartRole role) {
  switch (role) {
    case PartRole::kAttnNorm:
      return "input_layernorm.weight";
    case PartRole::kAttnQ:
      return "self_attn.q_proj.weight";
    case PartRole::kAttnQA:
      return "self_attn.q_a_proj.weight";
    case PartRole::kAttnQANorm:
      return "self_attn.q_a_layernorm.weight";
    case PartRole::kAttnQB:
      return "self_attn.q_b_proj.weight";
    case PartRole::kAttnK:
      return "self_attn.k_proj.weight";
    case PartRole::kAttnV:
      return "self_attn.v_proj.weight";
    case PartRole::kAttnQNorm:
      return "self_attn.q_norm.weight";
    case PartRole::kAttnKNorm:
      return "self_attn.k_norm.weight";
    case PartRole::kAttnKvA:
      return "self_attn.kv_a_proj_with_mqa.weight";
    case PartRole::kAttnKvANorm:
      return "self_attn.kv_a_layernorm.weight";
    case PartRole::kAttnKB:
    case PartRole::kAttnVB:
      return "self_attn.kv_b_proj.weight";
    case PartRole::kIndexQB:
      return "self_attn.indexer.wq_b.weight";
    case PartRole::kIndexK:
      return "self_attn.indexer.wk.weight";
    case PartRole::kIndexKNorm:
      return "self_attn.indexer.k_norm.weight";
    case PartRole::kIndexKNormBias:
      return "self_attn.indexer.k_norm.bias";
    case PartRole::kIndexW:
      return "self_attn.indexer.weights_proj.weight";
    case PartRole::kAttnO:
      return "self_attn.o_proj.weight";
    case PartRole::kFfnNorm:
      return "post_attention_layernorm.weight";
    case PartRole::kFfnGate:
      return "mlp.gate_proj.weight";
    case PartRole::kFfnUp:
      return "mlp.up_proj.weight";
    case PartRole::kFfnDown:
      return "mlp.down_proj.weight";
    case PartRole::kRouter:
      return "mlp.gate.weight";
    case PartRole::kRouterBias:
      return "mlp.gate.e_score_correction_bias";
    case PartRole::kSharedGate:
      return "mlp.shared_experts.gate_proj.weight";
    case PartRole::kSharedUp:
      return "mlp.shared_experts.up_proj.weight";
    case PartRole::kSharedDown:
      return "mlp.shared_experts.down_proj.weight";
    default:
      return "";
  }
}

RowOrder order_of(const Part& part, const ModelConfig& config) {
  switch (part.role) {
    case PartRole::kAttnQ:
      return config.is_mla() ? RowOrder::kMlaQuery : RowOrder::kPlain;
    case PartRole::kAttnQB:
      return RowOrder::kMlaQuery;
    case PartRole::kAttnKvA:
      return RowOrder::kMlaLatent;
    case PartRole::kAttnKB:
      return RowOrder::kKvBKey;
    case PartRole::kAttnVB:
      return RowOrder::kKvBValue;
    default:
      return RowOrder::kPlain;
  }
}

const char* projection(PartRole role) {
  switch (role) {
    case PartRole::kExpertsGate:
      return "gate_proj";
    case PartRole::kExpertsUp:
      return "up_proj";
    case PartRole::kExpertsDown:
      return "down_proj";
    default:
      return nullptr;
  }
}

// Stored apart, or (as transformers 5 holds them in memory) all of a layer in one tensor.
PartNames expert_names(const Part& part, const ModelConfig& config, const StoredTensors& stored) {
  const std::string experts = fmt::format("model.layers.{}.mlp.experts.", part.layer);
  PartNames out;
  const bool is_down = part.role == PartRole::kExpertsDown;
  const std::string fused = experts + (is_down ? "down_proj" : "gate_up_proj");
  if (stored.find(fused) != nullptr) {
    out.tensors.push_back(fused);
    if (!is_down) {
      out.order = part.role == PartRole::kExpertsGate ? RowOrder::kGateOfBoth : RowOrder::kUpOfBoth;
    }
    return out;
  }
  for (int expert = 0; expert < config.moe.experts; ++expert) {
    out.tensors.push_back(fmt::format("{}{}.{}.weight", experts, expert, projection(part.role)));
    // A file that has not even the first one needs no list of all.
    if (expert == 0 && stored.find(out.tensors[0]) == nullptr) break;
  }
  return out;
}

}  // namespace

PartNames hf_part_names(const Part& part, const ModelConfig& config, const StoredTensors& stored) {
  if (projection(part.role) != nullptr) return expert_names(part, config, stored);
  PartNames out;
  switch (part.role) {
    case PartRole::kEmbedding:
      out.tensors = {"model.embed_tokens.weight"};
      return out;
    case PartRole::kFinalNorm:
      out.tensors = {"model.norm.weight"};
      return out;
    case PartRole::kHead:
      out.tensors = {"lm_head.weight"};
      return out;
    default:
      break;
  }
  const std::string name = fmt::format("model.layers.{}.{}", part.layer, layer_name(part.role));
  out.tensors = {name};
  out.order = order_of(part, config);
  constexpr std::string_view kWeight = "weight";
  if (part.has_bias) out.bias = name.substr(0, name.size() - kWeight.size()) + "bias";
  return out;
}

}  // namespace adit::model
