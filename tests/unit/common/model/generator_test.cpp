// SPDX-License-Identifier: MIT
#include "common/model/generator.hpp"

#include <algorithm>
#include <map>
#include <vector>

#include <gtest/gtest.h>

#include "tests/support/temp_dir.hpp"
#include "tests/support/tiny_llama.hpp"

namespace adit::model {
namespace {

// One pack for all cases of this file.
const Pack& tiny() {
  static const test::TempDir folder;
  static const Pack pack = test::tiny_llama_pack(folder.path(), {}, {.bits = 8});
  return pack;
}

constexpr TokenId kStop = 2;

Generated finish(BatchEngine& engine) {
  while (engine.running() > 0) {
    const Result<StepResult> step = engine.step();
    if (!step) {
      ADD_FAILURE() << step.error().message;
      break;
    }
    if (!step->finished.empty()) return step->finished.front();
  }
  return {};
}

TEST(BatchEngine, ends_at_max_tokens) {
  BatchEngine engine(tiny(), {.threads = 2});
  ASSERT_TRUE(engine.add(std::vector<TokenId>{5, 6, 7}, {.max_tokens = 4}, {}));
  const Generated done = finish(engine);
  EXPECT_EQ(4U, done.ids.size());
  EXPECT_EQ(FinishReason::kLength, done.finish);
  EXPECT_EQ(0, engine.running());
}

TEST(BatchEngine, ends_at_a_stop_id_which_counts) {
  // Nearly uniform choices out of 300 ids: the stop id comes up soon.
  BatchEngine engine(tiny(), {});
  const GenerateParams params{.max_tokens = 1000, .sampling = {.temperature_milli = 100000}};
  int stopped = 0;
  for (std::uint8_t seed = 0; seed < 8; ++seed) {
    ASSERT_TRUE(engine.add(std::vector<TokenId>{5}, params, {.seed = {seed}}));
    const Generated done = finish(engine);
    if (done.finish != FinishReason::kStop) continue;
    ++stopped;
    EXPECT_EQ(kStop, done.ids.back());
    EXPECT_EQ(1, std::count(done.ids.begin(), done.ids.end(), kStop));
  }
  EXPECT_GE(stopped, 4);
}

TEST(BatchEngine, reports_every_token_once_and_in_order) {
  BatchEngine engine(tiny(), {.prefill_chunk = 3, .batch_max = 2});
  const SequenceId a =
      engine.add(std::vector<TokenId>{9, 8, 7, 6, 5, 4, 3}, {.max_tokens = 5}, {}).value();
  const SequenceId b = engine.add(std::vector<TokenId>{11}, {.max_tokens = 9}, {}).value();
  EXPECT_NE(a, b);
  std::map<SequenceId, std::vector<TokenId>> streamed;
  std::map<SequenceId, std::vector<TokenId>> finished;
  int prompt_rows = 0;
  while (engine.running() > 0) {
    const StepResult step = engine.step().value();
    prompt_rows += step.prompt_rows;
    EXPECT_LE(step.prompt_rows, 3);
    for (const NewToken& token : step.tokens) streamed[token.sequence].push_back(token.token);
    for (const Generated& done : step.finished) finished[done.sequence] = done.ids;
  }
  EXPECT_EQ(8, prompt_rows);
  EXPECT_EQ(2U, finished.size());
  EXPECT_EQ(finished, streamed);
}

TEST(BatchEngine, forgets_a_cancelled_sequence_and_leaves_others_alone) {
  BatchEngine alone(tiny(), {});
  ASSERT_TRUE(alone.add(std::vector<TokenId>{11, 12}, {.max_tokens = 9}, {}));
  const Generated want = finish(alone);

  BatchEngine engine(tiny(), {});
  const SequenceId doomed =
      engine.add(std::vector<TokenId>{1, 2, 3}, {.max_tokens = 50}, {}).value();
  ASSERT_TRUE(engine.add(std::vector<TokenId>{11, 12}, {.max_tokens = 9}, {}));
  ASSERT_TRUE(engine.step());
  ASSERT_TRUE(engine.step());
  EXPECT_EQ(2U, engine.generated(doomed).size());
  engine.cancel(doomed);
  engine.cancel(doomed);
  EXPECT_EQ(1, engine.running());
  const Generated got = finish(engine);
  EXPECT_EQ(want.ids, got.ids);
  EXPECT_EQ(want.trace_root, got.trace_root);
}

TEST(BatchEngine, refuses_what_it_cannot_run) {
  BatchEngine engine(tiny(), {.batch_max = 1});
  const std::vector<TokenId> one{1};
  const auto code = [&](std::span<const TokenId> prompt, const GenerateParams& params) {
    const Result<SequenceId> id = engine.add(prompt, params, {});
    return id ? ErrorCode::kUnknown : id.error().code;
  };
  EXPECT_EQ(ErrorCode::kInvalidArgument, code({}, {.max_tokens = 1}));
  EXPECT_EQ(ErrorCode::kInvalidArgument, code(one, {.max_tokens = 0}));
  EXPECT_EQ(ErrorCode::kInvalidArgument, code(one, {.max_tokens = 1024}));
  EXPECT_EQ(ErrorCode::kInvalidArgument, code(std::vector<TokenId>{300}, {.max_tokens = 1}));
  EXPECT_EQ(ErrorCode::kInvalidArgument, code(std::vector<TokenId>{-1}, {.max_tokens = 1}));
  EXPECT_EQ(ErrorCode::kInvalidArgument,
            code(one, {.max_tokens = 1, .sampling = {.top_p_65536 = 0}}));
  ASSERT_TRUE(engine.add(one, {.max_tokens = 1023}, {}));
  EXPECT_FALSE(engine.has_room());
  EXPECT_EQ(ErrorCode::kResourceExhausted, code(one, {.max_tokens = 1}));
}

TEST(BatchEngine, an_idle_step_is_empty) {
  BatchEngine engine(tiny(), {});
  const StepResult step = engine.step().value();
  EXPECT_TRUE(step.tokens.empty());
  EXPECT_TRUE(step.finished.empty());
}

// Weights so large that products overflow: an error, never a value.
TEST(BatchEngine, refuses_values_that_are_not_finite) {
  const test::TempDir folder;
  const Pack pack = test::tiny_llama_pack(folder.path(), {.weight_scale = 1e36}, {.bits = 8});
  BatchEngine engine(pack, {.threads = 2});
  ASSERT_TRUE(engine.add(std::vector<TokenId>{5, 6, 7}, {.max_tokens = 4}, {}));
  const Result<StepResult> step = engine.step();
  ASSERT_FALSE(step);
  EXPECT_EQ(ErrorCode::kDataLoss, step.error().code);
  EXPECT_EQ(0, engine.running());
}

}  // namespace
}  // namespace adit::model
