// SPDX-License-Identifier: MIT
#include "miner/generate/bench.hpp"

#include <gtest/gtest.h>

#include "tests/support/temp_dir.hpp"
#include "tests/support/tiny_llama.hpp"

namespace adit::miner {
namespace {

TEST(Bench, measures_every_thread_count) {
  const test::TempDir folder;
  const model::Pack pack = test::tiny_llama_pack(folder.path(), {}, {.bits = 8});
  const auto rows = bench(pack, {.threads = {1, 2},
                                 .prefill_chunk = 16,
                                 .prompt_tokens = 40,
                                 .decode_tokens = 5,
                                 .repetitions = 3});
  ASSERT_TRUE(rows) << rows.error().message;
  ASSERT_EQ(2U, rows->size());
  for (const BenchRow& row : *rows) {
    for (const Speed& speed : {row.prompt, row.decode}) {
      EXPECT_GT(speed.median, 0);
      EXPECT_GE(speed.best, speed.median);
    }
  }
  EXPECT_EQ(2, rows->at(1).threads);
}

}  // namespace
}  // namespace adit::miner
