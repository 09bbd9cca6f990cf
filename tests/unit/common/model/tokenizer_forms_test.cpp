// SPDX-License-Identifier: MIT
// The forms of tokenizers that no packaged vocabulary has, against PyPI tokenizers, npm @huggingface/tokenizers and
// PyPI sentencepiece (tests/conformance/tokenizer_hub.py).
#include <algorithm>
#include <ctime>

#include <gtest/gtest.h>

#include "common/base/files.hpp"
#include "common/base/rng.hpp"
#include "common/model/gguf_model.hpp"
#include "common/model/tokenizer_reader.hpp"
#include "tests/support/gguf_writer.hpp"
#include "tests/support/hub_vectors.hpp"

namespace adit::model {
namespace {

Bytes vector_file(const std::string& name) {
  return read_file(std::string(ADIT_TEST_VECTORS) + "/tokenizer/" + name, 1u << 20).value();
}

class TokenizerForms : public testing::TestWithParam<const char*> {};

TEST_P(TokenizerForms, ids_equal_the_reference) {
  const auto vectors = test::hub_vectors();
  const auto& entry = vectors.at(GetParam());
  const Bytes file = vector_file(entry.at("json").get<std::string>());
  const auto parts = read_tokenizer_json(as_text(file));
  ASSERT_TRUE(parts.has_value()) << parts.error().message;
  const auto blob = make_tokenizer_blob(*parts);
  ASSERT_TRUE(blob.has_value()) << blob.error().message;
  const auto tokenizer = Tokenizer::from_blob(*blob);
  ASSERT_TRUE(tokenizer.has_value()) << tokenizer.error().message;
  test::check_hub_vectors(*tokenizer, entry);
  // A blob read and written again is the same blob.
  EXPECT_EQ(make_tokenizer_blob(read_tokenizer_json(*blob).value()).value(), *blob);
}

INSTANTIATE_TEST_SUITE_P(Vocabularies, TokenizerForms,
                         testing::Values("tiny-deepseek-llm", "tiny-deepseek-coder", "tiny-llama2",
                                         "tiny-metaspace-first", "tiny-metaspace-always", "tiny-flags"),
                         [](const auto& given) {
                           std::string name = given.param;
                           std::replace(name.begin(), name.end(), '-', '_');
                           return name;
                         });

// A GGUF file of kind "llama" with the tokens of a sentencepiece model.
Bytes sentencepiece_gguf(const nlohmann::json& model) {
  test::GgufWriter file;
  const auto scores = model.at("scores").get<std::vector<float>>();
  file.string("tokenizer.ggml.model", "llama");
  file.strings("tokenizer.ggml.tokens", model.at("tokens").get<std::vector<std::string>>());
  file.i32s("tokenizer.ggml.token_type", model.at("types").get<std::vector<std::int32_t>>());
  file.array("tokenizer.ggml.scores", 6, scores.size());
  for (const float score : scores) file.raw(ByteView(reinterpret_cast<const std::uint8_t*>(&score), 4));
  file.u32("tokenizer.ggml.bos_token_id", 1);
  file.u32("tokenizer.ggml.eos_token_id", 2);
  file.u32("tokenizer.ggml.unknown_token_id", 0);
  return file.finish();
}

Tokenizer sentencepiece() {
  const Bytes bytes = sentencepiece_gguf(nlohmann::json::parse(as_text(vector_file("tiny-spm.json"))));
  const Gguf gguf = Gguf::parse(bytes, "tiny").value();
  const TokenizerParts parts = tokenizer_from_gguf(gguf).value();
  return Tokenizer::from_blob(make_tokenizer_blob(parts).value()).value();
}

TEST(Sentencepiece, ids_equal_sentencepiece) {
  const Tokenizer tokenizer = sentencepiece();
  EXPECT_TRUE(tokenizer.add_bos());
  test::TextCorpus corpus;
  test::BlockDigests plain;
  const auto vectors = test::hub_vectors();
  const auto& entry = vectors.at("tiny-spm");
  for (std::uint32_t i = 0; i < entry.at("texts").get<std::uint32_t>(); ++i) {
    const std::string text = corpus.text(i);
    const auto ids = tokenizer.encode(text, false).value();
    plain.add(ids);
    EXPECT_EQ(tokenizer.decode(ids), [&] {
      // U+2581 stands for the blank, so the two cannot be told apart afterwards.
      std::string wanted = to_valid_utf8(text);
      for (std::size_t at = wanted.find("\u2581"); at != std::string::npos; at = wanted.find("\u2581"))
        wanted.replace(at, 3, " ");
      return wanted;
    }());
  }
  test::expect_digests(plain, entry.at("plain"), "ids");
}

TEST(Sentencepiece, streams_give_whole_characters) {
  const Tokenizer tokenizer = sentencepiece();
  SeededRng rng(11);
  for (int round = 0; round < 4000; ++round) {
    std::vector<TokenId> ids;
    for (std::uint64_t i = rng.below(12); i-- > 0;) {
      // Byte tokens (3 to 258) more often than the others.
      const std::uint64_t bound = rng.below(2) == 0 ? 259 : tokenizer.vocabulary_size() + 2;
      ids.push_back(static_cast<TokenId>(rng.below(bound)));
    }
    StreamDecoder stream(tokenizer, round % 2 == 0);
    std::string joined;
    for (const TokenId id : ids) {
      const std::string part = stream.push(id);
      ASSERT_TRUE(is_valid_utf8(part)) << "round " << round;
      joined += part;
    }
    joined += stream.finish();
    ASSERT_EQ(joined, tokenizer.decode(ids, round % 2 == 0)) << "round " << round;
  }
}

// A GGUF file of kind "gpt2" with the tokens and merges of a small vocabulary.
test::GgufWriter byte_level_gguf(const TokenizerParts& parts, std::string_view pre) {
  test::GgufWriter file;
  file.string("tokenizer.ggml.model", "gpt2");
  file.string("tokenizer.ggml.pre", pre);
  file.strings("tokenizer.ggml.tokens", parts.tokens);
  file.i32s("tokenizer.ggml.token_type", std::vector<std::int32_t>(parts.types.begin(), parts.types.end()));
  file.strings("tokenizer.ggml.merges", parts.merges);
  file.u32("tokenizer.ggml.bos_token_id", 1);
  file.u32("tokenizer.ggml.eos_token_id", 2);
  return file;
}

TEST(GgufTokenizer, names_of_pre_tokenizers) {
  const auto hf = [](const char* name) { return read_tokenizer_json(as_text(vector_file(name))).value(); };
  const auto read = [](const test::GgufWriter& file) {
    const Bytes bytes = file.finish();
    return tokenizer_from_gguf(Gguf::parse(bytes, "tiny").value());
  };
  // The same vocabulary from both kinds of file is the same blob.
  for (const auto& [name, pre] : {std::pair("tiny-deepseek-llm.json", "deepseek-llm"),
                                  std::pair("tiny-deepseek-coder.json", "deepseek-coder")}) {
    TokenizerParts wanted = hf(name);
    wanted.bos = 1;
    wanted.eos = 2;
    EXPECT_EQ(make_tokenizer_blob(read(byte_level_gguf(wanted, pre)).value()).value(),
              make_tokenizer_blob(wanted).value());
  }
  const TokenizerParts tiny = hf("tiny-deepseek-llm.json");
  for (const char* pre : {"smollm", "gpt-2", "llama-bpe", "qwen2", "deepseek-v3", "deepseek-r1-qwen"}) {
    const auto parts = read(byte_level_gguf(tiny, pre));
    ASSERT_TRUE(parts.has_value()) << parts.error().message;
    const bool llama = std::string_view(pre) == "llama-bpe";
    EXPECT_EQ(parts->ignore_merges, llama) << pre;
    EXPECT_EQ(parts->add_bos, llama) << pre;
    EXPECT_TRUE(Tokenizer::from_blob(make_tokenizer_blob(*parts).value()).has_value()) << pre;
  }
  test::GgufWriter says_so = byte_level_gguf(tiny, "llama-bpe");
  says_so.boolean("tokenizer.ggml.add_bos_token", 0);
  EXPECT_FALSE(read(says_so)->add_bos);
  EXPECT_EQ(read(byte_level_gguf(tiny, "bloom")).error().message,
            "tiny: key tokenizer.ggml.pre: 'bloom', expected smollm, gpt-2, llama-bpe, qwen2, deepseek-llm, "
            "deepseek-coder, deepseek-v3 or deepseek-r1-qwen");
}

TEST(Tokenizer, long_words_take_time_in_proportion) {
  const auto seconds = [](const Tokenizer& tokenizer, std::size_t size) {
    std::string text;
    while (text.size() < size) text += "thevalidatorchecksnobody";
    // The processor's time: other programs do not count.
    const std::clock_t begin = std::clock();
    EXPECT_GT(tokenizer.encode(text, true).value().size(), size / 16);
    return static_cast<double>(std::clock() - begin) / CLOCKS_PER_SEC;
  };
  const Tokenizer bytes = Tokenizer::from_blob(as_text(vector_file("tiny-smollm.json"))).value();
  for (const Tokenizer& tokenizer : {sentencepiece(), bytes}) {
    const double small = seconds(tokenizer, 1u << 16);
    const double large = seconds(tokenizer, 1u << 20);
    // 16 times the text; squared it would be 256 times.
    EXPECT_LT(large, 100 * small + 0.5);
  }
}

}  // namespace
}  // namespace adit::model
