// SPDX-License-Identifier: MIT
#include "miner/openai/choice_text.hpp"

#include <gtest/gtest.h>

#include "common/base/rng.hpp"
#include "common/model/unicode_classes.hpp"
#include "tests/support/temp_dir.hpp"
#include "tests/support/tiny_llama.hpp"

namespace adit::miner::openai {
namespace {

// One token a byte: id 3 + byte.
const model::Tokenizer& bytes_tokenizer() {
  static const model::Tokenizer tokenizer = [] {
    const test::TempDir dir;
    return model::Tokenizer::from_blob(test::tiny_llama_pack(dir.path(), {}, {.bits = 8}).tokenizer_json())
        .value();
  }();
  return tokenizer;
}

model::NewToken token(char byte) {
  return {.sequence = 1, .token = 3 + static_cast<std::uint8_t>(byte)};
}

struct Whole {
  std::string text;
  std::vector<std::size_t> offsets;
  bool stopped = false;
};

Whole run(const std::string& bytes, const std::vector<std::string>& stops) {
  ChoiceText choice(bytes_tokenizer(), model::StopText::make(stops).value());
  Whole out;
  const auto take = [&](TextPiece piece) {
    EXPECT_TRUE(model::is_valid_utf8(piece.text));
    out.text += piece.text;
    for (const TokenEntry& entry : piece.tokens) out.offsets.push_back(entry.offset);
  };
  for (const char byte : bytes) {
    take(choice.push(token(byte)));
    if (choice.stopped()) break;
  }
  if (!choice.stopped()) take(choice.finish());
  out.stopped = choice.stopped();
  return out;
}

TEST(ChoiceText, gives_whole_characters_with_every_token) {
  const Whole whole = run("a\xc3\xa9z", {});
  EXPECT_EQ(whole.text, "a\xc3\xa9z");
  EXPECT_EQ(whole.offsets, (std::vector<std::size_t>{0, 1, 1, 3}));
  EXPECT_EQ(run("a\xc3", {}).text, "a\xef\xbf\xbd");
}

TEST(ChoiceText, cuts_at_a_stop_with_the_tokens_in_front_of_it) {
  const Whole whole = run("one two three", {" t", "x"});
  EXPECT_EQ(whole.text, "one");
  EXPECT_TRUE(whole.stopped);
  EXPECT_EQ(whole.offsets, (std::vector<std::size_t>{0, 1, 2}));
  EXPECT_EQ(run("one t", {" two"}).text, "one t");
}

}  // namespace
}  // namespace adit::miner::openai
