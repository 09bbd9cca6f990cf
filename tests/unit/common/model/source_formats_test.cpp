// SPDX-License-Identifier: MIT
// The table of families and formats: one model, several containers, the same rows and configuration.
#include <cstring>
#include <filesystem>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "common/base/files.hpp"
#include "common/model/gguf_model.hpp"
#include "common/model/weight_source.hpp"
#include "tests/support/temp_dir.hpp"

namespace adit::model {
namespace {

const std::filesystem::path kVectors = ADIT_TEST_VECTORS;

std::unique_ptr<WeightSource> open(const std::filesystem::path& path) {
  auto source = open_weights(path);
  EXPECT_TRUE(source) << (source ? "" : source.error().message);
  return source ? *std::move(source) : nullptr;
}

void expect_same(const std::filesystem::path& one, const std::filesystem::path& other) {
  SCOPED_TRACE(other.string());
  const auto a = open(one), b = open(other);
  ASSERT_TRUE(a && b);
  ModelConfig config = a->config();
  config.stop_ids = b->config().stop_ids;
  EXPECT_EQ(config_json(config), config_json(b->config()));
  for (const Part& part : model_parts(config)) {
    if (part.kind == PartKind::kFrequencies) continue;
    std::vector<float> x(static_cast<std::size_t>(part.m) * static_cast<std::size_t>(part.k)), y(x.size());
    const auto read_a = read_rows(*a, part, 0, part.m, x.data());
    const auto read_b = read_rows(*b, part, 0, part.m, y.data());
    ASSERT_TRUE(read_a && read_b) << part.name << (read_a ? "" : read_a.error().message);
    EXPECT_EQ(std::memcmp(x.data(), y.data(), x.size() * 4), 0) << part.name;
    if (!part.has_bias) continue;
    std::vector<float> p(static_cast<std::size_t>(part.m)), q(p.size());
    ASSERT_TRUE(a->bias(part, p.data()) && b->bias(part, q.data())) << part.name;
    EXPECT_EQ(p, q) << part.name;
  }
}

TEST(SourceFormats, dense_families_are_the_same_from_hugging_face_and_gguf) {
  for (const char* family : {"qwen2", "qwen3"}) {
    expect_same(kVectors / "hf" / family, kVectors / "formats" / (std::string(family) + ".gguf"));
  }
}

// GGUF has no key for llama 3's scaling over other than 8192 positions: the cell is refused with the reason.
TEST(SourceFormats, unusual_llama3_scaling_is_refused_from_gguf_only) {
  EXPECT_NE(open(kVectors / "hf/llama"), nullptr);
  const auto refused = open_weights(kVectors / "formats/llama.gguf");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kUnimplemented);
  EXPECT_NE(refused.error().message.find("rope_freqs.weight"), std::string::npos) << refused.error().message;
}

TEST(SourceFormats, llama_rows_are_put_back_in_order) {
  const auto hf = open(kVectors / "hf/llama");
  auto gguf = Gguf::open(kVectors / "formats/llama.gguf");
  ASSERT_TRUE(hf && gguf);
  const GgufTensor* tensor = gguf->find_tensor("blk.0.attn_q.weight");
  ASSERT_NE(tensor, nullptr);
  for (const Part& part : model_parts(hf->config())) {
    if (part.name != "layers.0.attn_q") continue;
    std::vector<float> x(static_cast<std::size_t>(part.k)), y(x.size());
    const int half = hf->config().head_dim / 2;
    for (int row = 0; row < part.m; ++row) {
      const int in_head = row % (2 * half);
      const int stored = row - in_head + 2 * (in_head % half) + in_head / half;
      ASSERT_TRUE(read_rows(*hf, part, row, 1, x.data()));
      ASSERT_TRUE(gguf->dequantize(*tensor, static_cast<std::uint64_t>(stored), 1, y.data()));
      EXPECT_EQ(x, y) << row;
    }
  }
}

TEST(SourceFormats, deepseek_families_are_the_same_in_every_container_and_spelling) {
  const std::filesystem::path folder = kVectors / "formats";
  expect_same(folder / "deepseek_v2", folder / "deepseek_v2.gguf");
  expect_same(folder / "deepseek_v2", folder / "deepseek_v2_legacy.gguf");
  expect_same(folder / "deepseek_v2", folder / "deepseek_v2_split-00001-of-00002.gguf");
  // F8 with scales, a layer of multi-token prediction.
  expect_same(folder / "deepseek_v3", folder / "deepseek_v3.gguf");
  expect_same(folder / "deepseek_v32", folder / "deepseek_v32.gguf");
}

TEST(SourceFormats, layers_of_multi_token_prediction_are_noted) {
  const auto source = open(kVectors / "formats/deepseek_v3");
  ASSERT_TRUE(source);
  EXPECT_EQ(source->notes(), std::vector<std::string>{"layers.2: multi-token prediction, ignored"});
}

TEST(SourceFormats, latent_attention_is_split_and_transposed) {
  const auto source = open(kVectors / "formats/deepseek_v2");
  ASSERT_TRUE(source);
  const MlaShape& mla = source->config().mla;
  std::vector<float> keys;
  for (const Part& part : model_parts(source->config())) {
    if (part.name != "layers.0.attn_k_b") continue;
    keys.resize(static_cast<std::size_t>(part.m) * static_cast<std::size_t>(part.k));
    ASSERT_TRUE(read_rows(*source, part, 0, part.m, keys.data()));
    EXPECT_EQ(part.m, source->config().heads * mla.kv_rank);
    EXPECT_EQ(part.k, mla.nope_dim);
    // Any order of asking gives the same rows.
    for (int row = part.m - 1; row >= 0; row -= 3) {
      std::vector<float> one(static_cast<std::size_t>(part.k));
      ASSERT_TRUE(read_rows(*source, part, row, 1, one.data()));
      EXPECT_EQ(std::memcmp(one.data(), keys.data() + row * part.k, one.size() * 4), 0);
    }
  }
  EXPECT_FALSE(keys.empty());
}

class BrokenFolder : public ::testing::Test {
 protected:
  void SetUp() override { std::filesystem::copy(kVectors / "formats/deepseek_v3", dir_.path() / "m"); }
  std::string refused() const {
    const auto source = open_weights(dir_.path() / "m");
    EXPECT_FALSE(source);
    return source ? "" : source.error().message;
  }
  std::string text(const char* name) const {
    const Bytes bytes = read_file(dir_.path() / "m" / name, 1 << 20).value();
    return std::string(as_text(bytes));
  }
  void replace(const char* name, const std::string& from, const std::string& to) const {
    std::string content = text(name);
    const auto at = content.find(from);
    ASSERT_NE(at, std::string::npos) << from;
    content.replace(at, from.size(), to);
    ASSERT_TRUE(write_file_atomic(dir_.path() / "m" / name, as_bytes(content)));
  }
  test::TempDir dir_;
};

TEST_F(BrokenFolder, a_missing_shard_is_named) {
  std::filesystem::remove(dir_.path() / "m/model-00002-of-00002.safetensors");
  EXPECT_NE(refused().find("model-00002-of-00002.safetensors"), std::string::npos);
}

TEST_F(BrokenFolder, an_index_that_points_elsewhere_is_refused) {
  replace("model.safetensors.index.json", "model-00001-of-00002.safetensors",
          "../x-00001-of-00002.safetensors");
  EXPECT_NE(refused().find("weight_map"), std::string::npos);
}

TEST_F(BrokenFolder, an_index_and_its_files_must_agree) {
  replace("model.safetensors.index.json", "model.norm.weight", "model.norm.weighs");
  EXPECT_NE(refused().find("model.norm.weigh"), std::string::npos);
}

TEST_F(BrokenFolder, f8_without_scales_is_refused) {
  const std::string name = "model.layers.0.self_attn.o_proj.weight_scale_inv";
  const std::string other = "model.layers.9.self_attn.o_proj.weight_scale_inv";
  replace("model.safetensors.index.json", name, other);
  replace("model-00001-of-00002.safetensors", name, other);
  EXPECT_NE(refused().find("model.layers.0.self_attn.o_proj.weight: F8 without"), std::string::npos);
}

TEST_F(BrokenFolder, an_unknown_tensor_is_refused_by_name) {
  const std::string name = "model.layers.0.self_attn.o_proj.weight_scale_inv";
  const std::string other = "model.layers.0.self_attn.o_proj.weight_scale_inx";
  replace("model.safetensors.index.json", name, other);
  replace("model-00001-of-00002.safetensors", name, other);
  EXPECT_NE(refused().find("o_proj.weight"), std::string::npos);
}

TEST_F(BrokenFolder, shapes_must_agree_with_the_configuration) {
  replace("config.json", "\"v_head_dim\": 16", "\"v_head_dim\": 32");
  EXPECT_NE(refused().find("expected"), std::string::npos);
}

TEST(SplitFiles, a_missing_or_foreign_file_is_refused) {
  const test::TempDir dir;
  const std::string first = "deepseek_v2_split-00001-of-00002.gguf";
  const std::string second = "deepseek_v2_split-00002-of-00002.gguf";
  std::filesystem::copy(kVectors / "formats" / first, dir.path() / first);
  auto result = open_weights(dir.path() / first);
  ASSERT_FALSE(result);
  EXPECT_NE(result.error().message.find(second), std::string::npos) << result.error().message;
  std::filesystem::copy(kVectors / "formats/deepseek_v3.gguf", dir.path() / second);
  result = open_weights(dir.path() / first);
  ASSERT_FALSE(result);
  EXPECT_NE(result.error().message.find("split.no"), std::string::npos) << result.error().message;
  std::filesystem::copy(kVectors / "formats" / second, dir.path() / "second.gguf");
  EXPECT_FALSE(open_weights(dir.path() / "second.gguf"));
}

}  // namespace
}  // namespace adit::model
