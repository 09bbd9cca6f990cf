// SPDX-License-Identifier: MIT
#include "common/model/replay.hpp"

#include <vector>

#include <gtest/gtest.h>

#include "tests/support/temp_dir.hpp"
#include "tests/support/tiny_llama.hpp"

namespace adit::model {
namespace {

class Replay : public testing::Test {
 protected:
  static const Pack& pack() {
    static const test::TempDir folder;
    static const Pack made = test::tiny_llama_pack(folder.path(), {}, {.bits = 8});
    return made;
  }

  void SetUp() override {
    prompt_ = {7, 99, 12, 255, 31, 8, 64};
    params_ = {.max_tokens = 24, .sampling = {.temperature_milli = 1000, .top_p_65536 = 60000}};
    binding_.seed = {1, 2, 3};
    BatchEngine engine(pack(), {});
    ASSERT_TRUE(engine.add(prompt_, params_, binding_));
    while (engine.running() > 0) {
      const StepResult step = engine.step().value();
      if (!step.finished.empty()) answer_ = step.finished.front();
    }
    ASSERT_EQ(FinishReason::kLength, answer_.finish) << "another seed is needed";
  }

  ReplayResult replay(const std::vector<TokenId>& ids, const Hash256& root, const Pack& with) {
    Replayer replayer(with, {.threads = 2, .chunk = 9, .logits_rows = 4});
    const Result<ReplayResult> result = replayer.replay({.prompt = prompt_,
                                                         .ids = ids,
                                                         .params = params_,
                                                         .binding = binding_,
                                                         .trace_root = root});
    EXPECT_TRUE(result) << result.error().message;
    return result.value_or(ReplayResult{});
  }

  std::vector<TokenId> prompt_;
  GenerateParams params_;
  proof::TraceBinding binding_;
  Generated answer_;
};

TEST_F(Replay, accepts_an_honest_answer) {
  const ReplayResult result = replay(answer_.ids, answer_.trace_root, pack());
  EXPECT_FALSE(result.mismatch);
  EXPECT_EQ(answer_.trace_root, result.trace_root);
}

TEST_F(Replay, names_the_first_wrong_id_and_the_right_one) {
  for (const std::size_t index :
       {std::size_t{0}, std::size_t{1}, std::size_t{11}, answer_.ids.size() - 1}) {
    std::vector<TokenId> ids = answer_.ids;
    ids[index] = ids[index] == 40 ? 41 : 40;
    const ReplayResult result = replay(ids, answer_.trace_root, pack());
    ASSERT_TRUE(result.mismatch);
    EXPECT_EQ(MismatchKind::kToken, result.mismatch->kind);
    EXPECT_EQ(index, result.mismatch->index);
    EXPECT_EQ(answer_.ids[index], result.mismatch->expected);
    EXPECT_EQ(ids[index], result.mismatch->found);
    EXPECT_FALSE(result.trace_root);
  }
}

TEST_F(Replay, finds_a_wrong_trace_root) {
  Hash256 root = answer_.trace_root;
  root[5] ^= 1;
  const ReplayResult result = replay(answer_.ids, root, pack());
  ASSERT_TRUE(result.mismatch);
  EXPECT_EQ(MismatchKind::kTrace, result.mismatch->kind);
  EXPECT_EQ(answer_.trace_root, result.trace_root);
}

TEST_F(Replay, finds_an_answer_that_ends_early_or_goes_on) {
  std::vector<TokenId> shorter = answer_.ids;
  shorter.pop_back();
  EXPECT_EQ(MismatchKind::kLength, replay(shorter, answer_.trace_root, pack()).mismatch->kind);
  std::vector<TokenId> with_stop = answer_.ids;
  with_stop[3] = 2;
  const ReplayResult result = replay(with_stop, answer_.trace_root, pack());
  EXPECT_EQ(MismatchKind::kLength, result.mismatch->kind);
  EXPECT_EQ(4U, result.mismatch->index);
}

// The same model in 4 bits: another answer, or the same words with another trace.
TEST_F(Replay, finds_another_quantisation) {
  const test::TempDir folder;
  const Pack other = test::tiny_llama_pack(folder.path(), {}, {.bits = 4});
  const ReplayResult result = replay(answer_.ids, answer_.trace_root, other);
  ASSERT_TRUE(result.mismatch);
}

TEST_F(Replay, finds_another_seed) {
  binding_.seed[0] ^= 1;
  ASSERT_TRUE(replay(answer_.ids, answer_.trace_root, pack()).mismatch);
}

TEST_F(Replay, refuses_what_is_no_answer) {
  Replayer replayer(pack(), {});
  ReplayInput input{
      .prompt = prompt_, .ids = {}, .params = params_, .binding = binding_, .trace_root = {}};
  EXPECT_EQ(ErrorCode::kInvalidArgument, replayer.replay(input).error().code);
  const std::vector<TokenId> outside{5, 300};
  input.ids = outside;
  EXPECT_EQ(ErrorCode::kInvalidArgument, replayer.replay(input).error().code);
  const std::vector<TokenId> many(25, 5);
  input.ids = many;
  EXPECT_EQ(ErrorCode::kInvalidArgument, replayer.replay(input).error().code);
}

}  // namespace
}  // namespace adit::model
