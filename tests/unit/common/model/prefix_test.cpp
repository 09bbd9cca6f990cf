// SPDX-License-Identifier: MIT
// Sequences that begin alike share what was computed, within a budget: ids and trace roots must be those of
// engines that compute everything.
#include <algorithm>
#include <map>

#include <gtest/gtest.h>

#include "common/base/rng.hpp"
#include "common/model/generator.hpp"
#include "common/model/replay.hpp"
#include "tests/support/temp_dir.hpp"
#include "tests/support/tiny_model.hpp"

namespace adit::model {
namespace {

struct Job {
  std::vector<TokenId> prompt;
  GenerateParams params;
  proof::TraceBinding binding;
};

struct Outcome {
  std::vector<Generated> answers;
  int shared_rows = 0;
  int prompt_rows = 0;
};

Outcome run(BatchEngine& engine, const std::vector<Job>& jobs) {
  Outcome out;
  out.answers.resize(jobs.size());
  std::map<SequenceId, std::size_t> index;
  std::size_t next = 0;
  while (next < jobs.size() || engine.running() > 0) {
    if (next < jobs.size() && engine.has_room()) {
      const auto id = engine.add(jobs[next].prompt, jobs[next].params, jobs[next].binding);
      if (!id) throw std::runtime_error(id.error().message);
      index[*id] = next++;
    }
    const auto step = engine.step();
    if (!step) throw std::runtime_error(step.error().message);
    out.shared_rows += step->shared_rows;
    out.prompt_rows += step->prompt_rows;
    for (const Generated& done : step->finished) out.answers[index.at(done.sequence)] = done;
  }
  return out;
}

std::vector<TokenId> random_ids(SeededRng& rng, std::size_t count) {
  std::vector<TokenId> out(count);
  for (TokenId& id : out) id = 3 + static_cast<TokenId>(rng.below(297));
  return out;
}

// Prompts that continue one of a few beginnings, in lengths about block borders.
std::vector<Job> random_jobs(SeededRng& rng, std::size_t count) {
  const std::vector<std::vector<TokenId>> stems{random_ids(rng, 31), random_ids(rng, 96),
                                                random_ids(rng, 150)};
  std::vector<Job> jobs(count);
  for (Job& job : jobs) {
    job.prompt = stems[rng.below(stems.size())];
    const std::vector<TokenId> tail = random_ids(rng, rng.below(3) == 0 ? rng.below(2) : rng.below(40));
    job.prompt.insert(job.prompt.end(), tail.begin(), tail.end());
    job.params = {.max_tokens = 1 + static_cast<std::uint32_t>(rng.below(70)),
                  .sampling = {.temperature_milli = 800}};
    rng.fill(job.binding.seed);
    rng.fill(job.binding.request);
  }
  return jobs;
}

void expect_same(const std::vector<Generated>& want, const std::vector<Generated>& got) {
  ASSERT_EQ(want.size(), got.size());
  for (std::size_t i = 0; i < want.size(); ++i) {
    EXPECT_EQ(want[i].ids, got[i].ids) << i;
    EXPECT_EQ(to_hex(want[i].trace_root), to_hex(got[i].trace_root)) << i;
  }
}

class Prefix : public ::testing::TestWithParam<const char*> {
 protected:
  std::uint64_t bytes_of(int blocks) const {
    return kv_shape(pack_.config(), true).block_bytes() * static_cast<std::uint64_t>(blocks);
  }
  test::TempDir folder_;
  Pack pack_ = test::pack_of(test::TinyModel(test::tiny_config(GetParam())), folder_.path(), {.bits = 8});
};

TEST_P(Prefix, ids_and_roots_are_those_of_engines_that_share_nothing) {
  SeededRng rng(7);
  const std::vector<Job> jobs = random_jobs(rng, 40);
  BatchEngine plain(pack_, {.batch_max = 1, .shares_prefixes = false});
  const Outcome want = run(plain, jobs);
  EXPECT_EQ(0, want.shared_rows);
  // Room for everything; and budgets so small that blocks are taken from the index and sequences wait.
  for (const int blocks : {0, 9, 16}) {
    for (const int threads : {1, 2}) {
      for (const int chunk : {5, 64, 512}) {
        BatchEngine engine(pack_, {.threads = threads,
                                   .prefill_chunk = chunk,
                                   .batch_max = 6,
                                   .kv_bytes = blocks == 0 ? 0 : bytes_of(blocks)});
        const Outcome got = run(engine, jobs);
        SCOPED_TRACE(std::to_string(blocks) + " blocks, " + std::to_string(threads) + " threads, chunk " +
                     std::to_string(chunk));
        expect_same(want.answers, got.answers);
        EXPECT_EQ(want.prompt_rows, got.prompt_rows + got.shared_rows);
        EXPECT_GT(got.shared_rows, blocks == 0 ? want.prompt_rows / 3 : 0);
        EXPECT_EQ(engine.pool()->available(), engine.pool()->blocks());
      }
    }
  }
}

TEST_P(Prefix, a_conversation_takes_over_its_answers_too) {
  SeededRng rng(8);
  BatchEngine engine(pack_, {});
  Job job{random_ids(rng, 50), {.max_tokens = 60, .sampling = {.temperature_milli = 500}}, {}};
  const std::vector<Generated> first = run(engine, {job}).answers;
  job.prompt.insert(job.prompt.end(), first[0].ids.begin(), first[0].ids.end());
  const std::size_t computed = job.prompt.size() - 1;
  const std::vector<TokenId> turn = random_ids(rng, 20);
  job.prompt.insert(job.prompt.end(), turn.begin(), turn.end());
  const Outcome second = run(engine, {job});
  EXPECT_EQ(static_cast<int>(computed / 32 * 32), second.shared_rows);
  Replayer replayer(pack_, {});
  const auto replayed = replayer.replay({.prompt = job.prompt,
                                         .ids = second.answers[0].ids,
                                         .params = job.params,
                                         .binding = job.binding,
                                         .trace_root = second.answers[0].trace_root});
  ASSERT_TRUE(replayed) << replayed.error().message;
  EXPECT_FALSE(replayed->mismatch);
}

TEST_P(Prefix, the_last_prompt_position_is_computed_even_if_a_block_has_it) {
  SeededRng rng(9);
  BatchEngine engine(pack_, {});
  const Job job{random_ids(rng, 64), {.max_tokens = 3}, {}};
  const Outcome first = run(engine, {job});
  const Outcome second = run(engine, {job});
  EXPECT_EQ(32, second.shared_rows);
  expect_same(first.answers, second.answers);
}

TEST_P(Prefix, waits_for_blocks_in_order_and_refuses_what_can_never_fit) {
  SeededRng rng(10);
  BatchEngine engine(pack_, {.batch_max = 4, .kv_bytes = bytes_of(4)});
  const auto large = engine.add(random_ids(rng, 40), {.max_tokens = 60}, {});
  const auto waits = engine.add(random_ids(rng, 40), {.max_tokens = 2}, {});
  const auto behind = engine.add(random_ids(rng, 3), {.max_tokens = 2}, {});
  ASSERT_TRUE(large && waits && behind);
  const auto never = engine.add(random_ids(rng, 100), {.max_tokens = 60}, {});
  ASSERT_FALSE(never);
  EXPECT_EQ(ErrorCode::kResourceExhausted, never.error().code);
  EXPECT_EQ("159 positions, but the key-value cache holds 128", never.error().message);
  EXPECT_EQ(40, engine.step()->prompt_rows);
  // The first one may go on to the end of its 99 positions, so nobody else may begin.
  std::vector<SequenceId> order;
  while (engine.running() > 0) {
    const auto step = engine.step();
    ASSERT_TRUE(step) << step.error().message;
    for (const Generated& done : step->finished) order.push_back(done.sequence);
    if (order.empty()) {
      EXPECT_EQ(0, step->prompt_rows);
    }
  }
  ASSERT_EQ(3u, order.size());
  EXPECT_EQ(*large, order[0]);
}

TEST_P(Prefix, a_sequence_that_is_cancelled_gives_its_blocks_back) {
  SeededRng rng(11);
  BatchEngine engine(pack_, {.kv_bytes = bytes_of(4)});
  const auto first = engine.add(random_ids(rng, 40), {.max_tokens = 80}, {});
  ASSERT_TRUE(engine.step());
  const auto second = engine.add(random_ids(rng, 40), {.max_tokens = 1}, {});
  EXPECT_EQ(0, engine.step()->prompt_rows);
  engine.cancel(*first);
  const auto step = engine.step();
  ASSERT_EQ(1u, step->finished.size());
  EXPECT_EQ(*second, step->finished[0].sequence);
  EXPECT_EQ(4, engine.pool()->available());
}

INSTANTIATE_TEST_SUITE_P(Families, Prefix,
                         ::testing::Values("llama", "qwen2", "qwen3", "deepseek_v2", "deepseek_v32"),
                         [](const auto& family) { return std::string(family.param); });

}  // namespace
}  // namespace adit::model
