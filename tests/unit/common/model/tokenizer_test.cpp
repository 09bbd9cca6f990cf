// SPDX-License-Identifier: MIT
#include "common/model/tokenizer.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "common/base/bytes.hpp"
#include "common/base/files.hpp"
#include "common/base/rng.hpp"
#include "common/model/unicode_classes.hpp"

namespace adit::model {
namespace {

using nlohmann::json;

// 0-2 control, 3-6 letters, then merges; no byte tokens but a, b, c, d and the blank (U+0120).
TokenizerParts small_parts() {
  TokenizerParts parts;
  parts.tokens = {"<|end|>", "<|start|>", "<|end|>>", "a",    "b",        "c",  "d",
                  "\u0120",  "ab",        "cd",       "abcd", "\u0120ab", "<u>"};
  parts.types = {3, 3, 3, 1, 1, 1, 1, 1, 1, 1, 1, 1, 4};
  parts.merges = {"a b", "c d", "ab cd", "\u0120 ab"};
  parts.bos = 1;
  parts.eos = 0;
  parts.add_bos = true;
  return parts;
}

Tokenizer small() { return Tokenizer::from_blob(make_tokenizer_blob(small_parts()).value()).value(); }

using Ids = std::vector<TokenId>;

TEST(Tokenizer, merges_by_rank_and_keeps_words_apart) {
  const Tokenizer t = small();
  EXPECT_EQ(t.encode("abcd", false).value(), (Ids{10}));
  EXPECT_EQ(t.encode("ab ab", false).value(), (Ids{8, 11}));
  EXPECT_EQ(t.encode("", false).value(), Ids{});
  // A byte without a token vanishes, and its neighbours can meet.
  EXPECT_EQ(t.encode("axb", false).value(), (Ids{8}));
  EXPECT_EQ(t.bos(), 1);
  EXPECT_EQ(t.eos(), 0);
  EXPECT_TRUE(t.add_bos());
  EXPECT_EQ(t.vocabulary_size(), 13u);
}

TEST(Tokenizer, special_tokens_are_leftmost_longest_and_only_on_request) {
  const Tokenizer t = small();
  EXPECT_EQ(t.encode("a<|end|>b", true).value(), (Ids{3, 0, 4}));
  EXPECT_EQ(t.encode("a<|end|>>b", true).value(), (Ids{3, 2, 4}));
  EXPECT_EQ(t.encode("<|start|><|end|>", true).value(), (Ids{1, 0}));
  const Ids plain = t.encode("a<|end|>b<|start|>", false).value();
  EXPECT_GE(plain.size(), 4u);
  for (const TokenId id : plain) EXPECT_FALSE(t.is_special(id));
  // User-defined tokens are found either way.
  EXPECT_EQ(t.encode("a<u>b", false).value(), (Ids{3, 12, 4}));
  EXPECT_EQ(t.decode(Ids{1, 8, 0}), "<|start|>ab<|end|>");
  EXPECT_EQ(t.decode(Ids{1, 8, 0}, true), "ab");
  EXPECT_EQ(t.decode(Ids{-1, 8, 999'999}), "ab");
  EXPECT_EQ(t.find("<|end|>"), std::optional<TokenId>(0));
  EXPECT_EQ(t.find("nothing"), std::nullopt);
}

TEST(Tokenizer, long_words_take_linear_logarithmic_time) {
  const Tokenizer t = small();
  std::string word;
  for (int i = 0; i < 250'000; ++i) word += "abcd";
  const auto ids = t.encode(word, false).value();
  EXPECT_EQ(ids.size(), 250'000u);
  EXPECT_EQ(ids.front(), 10);
  const auto refused = t.encode(std::string((16u << 20) + 1, 'a'), false);
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().code, ErrorCode::kResourceExhausted);
}

TEST(Tokenizer, equal_parts_give_equal_blobs_in_hugging_face_form) {
  const std::string blob = make_tokenizer_blob(small_parts()).value();
  EXPECT_EQ(make_tokenizer_blob(small_parts()).value(), blob);
  const json root = json::parse(blob);
  EXPECT_EQ(root.at("model").at("type"), "BPE");
  EXPECT_EQ(root.at("model").at("vocab").at("abcd"), 10);
  EXPECT_EQ(root.at("model").at("merges").at(2), json::array({"ab", "cd"}));
  EXPECT_EQ(root.at("added_tokens").size(), 4u);
  EXPECT_EQ(root.at("added_tokens").at(1).at("adit_roles"), json::array({"bos", "add_bos"}));
  auto other = small_parts();
  other.eos = 2;
  EXPECT_NE(make_tokenizer_blob(other).value(), blob);
}

struct BadParts {
  const char* what;
  void (*change)(TokenizerParts&);
  const char* message;
};

TEST(Tokenizer, bad_parts_are_refused) {
  const std::vector<BadParts> cases{
      {"kind", [](TokenizerParts& p) { p.kind = "bert"; }, "tokenizer: kind 'bert': expected 'gpt2' or 'llama'"},
      {"ranks", [](TokenizerParts& p) { p.ranks = {1}; },
       "tokenizer: kind 'gpt2': its steps, byte_fallback or ranks are of the other kind"},
      {"pre", [](TokenizerParts& p) { p.pre = "bloom"; },
       "tokenizer: pre 'bloom': expected smollm, gpt-2, llama-bpe, qwen2, deepseek-llm, deepseek-coder, "
       "deepseek-v3 or deepseek-r1-qwen"},
      {"types", [](TokenizerParts& p) { p.types.pop_back(); }, "tokenizer: token types: expected 13, got 12"},
      {"type", [](TokenizerParts& p) { p.types[3] = 6; },
       "tokenizer: token 3: type 6: expected 1, 2, 3, 4 or 5"},
      {"twice", [](TokenizerParts& p) { p.tokens[4] = "a"; }, "tokenizer: token 4: its text occurs twice"},
      {"utf8", [](TokenizerParts& p) { p.tokens[4] = "\xff"; },
       "tokenizer: token 4: expected 1..4096 bytes of UTF-8"},
      {"empty", [](TokenizerParts& p) { p.tokens.clear(); }, "tokenizer: tokens: expected 1..1048576, got 0"},
      {"merge", [](TokenizerParts& p) { p.merges[1] = "cd"; },
       "tokenizer: merge 1: expected two tokens and one space, got 'cd'"},
      {"bos", [](TokenizerParts& p) { p.bos = 3; },
       "tokenizer: bos id 3: expected the id of a control token"},
      {"eos", [](TokenizerParts& p) { p.eos = 99; },
       "tokenizer: eos id 99: expected the id of a control token"},
  };
  for (const BadParts& bad : cases) {
    TokenizerParts parts = small_parts();
    bad.change(parts);
    const auto made = make_tokenizer_blob(parts);
    ASSERT_FALSE(made.has_value()) << bad.what;
    EXPECT_EQ(made.error().message, bad.message);
  }
}

struct BadBlob {
  const char* what;
  void (*change)(json&);
  const char* message;
};

TEST(Tokenizer, bad_blobs_are_refused_by_name) {
  const std::vector<BadBlob> cases{
      {"normalizer", [](json& j) { j["normalizer"] = {{"type", "NFKC"}}; },
       "tokenizer: normalizer: type 'NFKC': expected NFC, Lowercase, Replace, Prepend or Sequence"},
      {"pre", [](json& j) { j["pre_tokenizer"] = nullptr; },
       "tokenizer: pre_tokenizer and decoder: expected ByteLevel in both or in none"},
      {"post", [](json& j) { j["post_processor"] = {{"type", "TemplateProcessing"}}; },
       "tokenizer: post_processor.single: expected a list"},
      {"type", [](json& j) { j["model"]["type"] = "Unigram"; }, "tokenizer: model.type: \"Unigram\": expected 'BPE'"},
      {"fallback", [](json& j) { j["model"]["byte_fallback"] = true; },
       "tokenizer: kind 'gpt2': its steps, byte_fallback or ranks are of the other kind"},
      {"vocab", [](json& j) { j["model"]["vocab"]["a"] = -1; },
       "tokenizer: model.vocab: expected ids below 1048576"},
      {"huge id", [](json& j) { j["model"]["vocab"]["a"] = 1u << 30; },
       "tokenizer: model.vocab: expected ids below 1048576"},
      {"same id", [](json& j) { j["model"]["vocab"]["a"] = 4; },
       "tokenizer: token 4: expected an id that occurs once"},
      {"merge", [](json& j) { j["model"]["merges"][0] = json::array({"a", "zz"}); },
       "tokenizer: model.merges[0]: expected tokens of the vocabulary that join to one of it"},
      {"merge twice", [](json& j) { j["model"]["merges"][1] = "a b"; },
       "tokenizer: model.merges[1]: expected a pair that occurs once"},
      {"added", [](json& j) { j["added_tokens"][0]["lstrip"] = 1; },
       "tokenizer: added_tokens[0].lstrip: expected true or false"},
      {"unknown key", [](json& j) { j["added_tokens"][0]["odd"] = true; },
       "tokenizer: added_tokens[0].odd: an unknown key"},
      {"added id", [](json& j) { j["added_tokens"][0]["id"] = 5; },
       "tokenizer: token 5: expected an id that occurs once"},
      {"role", [](json& j) { j["added_tokens"][0]["adit_roles"] = {"king"}; },
       "tokenizer: added_tokens.adit_roles: expected bos, add_bos, eos, unk or pad"},
      {"root", [](json& j) { j = 3; }, "tokenizer: the file: expected a JSON object"},
      {"section", [](json& j) { j["odd"] = 3; }, "tokenizer: odd: an unknown key"},
      {"decoder", [](json& j) { j.erase("decoder"); },
       "tokenizer: decoder: none, expected ByteLevel or a Sequence"},
  };
  const json good = json::parse(make_tokenizer_blob(small_parts()).value());
  for (const BadBlob& bad : cases) {
    json blob = good;
    bad.change(blob);
    const auto read = Tokenizer::from_blob(blob.dump());
    ASSERT_FALSE(read.has_value()) << bad.what;
    EXPECT_EQ(read.error().message, bad.message);
  }
  EXPECT_EQ(Tokenizer::from_blob("{\"model\": tru}").error().message, "tokenizer: offset 10: not JSON");
  EXPECT_EQ(Tokenizer::from_blob("{\"x\":" + std::string(50, '[')).error().message,
            "tokenizer: offset 20: nested deeper than 16 levels");
}

TEST(StreamDecoder, gives_whole_characters_and_joins_to_decode) {
  const auto file = read_file(std::string(ADIT_TEST_VECTORS) + "/tokenizer/tiny-smollm.json", 1u << 20);
  ASSERT_TRUE(file.has_value());
  const Tokenizer t = Tokenizer::from_blob(as_text(*file)).value();
  SeededRng rng(7);
  for (int round = 0; round < 2000; ++round) {
    Ids ids;
    for (std::uint64_t i = rng.below(12); i-- > 0;)
      ids.push_back(static_cast<TokenId>(rng.below(t.vocabulary_size() + 2)));
    StreamDecoder stream(t, false);
    std::string joined;
    for (const TokenId id : ids) {
      const std::string part = stream.push(id);
      EXPECT_TRUE(is_valid_utf8(part));
      joined += part;
    }
    joined += stream.finish();
    ASSERT_EQ(joined, t.decode(ids)) << "round " << round;
  }
}

}  // namespace
}  // namespace adit::model
