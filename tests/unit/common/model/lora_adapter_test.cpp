// SPDX-License-Identifier: MIT
#include "common/model/lora_adapter.hpp"

#include <bit>
#include <cmath>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "common/model/hf_model.hpp"

namespace adit::model {
namespace {

using nlohmann::json;

// A safetensors file of F32 or BF16 matrices whose values are 1, 2, 3, …
struct Tensors {
  struct Entry {
    std::string name;
    int rows = 0;
    int columns = 0;
  };
  std::vector<Entry> entries;
  bool bf16 = false;

  Bytes bytes() const {
    json table = json::object();
    Bytes data;
    for (const Entry& entry : entries) {
      const std::size_t begin = data.size();
      for (int i = 0; i < entry.rows * entry.columns; ++i) {
        const auto bits = std::bit_cast<std::uint32_t>(static_cast<float>(i + 1));
        if (bf16) {
          append_le(data, static_cast<std::uint16_t>(bits >> 16));
        } else {
          append_le(data, bits);
        }
      }
      table[entry.name] = {{"dtype", bf16 ? "BF16" : "F32"},
                           {"shape", {entry.rows, entry.columns}},
                           {"data_offsets", {begin, data.size()}}};
    }
    // The table lists by name; offsets are as written.
    const std::string text = table.dump();
    Bytes out;
    append_le(out, static_cast<std::uint64_t>(text.size()));
    append(out, as_bytes(text));
    append(out, data);
    return out;
  }
};

ModelConfig config_of(const char* folder) {
  return config_from_hf(std::filesystem::path(ADIT_TEST_VECTORS) / folder).value();
}

const std::string kModule = "base_model.model.model.layers.0.self_attn.q_proj";

Tensors pair(const std::string& module, int in, int out, int rank) {
  return {{{module + ".lora_A.weight", rank, in}, {module + ".lora_B.weight", out, rank}}, false};
}

json settings() {
  return json::parse(R"({"peft_type":"LORA","r":4,"lora_alpha":8,"target_modules":["q_proj"],"bias":"none",
    "use_dora":false,"use_rslora":false,"task_type":"CAUSAL_LM","lora_dropout":0.1,"modules_to_save":null,
    "init_lora_weights":true,"rank_pattern":{},"alpha_pattern":{},"fan_in_fan_out":false})");
}

Result<LoraAdapter> read(const json& config, const Tensors& tensors, const char* folder = "hf/qwen2") {
  const std::string text = config.dump();
  const Bytes bytes = tensors.bytes();
  return parse_lora(text, bytes, "a/", config_of(folder));
}

TEST(LoraAdapter, reads_a_pair) {
  Tensors tensors = pair(kModule, 48, 48, 4);
  const auto adapter = read(settings(), tensors);
  ASSERT_TRUE(adapter) << adapter.error().message;
  ASSERT_EQ(adapter->pairs.size(), 1u);
  const LoraPair& p = adapter->pairs[0];
  EXPECT_EQ(p.part.name, "layers.0.attn_q");
  EXPECT_EQ(p.rank, 4);
  EXPECT_EQ(p.scale, 2.0f);
  EXPECT_EQ(p.a[49], 50.0f);
  EXPECT_EQ(p.b[5], 6.0f);
  tensors.bf16 = true;
  EXPECT_EQ(read(settings(), tensors)->pairs[0].a[10], 11.0f);
}

TEST(LoraAdapter, scales_as_peft_does) {
  json config = settings();
  config["use_rslora"] = true;
  EXPECT_EQ(read(config, pair(kModule, 48, 48, 4))->pairs[0].scale, 4.0f);
  config["rank_pattern"] = {{"q_proj", 2}};
  config["alpha_pattern"] = {{"layers.0.self_attn.q_proj", 3}};
  const auto adapter = read(config, pair(kModule, 48, 48, 2));
  ASSERT_TRUE(adapter) << adapter.error().message;
  EXPECT_EQ(adapter->pairs[0].scale, static_cast<float>(3 / std::sqrt(2.0)));
  // A pattern is a whole module's name or its end after a dot, not any end.
  config["rank_pattern"] = {{"proj", 2}};
  EXPECT_FALSE(read(config, pair(kModule, 48, 48, 2)));
}

TEST(LoraAdapter, puts_rope_rows_of_latent_attention_in_our_order) {
  const auto adapter = read(settings(), pair(kModule, 32, 32, 4), "formats/deepseek_v2");
  ASSERT_TRUE(adapter) << adapter.error().message;
  const LoraPair& p = adapter->pairs[0];
  // Head 0: 8 plain rows, then 8 whose stored order is 0, 2, 4, 6, 1, 3, 5, 7.
  const int stored[16] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 10, 12, 14, 9, 11, 13, 15};
  for (std::size_t row = 0; row < 16; ++row) {
    EXPECT_EQ(p.b[4 * row], static_cast<float>(4 * stored[row] + 1)) << row;
  }
}

TEST(LoraAdapter, refuses_with_the_reason) {
  const std::pair<const char*, json> cases[] = {
      {"use_dora", true},
      {"bias", "all"},
      {"modules_to_save", {"lm_head"}},
      {"init_lora_weights", "pissa"},
      {"peft_type", "IA3"},
      {"lora_bias", true},
      {"rank_pattern", {{".*q_proj", 2}}},
      {"target_parameters", {"x"}},
      {"r", 0},
      {"layer_replication", {{0, 1}}},
  };
  for (const auto& [key, value] : cases) {
    json config = settings();
    config[key] = value;
    const auto result = read(config, pair(kModule, 48, 48, 4));
    ASSERT_FALSE(result) << key;
    EXPECT_NE(result.error().message.find(std::string("a/adapter_config.json: key ") + key),
              std::string::npos)
        << result.error().message;
  }
}

TEST(LoraAdapter, refuses_tensors_that_do_not_fit) {
  const auto message = [](const Tensors& tensors, const char* folder = "hf/qwen2") {
    const auto result = read(settings(), tensors, folder);
    EXPECT_FALSE(result);
    return result ? "" : result.error().message;
  };
  EXPECT_NE(message(pair(kModule, 40, 48, 4)).find("expected 4 x 48"), std::string::npos);
  EXPECT_NE(message(pair(kModule, 48, 48, 5)).find("expected 4 x 48"), std::string::npos);
  Tensors half = pair(kModule, 48, 48, 4);
  half.entries.pop_back();
  EXPECT_NE(message(half).find("has no lora_B"), std::string::npos);
  EXPECT_NE(message(pair("base_model.model.model.layers.7.self_attn.q_proj", 48, 48, 4)).find("layers.7"),
            std::string::npos);
  EXPECT_NE(
      message(pair("base_model.model.model.layers.0.self_attn.kv_b_proj", 16, 48, 4), "formats/deepseek_v2")
          .find("takes no adapter"),
      std::string::npos);
  EXPECT_NE(message(pair("base_model.model.model.embed_tokens", 48, 259, 4)).find("takes no adapter"),
            std::string::npos);
  Tensors other = pair(kModule, 48, 48, 4);
  other.entries[0].name = "base_model.model.model.embed_tokens.lora_embedding_A";
  EXPECT_NE(message(other).find("lora_embedding_A"), std::string::npos);
}

}  // namespace
}  // namespace adit::model
