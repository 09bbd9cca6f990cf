// SPDX-License-Identifier: MIT
#include "miner/serve/engine_thread.hpp"

#include <gtest/gtest.h>

#include "tests/support/temp_dir.hpp"
#include "tests/support/tiny_llama.hpp"

namespace adit::miner {
namespace {

constexpr std::chrono::milliseconds kLong{20'000};

struct Scene {
  test::TempDir dir;
  std::shared_ptr<const model::Pack> pack = std::make_shared<const model::Pack>(
      test::tiny_llama_pack(dir.path(), {.context = 8192}, {.bits = 8}));
  EngineThread engine;
  Scene(int batch_max, std::uint32_t queue_max)
      : engine(pack, {.threads = 1, .prefill_chunk = 16, .batch_max = batch_max}, queue_max) {}
};

EngineJob job(std::uint8_t tag, std::uint32_t max_tokens) {
  EngineJob out;
  out.prompt.assign(20, 5 + tag);
  out.params = {.max_tokens = max_tokens, .sampling = {.temperature_milli = 1000}};
  out.binding.seed.fill(tag);
  return out;
}

struct Outcome {
  std::vector<TokenId> tokens;
  std::optional<Result<model::Generated>> end;
};

std::vector<Outcome> drain(EngineCall& call, std::size_t jobs) {
  std::vector<Outcome> out(jobs);
  for (std::size_t ended = 0; ended < jobs;) {
    std::vector<EngineNews> all = call.wait(kLong);
    if (all.empty()) {
      ADD_FAILURE() << "nothing came";
      break;
    }
    for (EngineNews& news : all) {
      for (const auto& token : news.tokens) out[news.job].tokens.push_back(token.token);
      if (!news.end) continue;
      ++ended;
      out[news.job].end = std::move(news.end);
    }
  }
  return out;
}

TEST(EngineThread, jobs_of_one_call_say_what_they_say_alone) {
  Scene scene(3, 4);
  std::vector<EngineJob> jobs;
  for (std::uint8_t i = 0; i < 6; ++i) jobs.push_back(job(i, 30));
  const auto together = scene.engine.submit(jobs, Origin::kLocal);
  ASSERT_TRUE(together);
  const std::vector<Outcome> all = drain(**together, 6);
  for (std::uint8_t i = 0; i < 6; ++i) {
    const auto alone = scene.engine.submit({job(i, 30)}, Origin::kSubnet);
    const std::vector<Outcome> one = drain(**alone, 1);
    ASSERT_TRUE(all[i].end && all[i].end->has_value());
    EXPECT_EQ(all[i].tokens, (*all[i].end)->ids);
    EXPECT_EQ(one[0].tokens, all[i].tokens);
    EXPECT_EQ((*one[0].end)->trace_root, (*all[i].end)->trace_root);
  }
  EXPECT_EQ(scene.engine.load().running + scene.engine.load().waiting, 0U);
}

TEST(EngineThread, takes_all_jobs_of_a_call_or_none) {
  Scene scene(1, 2);
  EXPECT_EQ(scene.engine.submit({job(1, 5), job(2, 5), job(3, 5), job(4, 5)}, Origin::kLocal).error().code,
            ErrorCode::kResourceExhausted);
  const auto three = scene.engine.submit({job(1, 5), job(2, 5), job(3, 5)}, Origin::kLocal);
  ASSERT_TRUE(three);
  drain(**three, 3);
}

TEST(EngineThread, the_subnet_goes_first) {
  Scene scene(1, 8);
  const auto running = scene.engine.submit({job(0, 8000)}, Origin::kLocal);
  ASSERT_FALSE((*running)->wait(kLong).empty());
  const auto local = scene.engine.submit({job(1, 400)}, Origin::kLocal);
  const auto subnet = scene.engine.submit({job(2, 3)}, Origin::kSubnet);
  (*running)->abandon_all();
  const std::vector<Outcome> first = drain(**subnet, 1);
  EXPECT_TRUE(first[0].end->has_value());
  // The local one can only have begun after it.
  std::size_t before = 0;
  for (const EngineNews& news : (*local)->wait(std::chrono::milliseconds(0))) before += news.tokens.size();
  EXPECT_LT(before, 400U);
  (*local)->abandon_all();
}

TEST(EngineThread, a_call_that_is_dropped_frees_its_places) {
  Scene scene(1, 1);
  for (int i = 0; i < 10; ++i) {
    const auto call = scene.engine.submit({job(1, 8000), job(2, 8000)}, Origin::kLocal);
    ASSERT_TRUE(call) << call.error().message;
    ASSERT_FALSE((*call)->wait(kLong).empty());
  }
  const auto last = scene.engine.submit({job(3, 4)}, Origin::kLocal);
  EXPECT_TRUE(drain(**last, 1)[0].end->has_value());
}

TEST(EngineThread, the_end_tells_everybody) {
  Scene scene(1, 2);
  const auto call = scene.engine.submit({job(1, 8000), job(2, 10)}, Origin::kLocal);
  ASSERT_FALSE((*call)->wait(kLong).empty());
  scene.engine.stop();
  for (const Outcome& outcome : drain(**call, 2)) {
    EXPECT_EQ(outcome.end->error().code, ErrorCode::kUnavailable);
  }
  EXPECT_EQ(scene.engine.submit({job(3, 1)}, Origin::kSubnet).error().code, ErrorCode::kUnavailable);
}

}  // namespace
}  // namespace adit::miner
