// SPDX-License-Identifier: MIT
#include "miner/generate/generate.hpp"

#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "common/model/card.hpp"
#include "common/model/replay.hpp"
#include "common/protocol/messages.hpp"
#include "miner/generate/standalone.hpp"
#include "tests/support/temp_dir.hpp"
#include "tests/support/tiny_llama.hpp"

namespace adit::miner {
namespace {

const model::Pack& tiny() {
  static const test::TempDir folder;
  static const model::Pack pack = test::tiny_llama_pack(folder.path(), {}, {.bits = 4});
  return pack;
}

GenerateOptions options_for(std::string prompt) {
  GenerateOptions options;
  options.prompt = std::move(prompt);
  options.params = {.max_tokens = 20, .sampling = {.temperature_milli = 800}};
  return options;
}

TEST(Generate, streams_exactly_the_text_of_the_answer) {
  std::string streamed;
  const Result<GenerateOutcome> outcome =
      generate(tiny(), options_for("hello"), [&](std::string_view text) { streamed += text; });
  ASSERT_TRUE(outcome) << outcome.error().message;
  EXPECT_EQ(outcome->text, streamed);
  const auto tokenizer = model::Tokenizer::from_blob(tiny().tokenizer_json()).value();
  EXPECT_EQ(tokenizer.decode(outcome->generated.ids, true), streamed);
  EXPECT_GT(outcome->prefill_tokens_per_second, 0);
}

TEST(Generate, wraps_a_message_in_the_chat_template_but_not_raw_text) {
  const auto tokenizer = model::Tokenizer::from_blob(tiny().tokenizer_json()).value();
  const std::vector<TokenId> raw = prompt_ids(tiny(), tokenizer, "hi", true).value();
  const std::vector<TokenId> chat = prompt_ids(tiny(), tokenizer, "hi", false).value();
  EXPECT_EQ("hi", tokenizer.decode(raw));
  EXPECT_EQ("<|im_start|>user\nhi<|im_end|>\n<|im_start|>assistant\n", tokenizer.decode(chat));
  EXPECT_EQ(1, chat.front());
}

// The number given with --seed changes the noise and the root; the same number gives the same
// answer.
TEST(Generate, is_a_function_of_its_seed_number) {
  const auto answer = [&](std::uint64_t seed) {
    GenerateOptions options = options_for("a b c");
    options.seed = seed;
    return generate(tiny(), options, [](std::string_view) {}).value().generated;
  };
  EXPECT_EQ(answer(1).ids, answer(1).ids);
  EXPECT_EQ(answer(1).trace_root, answer(1).trace_root);
  EXPECT_NE(answer(1).ids, answer(2).ids);
  EXPECT_NE(answer(1).trace_root, answer(2).trace_root);
}

TEST(Generate, binding_is_that_of_the_canonical_request) {
  const std::vector<TokenId> prompt{4, 5};
  const model::GenerateParams params{.max_tokens = 3,
                                     .sampling = {.temperature_milli = 500, .top_k = 7}};
  const proof::TraceBinding binding = standalone_binding(tiny(), model::KvForm::kF16, prompt, params, 9);
  protocol::GenerateRequest request;
  request.card = protocol::card_hash(model::card_of(tiny()));
  request.prompt = prompt;
  request.max_tokens = 3;
  request.sampling.temperature_milli = 500;
  request.sampling.top_k = 7;
  request.slot = 9;
  EXPECT_EQ(request.card, binding.card);
  EXPECT_EQ(protocol::request_hash(request), binding.request);
  EXPECT_EQ(protocol::seed_of(request, AccountId{}, AccountId{}), binding.seed);
}

TEST(Generate, what_it_prints_replays) {
  const GenerateOptions options = options_for("check me");
  const GenerateOutcome outcome = generate(tiny(), options, [](std::string_view) {}).value();
  model::Replayer replayer(tiny(), {});
  const model::ReplayResult result = replayer
                                         .replay({.prompt = outcome.prompt_ids,
                                                  .ids = outcome.generated.ids,
                                                  .params = options.params,
                                                  .binding = outcome.binding,
                                                  .trace_root = outcome.generated.trace_root})
                                         .value();
  EXPECT_FALSE(result.mismatch);
}

TEST(Generate, refuses_a_prompt_beyond_the_context) {
  GenerateOptions options = options_for(std::string(1100, 'x'));
  const auto outcome = generate(tiny(), options, [](std::string_view) {});
  ASSERT_FALSE(outcome);
  EXPECT_EQ(ErrorCode::kInvalidArgument, outcome.error().code);
  EXPECT_NE(std::string::npos, outcome.error().message.find("context of 1024"));
}

}  // namespace
}  // namespace adit::miner
