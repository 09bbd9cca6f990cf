// SPDX-License-Identifier: MIT
#include "common/model/hf_model.hpp"

#include <string>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace adit::model {
namespace {

using nlohmann::json;

// The published config.json of each model (deepseek-ai, HuggingFaceTB on Hugging Face), keys that say nothing
// about the forward pass mostly left out.
const char* const kLlama8b = R"({"architectures":["LlamaForCausalLM"],"attention_bias":false,
"bos_token_id":128000,"eos_token_id":128001,"hidden_act":"silu","hidden_size":4096,"initializer_range":0.02,
"intermediate_size":14336,"max_position_embeddings":131072,"mlp_bias":false,"model_type":"llama",
"num_attention_heads":32,"num_hidden_layers":32,"num_key_value_heads":8,"pretraining_tp":1,
"rms_norm_eps":1e-05,"rope_scaling":{"factor":8.0,"high_freq_factor":4.0,"low_freq_factor":1.0,
"original_max_position_embeddings":8192,"rope_type":"llama3"},"rope_theta":500000.0,
"tie_word_embeddings":false,"torch_dtype":"bfloat16","transformers_version":"4.43.0.dev0","use_cache":true,
"vocab_size":128256})";
const char* const kQwen15b = R"({"architectures":["Qwen2ForCausalLM"],"attention_dropout":0.0,
"bos_token_id":151646,"eos_token_id":151643,"hidden_act":"silu","hidden_size":1536,"initializer_range":0.02,
"intermediate_size":8960,"max_position_embeddings":131072,"max_window_layers":21,"model_type":"qwen2",
"num_attention_heads":12,"num_hidden_layers":28,"num_key_value_heads":2,"rms_norm_eps":1e-06,
"rope_theta":10000,"sliding_window":4096,"tie_word_embeddings":false,"torch_dtype":"bfloat16",
"use_cache":true,"use_mrope":false,"use_sliding_window":false,"vocab_size":151936})";
const char* const kQwen38b = R"({"architectures":["Qwen3ForCausalLM"],"attention_bias":false,
"bos_token_id":151643,"eos_token_id":151645,"head_dim":128,"hidden_act":"silu","hidden_size":4096,
"intermediate_size":12288,"max_position_embeddings":131072,"max_window_layers":36,"model_type":"qwen3",
"num_attention_heads":32,"num_hidden_layers":36,"num_key_value_heads":8,"rms_norm_eps":1e-06,
"rope_scaling":{"attn_factor":0.8782488562869419,"factor":4.0,"original_max_position_embeddings":32768,
"rope_type":"yarn"},"rope_theta":1000000,"sliding_window":null,"tie_word_embeddings":false,
"use_sliding_window":false,"vocab_size":151936})";
const char* const kV2Lite = R"({"architectures":["DeepseekV2ForCausalLM"],"attention_bias":false,
"aux_loss_alpha":0.001,"bos_token_id":100000,"eos_token_id":100001,"first_k_dense_replace":1,
"hidden_act":"silu","hidden_size":2048,"intermediate_size":10944,"kv_lora_rank":512,
"max_position_embeddings":163840,"model_type":"deepseek_v2","moe_intermediate_size":1408,"moe_layer_freq":1,
"n_group":1,"n_routed_experts":64,"n_shared_experts":2,"norm_topk_prob":false,"num_attention_heads":16,
"num_experts_per_tok":6,"num_hidden_layers":27,"num_key_value_heads":16,"pretraining_tp":1,
"q_lora_rank":null,"qk_nope_head_dim":128,"qk_rope_head_dim":64,"rms_norm_eps":1e-06,"rope_scaling":
{"beta_fast":32,"beta_slow":1,"factor":40,"mscale":0.707,"mscale_all_dim":0.707,
"original_max_position_embeddings":4096,"type":"yarn"},"rope_theta":10000,"routed_scaling_factor":1.0,
"scoring_func":"softmax","seq_aux":true,"tie_word_embeddings":false,"topk_group":1,"topk_method":"greedy",
"v_head_dim":128,"vocab_size":102400})";
const char* const kV3 = R"({"architectures":["DeepseekV3ForCausalLM"],"attention_bias":false,"bos_token_id":0,
"eos_token_id":1,"ep_size":1,"first_k_dense_replace":3,"hidden_act":"silu","hidden_size":7168,
"intermediate_size":18432,"kv_lora_rank":512,"max_position_embeddings":163840,"model_type":"deepseek_v3",
"moe_intermediate_size":2048,"moe_layer_freq":1,"n_group":8,"n_routed_experts":256,"n_shared_experts":1,
"norm_topk_prob":true,"num_attention_heads":128,"num_experts_per_tok":8,"num_hidden_layers":61,
"num_key_value_heads":128,"num_nextn_predict_layers":1,"q_lora_rank":1536,"qk_nope_head_dim":128,
"qk_rope_head_dim":64,"quantization_config":{"activation_scheme":"dynamic","fmt":"e4m3",
"quant_method":"fp8","weight_block_size":[128,128]},"rms_norm_eps":1e-06,"rope_scaling":{"beta_fast":32,
"beta_slow":1,"factor":40,"mscale":1.0,"mscale_all_dim":1.0,"original_max_position_embeddings":4096,
"type":"yarn"},"rope_theta":10000,"routed_scaling_factor":2.5,"scoring_func":"sigmoid",
"tie_word_embeddings":false,"topk_group":4,"topk_method":"noaux_tc","v_head_dim":128,"vocab_size":129280})";

