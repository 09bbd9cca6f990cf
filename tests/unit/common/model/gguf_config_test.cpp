// SPDX-License-Identifier: MIT
#include <cmath>
#include <functional>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "common/model/gguf_model.hpp"
#include "common/model/rope_frequencies.hpp"
#include "tests/support/gguf_writer.hpp"

namespace adit::model {
namespace {

using Change = std::function<void(test::GgufWriter&)>;

Bytes finish(test::GgufWriter& gguf) {
  gguf.u32("tokenizer.ggml.bos_token_id", 1);
  gguf.u32("tokenizer.ggml.eos_token_id", 2);
  gguf.u32("tokenizer.ggml.eot_token_id", 3);
  const std::vector<float> embedding(64 * 4);
  gguf.tensor("token_embd.weight", {64, 4}, 0,
              {reinterpret_cast<const std::uint8_t*>(embedding.data()), 1024});
  return gguf.finish();
}

void dense(test::GgufWriter& gguf, const std::string& arch) {
  gguf.string("general.architecture", arch);
  gguf.u32(arch + ".block_count", 2);
  gguf.u32(arch + ".embedding_length", 64);
  gguf.u32(arch + ".feed_forward_length", 96);
  gguf.u32(arch + ".attention.head_count", 4);
  gguf.u32(arch + ".attention.head_count_kv", 2);
  gguf.u32(arch + ".context_length", 131072);
  gguf.f32(arch + ".attention.layer_norm_rms_epsilon", 1e-6f);
}

void deepseek(test::GgufWriter& gguf, const std::string& arch) {
  dense(gguf, arch);
  gguf.u32(arch + ".attention.q_lora_rank", 48);
  gguf.u32(arch + ".attention.kv_lora_rank", 32);
  gguf.u32(arch + ".attention.key_length", 48);
  gguf.u32(arch + ".attention.value_length", 32);
  gguf.u32(arch + ".attention.key_length_mla", 24);
  gguf.u32(arch + ".attention.value_length_mla", 16);
  gguf.u32(arch + ".rope.dimension_count", 16);
  gguf.u32(arch + ".expert_count", 8);
  gguf.u32(arch + ".expert_used_count", 2);
  gguf.u32(arch + ".expert_feed_forward_length", 32);
  gguf.u32(arch + ".expert_shared_count", 1);
  gguf.u32(arch + ".leading_dense_block_count", 1);
  gguf.f32(arch + ".expert_weights_scale", 2.5f);
  gguf.u32(arch + ".expert_gating_func", 2);
  gguf.boolean(arch + ".expert_weights_norm", 1);
  gguf.u32(arch + ".expert_group_count", 4);
  gguf.u32(arch + ".expert_group_used_count", 2);
  gguf.string(arch + ".rope.scaling.type", "yarn");
  gguf.f32(arch + ".rope.scaling.factor", 40);
  gguf.u32(arch + ".rope.scaling.original_context_length", 4096);
  gguf.f32(arch + ".rope.scaling.yarn_log_multiplier", 0.0707f);
}

Result<ModelConfig> read(test::GgufWriter& gguf) {
  const Bytes bytes = finish(gguf);
  ADIT_TRY(const Gguf file, Gguf::parse(bytes, "f"));
  return config_from_gguf(file);
}

ModelConfig good(test::GgufWriter& gguf) {
  auto result = read(gguf);
  EXPECT_TRUE(result) << (result ? "" : result.error().message);
  return result ? *result : ModelConfig{};
}

std::string refused(const std::string& arch, const Change& change) {
  test::GgufWriter gguf;
  arch.starts_with("deepseek") ? deepseek(gguf, arch) : dense(gguf, arch);
  change(gguf);
  const auto result = read(gguf);
  EXPECT_FALSE(result);
  return result ? "" : result.error().message;
}

TEST(GgufConfig, reads_the_dense_architectures) {
  for (const char* arch : {"llama", "qwen2", "qwen3"}) {
    test::GgufWriter gguf;
    dense(gguf, arch);
    gguf.f32(std::string(arch) + ".rope.freq_base", 1000000.0f);
    const ModelConfig c = good(gguf);
    EXPECT_EQ(c.family, arch);
    EXPECT_EQ(c.head_dim, 16);
    EXPECT_EQ(c.rope_theta, 1e6);
    EXPECT_EQ(c.stop_ids, (std::vector<TokenId>{2, 3}));
    EXPECT_TRUE(c.tied_head);
  }
}

TEST(GgufConfig, reads_yarn_with_and_without_its_factor) {
  test::GgufWriter gguf;
  dense(gguf, "qwen3");
  gguf.string("qwen3.rope.scaling.type", "yarn");
  gguf.f32("qwen3.rope.scaling.factor", 4);
  gguf.u32("qwen3.rope.scaling.original_context_length", 32768);
  test::GgufWriter with = gguf;
  with.f32("qwen3.rope.scaling.attn_factor", 0.8782488562869419f);
  EXPECT_NEAR(good(gguf).rope.attention_factor, 1.138629436111989, 1e-12);
  EXPECT_NEAR(good(with).rope.attention_factor, 1.0, 1e-7);
}

TEST(GgufConfig, reads_deepseek_in_both_spellings_of_its_heads) {
  test::GgufWriter gguf;
  deepseek(gguf, "deepseek2");
  const ModelConfig c = good(gguf);
  EXPECT_EQ(c.family, "deepseek_v3");
  EXPECT_EQ(c.mla, (MlaShape{.q_rank = 48, .kv_rank = 32, .nope_dim = 8, .rope_dim = 16, .v_dim = 16}));
  EXPECT_EQ(c.kv_heads, 1);
  EXPECT_EQ(c.moe.scale, 2.5);
  EXPECT_EQ(c.moe.groups, 4);
  EXPECT_TRUE(c.moe.normalise);
  EXPECT_EQ(c.rope.attention_factor, 1);
  const double magnitude = yarn_magnitude(40, 0.707);
  EXPECT_EQ(c.rope.score_factor, magnitude * magnitude);
}

TEST(GgufConfig, reads_the_indexer) {
  test::GgufWriter gguf;
  deepseek(gguf, "deepseek32");
  gguf.u32("deepseek32.attention.indexer.head_count", 4);
  gguf.u32("deepseek32.attention.indexer.key_length", 32);
  gguf.u32("deepseek32.attention.indexer.top_k", 64);
  gguf.u32("deepseek32.nextn_predict_layers", 0);
  const ModelConfig c = good(gguf);
  EXPECT_EQ(c.family, "deepseek_v32");
  EXPECT_EQ(c.indexer, (IndexerShape{.heads = 4, .head_dim = 32, .top_k = 64}));
}

// What llama.cpp's converter computes for llama 3 (conversion/llama.py), in f32.
std::vector<float> llama3_divisors(float theta, int dim, float factor, float high) {
  std::vector<float> out;
  for (int i = 0; i < dim / 2; ++i) {
    const float frequency = 1.0f / std::pow(theta, static_cast<float>(2 * i) / static_cast<float>(dim));
    const float wavelength = 2.0f * 3.14159265f / frequency;
    if (wavelength < 8192.0f / high) {
      out.push_back(1);
    } else if (wavelength > 8192.0f) {
      out.push_back(factor);
    } else {
      const float smooth = (8192.0f / wavelength - 1.0f) / (high - 1.0f);
      out.push_back(1.0f / ((1.0f - smooth) / factor + smooth));
    }
  }
  return out;
}

Change with_divisors(std::vector<float> divisors) {
  return [divisors = std::move(divisors)](test::GgufWriter& gguf) {
    gguf.f32("llama.rope.freq_base", 500000.0f);
    gguf.u32("llama.attention.key_length", 64);
    gguf.u32("llama.attention.value_length", 64);
    gguf.u32("llama.rope.dimension_count", 64);
    gguf.tensor("rope_freqs.weight", {divisors.size()}, 0,
                {reinterpret_cast<const std::uint8_t*>(divisors.data()), divisors.size() * 4});
  };
}

TEST(GgufConfig, recognises_llama3_scaling_in_a_tensor_and_nothing_else) {
  for (const float factor : {8.0f, 32.0f}) {
    test::GgufWriter gguf;
    dense(gguf, "llama");
    with_divisors(llama3_divisors(500000, 64, factor, 4))(gguf);
    const ModelConfig c = good(gguf);
    EXPECT_EQ(c.rope.scaling, RopeScaling::kLlama3);
    EXPECT_EQ(c.rope.factor, static_cast<double>(factor));
    EXPECT_EQ(c.rope.original_context, 8192);
  }
  EXPECT_NE(refused("llama", with_divisors(llama3_divisors(500000, 64, 8, 2))).find("rope_freqs.weight"),
            std::string::npos);
  EXPECT_NE(refused("llama", with_divisors(std::vector<float>(8, 1.0f))).find("expected 32"),
            std::string::npos);
}

TEST(GgufConfig, refuses_what_it_does_not_understand) {
  EXPECT_NE(
      refused("llama", [](auto& g) { g.string("llama.rope.scaling.type", "longrope"); }).find("longrope"),
      std::string::npos);
  EXPECT_NE(refused("llama", [](auto& g) { g.u32("llama.expert_count", 8); }).find("llama.expert_count"),
            std::string::npos);
  EXPECT_NE(refused("qwen2", [](auto& g) { g.u32("qwen2.attention.sliding_window", 4096); }).find("sliding"),
            std::string::npos);
  EXPECT_NE(refused("llama", [](auto& g) { g.boolean("llama.attention.causal", 0); }).find("causal"),
            std::string::npos);
  EXPECT_NE(refused("deepseek2", [](auto& g) { g.f32("deepseek2.rope.scaling.attn_factor", 2); }).find("MLA"),
            std::string::npos);
}

}  // namespace
}  // namespace adit::model
