// SPDX-License-Identifier: MIT
// tests/support/plan_models.hpp
//
// Shapes of published models, as configurations and as the config.json their folders hold.
//
// Source   the models' config.json: deepseek-ai/DeepSeek-R1-Distill-Llama-8B, DeepSeek-R1-Distill-Qwen-1.5B,
//          DeepSeek-V2-Lite
#pragma once

#include "common/model/model_config.hpp"

namespace adit::test {

inline model::ModelConfig llama_8b() {
  model::ModelConfig c;
  c.family = "llama";
  c.layers = 32, c.hidden = 4096, c.ffn = 14336, c.heads = 32, c.kv_heads = 8, c.head_dim = 128;
  c.vocab = 128256, c.context = 131072;
  return c;
}

inline model::ModelConfig qwen_15b() {
  model::ModelConfig c;
  c.family = "qwen2";
  c.layers = 28, c.hidden = 1536, c.ffn = 8960, c.heads = 12, c.kv_heads = 2, c.head_dim = 128;
  c.vocab = 151936, c.context = 131072;
  return c;
}

inline model::ModelConfig deepseek_v2_lite() {
  model::ModelConfig c;
  c.family = "deepseek_v2";
  c.layers = 27, c.hidden = 2048, c.ffn = 10944, c.heads = 16, c.kv_heads = 1, c.head_dim = 192;
  c.vocab = 102400, c.context = 163840;
  c.mla = {.q_rank = 0, .kv_rank = 512, .nope_dim = 128, .rope_dim = 64, .v_dim = 128};
  c.moe.experts = 64, c.moe.per_token = 6, c.moe.ffn = 1408, c.moe.shared_ffn = 2816, c.moe.dense_layers = 1;
  return c;
}

inline constexpr const char* kLlama8bJson = R"({"architectures": ["LlamaForCausalLM"], "attention_bias": false,
  "attention_dropout": 0.0, "bos_token_id": 128000, "eos_token_id": 128001, "head_dim": 128, "hidden_act": "silu",
  "hidden_size": 4096, "initializer_range": 0.02, "intermediate_size": 14336, "max_position_embeddings": 131072,
  "mlp_bias": false, "model_type": "llama", "num_attention_heads": 32, "num_hidden_layers": 32,
  "num_key_value_heads": 8, "pretraining_tp": 1, "rms_norm_eps": 1e-05,
  "rope_scaling": {"factor": 8.0, "high_freq_factor": 4.0, "low_freq_factor": 1.0,
    "original_max_position_embeddings": 8192, "rope_type": "llama3"},
  "rope_theta": 500000.0, "tie_word_embeddings": false, "torch_dtype": "bfloat16", "use_cache": true,
  "vocab_size": 128256})";

inline constexpr const char* kQwen15bJson = R"({"architectures": ["Qwen2ForCausalLM"], "attention_dropout": 0.0,
  "bos_token_id": 151643, "eos_token_id": 151643, "hidden_act": "silu", "hidden_size": 1536,
  "initializer_range": 0.02, "intermediate_size": 8960, "max_position_embeddings": 131072, "max_window_layers": 21,
  "model_type": "qwen2", "num_attention_heads": 12, "num_hidden_layers": 28, "num_key_value_heads": 2,
  "rms_norm_eps": 1e-06, "rope_theta": 10000, "sliding_window": 4096, "tie_word_embeddings": false,
  "torch_dtype": "bfloat16", "use_cache": true, "use_mrope": false, "use_sliding_window": false,
  "vocab_size": 151936})";

inline constexpr const char* kDeepseekV2LiteJson = R"({"architectures": ["DeepseekV2ForCausalLM"],
  "attention_bias": false, "attention_dropout": 0.0, "aux_loss_alpha": 0.001, "bos_token_id": 100000,
  "eos_token_id": 100001, "first_k_dense_replace": 1, "hidden_act": "silu", "hidden_size": 2048,
  "initializer_range": 0.02, "intermediate_size": 10944, "kv_lora_rank": 512, "max_position_embeddings": 163840,
  "model_type": "deepseek_v2", "moe_intermediate_size": 1408, "moe_layer_freq": 1, "n_group": 1,
  "n_routed_experts": 64, "n_shared_experts": 2, "norm_topk_prob": false, "num_attention_heads": 16,
  "num_experts_per_tok": 6, "num_hidden_layers": 27, "num_key_value_heads": 16, "pretraining_tp": 1,
  "q_lora_rank": null, "qk_nope_head_dim": 128, "qk_rope_head_dim": 64, "rms_norm_eps": 1e-06,
  "rope_scaling": {"beta_fast": 32, "beta_slow": 1, "factor": 40, "mscale": 0.707, "mscale_all_dim": 0.707,
    "original_max_position_embeddings": 4096, "type": "yarn"},
  "rope_theta": 10000, "routed_scaling_factor": 1.0, "scoring_func": "softmax", "seq_aux": true,
  "tie_word_embeddings": false, "topk_group": 1, "topk_method": "greedy", "torch_dtype": "bfloat16",
  "use_cache": true, "v_head_dim": 128, "vocab_size": 102400})";

}  // namespace adit::test