Result<ModelConfig> read(const json& config, std::string_view generation = "",
                         std::string_view tokenizer = "") {
  const std::string text = config.dump();
  return parse_hf_config({text, generation, tokenizer}, "m/");
}

ModelConfig good(const json& config, std::string_view generation = "", std::string_view tokenizer = "") {
  auto result = read(config, generation, tokenizer);
  EXPECT_TRUE(result) << (result ? "" : result.error().message);
  return result ? *result : ModelConfig{};
}

std::string refused(const json& config) {
  const auto result = read(config);
  EXPECT_FALSE(result);
  return result ? "" : result.error().message;
}

TEST(HfModel, reads_llama_with_llama3_scaling) {
  const ModelConfig c = good(json::parse(kLlama8b));
  EXPECT_EQ(c.family, "llama");
  EXPECT_EQ(c.head_dim, 128);
  EXPECT_EQ(c.kv_heads, 8);
  EXPECT_EQ(c.rope_theta, 500000);
  EXPECT_EQ(c.norm_eps, 1e-5f);
  EXPECT_EQ(c.rope.scaling, RopeScaling::kLlama3);
  EXPECT_EQ(c.rope.factor, 8);
  EXPECT_EQ(c.rope.original_context, 8192);
  EXPECT_EQ(c.stop_ids, std::vector<TokenId>{128001});
  EXPECT_EQ(c.bos, 128000);
}

TEST(HfModel, reads_both_spellings_of_rope_alike) {
  json old = json::parse(kLlama8b), fresh = old;
  fresh.erase("rope_theta");
  fresh.erase("rope_scaling");
  fresh["rope_parameters"] = old["rope_scaling"];
  fresh["rope_parameters"]["rope_theta"] = 500000.0;
  EXPECT_EQ(good(old), good(fresh));
}

TEST(HfModel, reads_qwen2) {
  const ModelConfig c = good(json::parse(kQwen15b));
  EXPECT_TRUE(c.has_qkv_bias());
  EXPECT_EQ(c.head_dim, 128);
  EXPECT_EQ(c.rope.scaling, RopeScaling::kNone);
  EXPECT_EQ(c.rope_theta, 10000);
}

TEST(HfModel, reads_qwen3_whose_attn_factor_cancels_the_usual_magnitude) {
  const ModelConfig c = good(json::parse(kQwen38b));
  EXPECT_TRUE(c.has_qk_norm());
  EXPECT_EQ(c.rope.scaling, RopeScaling::kYarn);
  EXPECT_NEAR(c.rope.attention_factor, 1.0, 1e-12);
  EXPECT_EQ(c.rope.score_factor, 1);
  json usual = json::parse(kQwen38b);
  usual["rope_scaling"].erase("attn_factor");
  EXPECT_NEAR(good(usual).rope.attention_factor, 1.138629436111989, 1e-12);
  usual["rope_scaling"]["attention_factor"] = 0.5;
  EXPECT_EQ(good(usual).rope.attention_factor, 0.5);
  usual["rope_scaling"]["attn_factor"] = 0.5;
  EXPECT_NE(refused(usual).find("rope_scaling.attn_factor"), std::string::npos);
}

