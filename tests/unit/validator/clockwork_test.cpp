// SPDX-License-Identifier: MIT
#include "validator/step/clockwork.hpp"

#include <gtest/gtest.h>

namespace adit::validator {
namespace {

chain::Metagraph graph(BlockNumber block) {
  chain::Metagraph out{};
  out.tempo = 50;
  out.last_epoch_block = 100;
  out.epoch_index = 7;
  out.block = block;
  return out;
}

TEST(Clockwork, follows_the_chains_state_not_a_modulo) {
  EXPECT_FALSE(should_run_epoch(graph(0), 149));
  EXPECT_TRUE(should_run_epoch(graph(0), 150));
  auto pending = graph(110);
  pending.pending_epoch_at = 120;
  EXPECT_TRUE(should_run_epoch(pending, 120));
  EXPECT_EQ(next_epoch_block(pending), 120u);
  auto stuck = graph(110);
  stuck.blocks_since_last_step = 50'401;
  EXPECT_TRUE(should_run_epoch(stuck, 111));
  auto never = graph(110);
  never.tempo = 0;
  EXPECT_FALSE(should_run_epoch(never, 1'000'000));
  EXPECT_EQ(next_epoch_block(never), std::nullopt);
}

TEST(Clockwork, counts_the_epoch_that_the_next_block_begins) {
  EXPECT_EQ(current_epoch(graph(148)), 7u);
  EXPECT_EQ(current_epoch(graph(149)), 8u);
}

TEST(Clockwork, one_step_an_epoch_and_none_too_late) {
  EXPECT_EQ(step_due(graph(110), std::nullopt, 10), 7u);
  EXPECT_EQ(step_due(graph(110), 6, 10), 7u);
  EXPECT_EQ(step_due(graph(110), 7, 10), std::nullopt);
  EXPECT_EQ(step_due(graph(141), 6, 10), std::nullopt);
  EXPECT_EQ(step_due(graph(140), 6, 10), 7u);
}

// The reference schedule of SDK v11 (sdk/bittensor-core epoch_schedule vectors): last 80, pending 95, tempo 20,
// at block 91 the next epoch runs at 95.
TEST(Clockwork, agrees_with_the_sdk_vector) {
  auto vector = graph(91);
  vector.last_epoch_block = 80;
  vector.pending_epoch_at = 95;
  vector.tempo = 20;
  EXPECT_EQ(next_epoch_block(vector), 95u);
}

}  // namespace
}  // namespace adit::validator
