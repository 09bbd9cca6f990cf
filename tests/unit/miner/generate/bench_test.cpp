// SPDX-License-Identifier: MIT
#include "miner/generate/bench.hpp"

#include <gtest/gtest.h>

#include "tests/support/temp_dir.hpp"
#include "tests/support/tiny_llama.hpp"

namespace adit::miner {
namespace {

TEST(Bench, measures_every_combination) {
  const test::TempDir folder;
  const model::Pack pack = test::tiny_llama_pack(folder.path(), {}, {.bits = 8});
  std::vector<BenchRow> rows;
  const auto done = bench(pack,
                          {.threads = {1, 2},
                           .prompts = {40, 17},
                           .decodes = {5},
                           .batches = {1, 20},
                           .prefill_chunk = 16,
                           .repetitions = 3},
                          [&](const BenchRow& row) { rows.push_back(row); });
  ASSERT_TRUE(done) << done.error().message;
  std::vector<std::string> tests;
  for (const BenchRow& row : rows) {
    tests.push_back(std::to_string(row.threads) + " " + row.test());
    ASSERT_EQ(3U, row.speed.values.size());
    EXPECT_GT(row.speed.median(), 0);
    EXPECT_GE(row.speed.best(), row.speed.median());
  }
  EXPECT_EQ((std::vector<std::string>{"1 pp40", "1 pp17", "1 tg5", "1 tg5 x20", "2 pp40", "2 pp17", "2 tg5",
                                      "2 tg5 x20"}),
            tests);
}

TEST(Bench, samples_say_mean_and_deviation) {
  const Samples samples{{2, 4, 4, 4, 5, 5, 7, 9}};
  EXPECT_DOUBLE_EQ(5, samples.mean());
  EXPECT_NEAR(2.13809, samples.deviation(), 1e-5);  // sqrt(32 / 7)
  EXPECT_EQ(9, samples.best());
  EXPECT_EQ(4, samples.median());
  EXPECT_EQ(0, Samples{{3}}.deviation());
  EXPECT_EQ(0, Samples{}.mean());
}

}  // namespace
}  // namespace adit::miner