TEST(HfModel, reads_deepseek_v2_lite) {
  const ModelConfig c = good(json::parse(kV2Lite));
  EXPECT_EQ(c.mla, (MlaShape{.q_rank = 0, .kv_rank = 512, .nope_dim = 128, .rope_dim = 64, .v_dim = 128}));
  EXPECT_EQ(c.head_dim, 192);
  EXPECT_EQ(c.kv_heads, 1);
  EXPECT_EQ(c.rope.attention_factor, 1);
  // (0.1 * 0.707 * ln 40 + 1)^2, by Python.
  EXPECT_NEAR(c.rope.score_factor, 1.5896, 5e-5);
  EXPECT_EQ(c.moe.experts, 64);
  EXPECT_EQ(c.moe.shared_ffn, 2816);
  EXPECT_EQ(c.moe.dense_layers, 1);
  EXPECT_EQ(c.moe.groups, 1);
  EXPECT_EQ(c.moe.router, Router::kSoftmax);
  EXPECT_FALSE(c.moe.normalise);
  EXPECT_FALSE(c.moe.has_bias);
}

TEST(HfModel, reads_deepseek_v3_and_v32) {
  const ModelConfig c = good(json::parse(kV3));
  EXPECT_EQ(c.layers, 61);
  EXPECT_EQ(c.moe.groups, 8);
  EXPECT_EQ(c.moe.groups_per_token, 4);
  EXPECT_EQ(c.moe.group_top, 2);
  EXPECT_EQ(c.moe.router, Router::kSigmoid);
  EXPECT_TRUE(c.moe.has_bias);
  EXPECT_TRUE(c.moe.normalise);
  EXPECT_EQ(c.moe.scale, 2.5);
  json v32 = json::parse(kV3);
  v32["model_type"] = "deepseek_v32";
  EXPECT_NE(refused(v32).find("index_n_heads"), std::string::npos);
  v32["index_n_heads"] = 64, v32["index_head_dim"] = 128, v32["index_topk"] = 2048;
  v32["quantization_config"]["scale_fmt"] = "ue8m0";
  EXPECT_EQ(good(v32).indexer, (IndexerShape{.heads = 64, .head_dim = 128, .top_k = 2048}));
}

TEST(HfModel, takes_stops_from_both_files_and_the_first_token_from_the_tokenizer) {
  const ModelConfig c =
      good(json::parse(kLlama8b), R"({"eos_token_id":[128008,128001,128009]})", R"({"add_bos_token":true})");
  EXPECT_EQ(c.stop_ids, (std::vector<TokenId>{128008, 128001, 128009}));
  EXPECT_TRUE(c.add_bos);
}

TEST(HfModel, refuses_what_it_does_not_understand_by_key_and_value) {
  const std::pair<const char*, json> cases[] = {
      {"attention_bias", true},
      {"mlp_bias", true},
      {"use_sliding_window", true},
      {"hidden_act", "gelu"},
      {"partial_rotary_factor", 0.5},
      {"model_type", "gemma2"},
      {"layer_types", {"full_attention", "sliding_attention"}},
      {"quantization_config", {{"quant_method", "gptq"}, {"bits", 4}}},
      {"rope_scaling", {{"rope_type", "longrope"}, {"factor", 4}}},
      {"attn_logit_softcapping", 50.0},
      {"num_hidden_layers", "12"},
      {"vocab_size", -1},
  };
  for (const auto& [key, value] : cases) {
    json config = json::parse(kLlama8b);
    config[key] = value;
    EXPECT_NE(refused(config).find(std::string("m/config.json: key ") + key), std::string::npos) << key;
  }
  // Keys that switch nothing on are let pass.
  json config = json::parse(kLlama8b);
  config["some_new_feature"] = false;
  config["another"] = nullptr;
  EXPECT_EQ(good(config), good(json::parse(kLlama8b)));
}

TEST(HfModel, refuses_deepseek_variants) {
  json config = json::parse(kV3);
  config["moe_layer_freq"] = 2;
  EXPECT_NE(refused(config).find("moe_layer_freq: 2"), std::string::npos);
  config = json::parse(kV3);
  config["topk_method"] = "random";
  EXPECT_NE(refused(config).find("topk_method"), std::string::npos);
  config = json::parse(kV2Lite);
  config["norm_topk_prob"] = true, config["routed_scaling_factor"] = 16.0;
  EXPECT_NE(refused(config).find("routed_scaling_factor"), std::string::npos);
}

}  // namespace
}  // namespace adit::model
