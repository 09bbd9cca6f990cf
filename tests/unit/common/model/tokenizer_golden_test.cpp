// SPDX-License-Identifier: MIT
// Ids and texts equal to Hugging Face's tokenizers (tests/vectors/tokenizer/make_vectors.py).
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "common/base/bytes.hpp"
#include "common/base/files.hpp"
#include "common/model/gguf.hpp"
#include "common/model/tokenizer.hpp"
#include "tests/support/gz_lines.hpp"
#include "tests/support/test_model.hpp"

namespace adit::model {
namespace {

constexpr int kFailuresShown = 10;

// Every line of the file: encode both ways, decode, and decode as a stream.
void check_vectors(const Tokenizer& tokenizer, const std::string& name, std::size_t lines_min) {
  const auto lines = test::gz_lines(name);
  EXPECT_GE(lines.size(), lines_min);
  int failures = 0;
  for (const std::string& line : lines) {
    if (failures >= kFailuresShown) break;
    const auto item = nlohmann::json::parse(line);
    const std::string text = item.contains("x")
                                 ? std::string(as_text(from_hex(item.at("x").get<std::string>()).value()))
                                 : item.at("t").get<std::string>();
    const auto ids = item.at("i").get<std::vector<TokenId>>();
    const auto plain = item.value("p", ids);
    const std::string decoded = item.value("d", text);
    EXPECT_EQ(tokenizer.encode(text, true).value(), ids) << line.substr(0, 200);
    EXPECT_EQ(tokenizer.encode(text, false).value(), plain) << line.substr(0, 200);
    EXPECT_EQ(tokenizer.decode(ids), decoded) << line.substr(0, 200);
    StreamDecoder stream(tokenizer, false);
    std::string streamed;
    for (const TokenId id : ids) streamed += stream.push(id);
    streamed += stream.finish();
    EXPECT_EQ(streamed, decoded) << line.substr(0, 200);
    failures += testing::Test::HasFailure() ? 1 : 0;
  }
}

Result<Tokenizer> tokenizer_of_file(const std::string& name) {
  ADIT_TRY(const Bytes blob, read_file(std::string(ADIT_TEST_VECTORS) + "/" + name, 1u << 20));
  return Tokenizer::from_blob(as_text(blob));
}

TEST(TokenizerGolden, small_vocabulary_with_single_digits) {
  const auto tokenizer = tokenizer_of_file("tokenizer/tiny-smollm.json");
  ASSERT_TRUE(tokenizer.has_value()) << tokenizer.error().message;
  check_vectors(*tokenizer, "tokenizer/tiny-smollm.jsonl.gz", 600);
}

TEST(TokenizerGolden, small_vocabulary_with_runs_of_digits) {
  const auto tokenizer = tokenizer_of_file("tokenizer/tiny-gpt2.json");
  ASSERT_TRUE(tokenizer.has_value()) << tokenizer.error().message;
  check_vectors(*tokenizer, "tokenizer/tiny-gpt2.jsonl.gz", 600);
}

Result<TokenizerParts> parts_of_model(const std::filesystem::path& path) {
  ADIT_TRY(const Gguf gguf, Gguf::open(path));
  TokenizerParts parts;
  ADIT_TRY(parts.kind, gguf.string_at("tokenizer.ggml.model"));
  ADIT_TRY(parts.pre, gguf.string_at("tokenizer.ggml.pre"));
  ADIT_TRY(parts.tokens, gguf.strings_at("tokenizer.ggml.tokens"));
  ADIT_TRY(parts.merges, gguf.strings_at("tokenizer.ggml.merges"));
  ADIT_TRY(const auto types, gguf.integers_at("tokenizer.ggml.token_type"));
  parts.types.assign(types.begin(), types.end());
  parts.bos = 1;
  parts.eos = 2;
  parts.pad = 2;
  parts.unk = 0;
  return parts;
}

TEST(TokenizerGolden, smollm2) {
  const auto path = test::test_model();
  if (!path) GTEST_SKIP() << test::kNoTestModel;
  const auto parts = parts_of_model(*path);
  ASSERT_TRUE(parts.has_value()) << parts.error().message;
  const auto blob = make_tokenizer_blob(*parts);
  ASSERT_TRUE(blob.has_value()) << blob.error().message;
  EXPECT_EQ(make_tokenizer_blob(*parts).value(), *blob);
  const auto tokenizer = Tokenizer::from_blob(*blob);
  ASSERT_TRUE(tokenizer.has_value()) << tokenizer.error().message;
  EXPECT_EQ(tokenizer->vocabulary_size(), 49152u);
  EXPECT_EQ(tokenizer->bos(), 1);
  EXPECT_EQ(tokenizer->eos(), 2);
  EXPECT_FALSE(tokenizer->add_bos());
  check_vectors(*tokenizer, "tokenizer/smollm2.jsonl.gz", 2000);
}

}  // namespace
}  // namespace adit::model
