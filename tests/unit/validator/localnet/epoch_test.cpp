// SPDX-License-Identifier: MIT
// Epochs of the local chain: when they run, what they write, whom they pay.
#include "tests/unit/validator/localnet/test_chain.hpp"
#include "validator/localnet/epoch_step.hpp"
#include "validator/localnet/subnet.hpp"

namespace adit::validator {
namespace {

using test::TestChain;

constexpr Rao kTao = 1'000'000'000;
using Shares = std::vector<std::uint16_t>;

class Epochs : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_EQ(chain.admin("commit_reveal_weights_enabled", 1, 0), "ok");
    ASSERT_EQ(chain.admin("weights_set_rate_limit", 1, 0), "ok");
    for (const char* hotkey : {"//v", "//m1", "//m2"}) {
      ASSERT_EQ(chain.run("//Bob", chain::burned_register(meta, 1, chain.account(hotkey))), "ok");
    }
    ASSERT_EQ(chain.run("//Bob", chain::add_stake(meta, chain.account("//v"), 1, 1000 * kTao)), "ok");
    ASSERT_EQ(chain.admin("tempo", 1, 5), "ok");
  }
  BlockNumber head() { return chain.node().head().header.number; }
  BlockNumber last_epoch() { return chain.get<BlockNumber>(subtensor("LastEpochBlock"), NetUid{1}); }
  // To the block in which the next epoch has run.
  void next_epoch() {
    const BlockNumber before = last_epoch();
    for (int i = 0; i < 6 && last_epoch() == before; ++i) chain.make_blocks();
    ASSERT_GT(last_epoch(), before);
  }
  Rao alpha(const char* hotkey) {
    return chain.get<Rao>(subtensor("TotalHotkeyAlpha"), chain.account(hotkey), NetUid{1});
  }

  TestChain chain;
  const chain::Metadata& meta = chain.metadata();
};

TEST_F(Epochs, RunEveryTempoBlocks) {
  next_epoch();
  const BlockNumber first = last_epoch();
  const auto index = chain.get<std::uint64_t>(subtensor("SubnetEpochIndex"), NetUid{1});
  chain.make_blocks(4);
  EXPECT_EQ(last_epoch(), first);
  EXPECT_EQ(chain.get<std::uint64_t>(subtensor("BlocksSinceLastStep"), NetUid{1}), 4u);
  chain.make_blocks(1);
  EXPECT_EQ(last_epoch(), first + 5);
  EXPECT_EQ(head(), first + 5);
  EXPECT_EQ(chain.get<std::uint64_t>(subtensor("BlocksSinceLastStep"), NetUid{1}), 0u);
  EXPECT_EQ(chain.get<std::uint64_t>(subtensor("SubnetEpochIndex"), NetUid{1}), index + 1);
  chain.read([&](const State& state) { EXPECT_EQ(next_epoch_block(state, 1), first + 10); });
  ASSERT_EQ(chain.admin("tempo", 1, 0), "ok");
  chain.make_blocks(20);
  EXPECT_EQ(last_epoch(), first + 5) << "tempo 0 runs none";
}

TEST_F(Epochs, StakeGivesPermitAndWeightsGiveIncentive) {
  next_epoch();
  EXPECT_EQ(chain.get<std::vector<bool>>(subtensor("ValidatorPermit"), NetUid{1}),
            (std::vector<bool>{true, false, false}));
  ASSERT_EQ(chain.run("//v", chain::set_mechanism_weights(meta, {1, 0, {1, 2}, {3, 1}, 0})), "ok");
  next_epoch();
  EXPECT_EQ(chain.get<Shares>(subtensor("Incentive"), NetUid{1}), (Shares{0, 49151, 16383}));
  EXPECT_EQ(chain.get<Shares>(subtensor("Dividends"), NetUid{1}), (Shares{65535, 0, 0}));
  EXPECT_EQ(chain.get<Shares>(subtensor("Consensus"), NetUid{1}), (Shares{0, 49151, 16383}));
  EXPECT_EQ(chain.get<Shares>(subtensor("ValidatorTrust"), NetUid{1})[0], 65535);
  EXPECT_EQ(chain.get<Shares>(subtensor("StakeWeight"), NetUid{1})[0], 65535);
  EXPECT_FALSE(chain.get<ShareRow>(subtensor("Bonds"), NetUid{1}, Uid{0}).empty());
}

TEST_F(Epochs, TheWholeEmissionIsPaidAsStake) {
  ASSERT_EQ(chain.run("//v", chain::set_mechanism_weights(meta, {1, 0, {0}, {1}, 0})), "ok");
  next_epoch();
  ASSERT_EQ(chain.run("//v", chain::set_mechanism_weights(meta, {1, 0, {1, 2}, {3, 1}, 0})), "ok");
  const Rao v = alpha("//v");
  const Rao m1 = alpha("//m1");
  const Rao m2 = alpha("//m2");
  next_epoch();
  // Five blocks of one alpha: half by incentive, half by dividends.
  EXPECT_NEAR(static_cast<double>(alpha("//m1") - m1), 2.5 * 0.75 * kTao, 10.0);
  EXPECT_NEAR(static_cast<double>(alpha("//m2") - m2), 2.5 * 0.25 * kTao, 10.0);
  EXPECT_NEAR(static_cast<double>(alpha("//v") - v), 2.5 * kTao, 10.0);
  const auto emission = chain.get<std::vector<Rao>>(subtensor("Emission"), NetUid{1});
  EXPECT_NEAR(static_cast<double>(emission[0] + emission[1] + emission[2]), 5.0 * kTao, 10.0);
}

TEST_F(Epochs, WhatTheChainRunsIsWhatYumaSaysOfItsStorage) {
  next_epoch();
  ASSERT_EQ(chain.run("//v", chain::set_mechanism_weights(meta, {1, 0, {1, 2}, {5, 9}, 0})), "ok");
  while (head() + 1 < last_epoch() + 5) chain.make_blocks();
  EpochInput input;
  const BlockNumber next = head() + 1;
  chain.read([&](const State& state) { input = epoch_input(state, 1, 0, next, 5 * kTao); });
  EXPECT_EQ(input.weights[0], (ShareRow{{1, 36408}, {2, 65535}}));
  const Result<EpochOutput> expected = run_epoch(input);
  ASSERT_TRUE(expected);
  chain.make_blocks();
  ASSERT_EQ(last_epoch(), head());
  EXPECT_EQ(chain.get<Shares>(subtensor("Incentive"), NetUid{1}), expected->incentive);
  EXPECT_EQ(chain.get<Shares>(subtensor("Dividends"), NetUid{1}), expected->dividends);
  EXPECT_EQ(chain.get<std::vector<Rao>>(subtensor("Emission"), NetUid{1}), expected->emission);
  EXPECT_EQ(chain.get<ShareRow>(subtensor("Bonds"), NetUid{1}, Uid{0}), expected->bonds[0]);
}

TEST_F(Epochs, TheOwnersHotkeyIsNotPaidForIncentive) {
  ASSERT_EQ(chain.run("//Alice", chain::burned_register(meta, 1, chain.account("//Alice"))), "ok");
  ASSERT_EQ(chain.run("//v", chain::set_mechanism_weights(meta, {1, 0, {0}, {1}, 0})), "ok");
  next_epoch();
  ASSERT_EQ(chain.run("//v", chain::set_mechanism_weights(meta, {1, 0, {3}, {1}, 0})), "ok");
  next_epoch();
  EXPECT_EQ(chain.get<Shares>(subtensor("Incentive"), NetUid{1})[3], 65535);
  EXPECT_EQ(alpha("//Alice"), 0u);
}

TEST_F(Epochs, TwoMechanismsShareTheEmission) {
  ASSERT_EQ(chain.admin("mechanism_count", 1, 2), "ok");
  next_epoch();
  ASSERT_EQ(chain.run("//v", chain::set_mechanism_weights(meta, {1, 0, {1, 2}, {1, 0}, 0})), "ok");
  ASSERT_EQ(chain.run("//v", chain::set_mechanism_weights(meta, {1, 1, {1, 2}, {0, 1}, 0})), "ok");
  next_epoch();
  EXPECT_EQ(chain.get<Shares>(subtensor("Incentive"), NetUid{1}), (Shares{0, 65535, 0}));
  EXPECT_EQ(chain.get<Shares>(subtensor("Incentive"), NetUid{4097}), (Shares{0, 0, 65535}));
  const auto emission = chain.get<std::vector<Rao>>(subtensor("Emission"), NetUid{1});
  EXPECT_NEAR(static_cast<double>(emission[1]), 1.25 * kTao, 10.0);
  EXPECT_NEAR(static_cast<double>(emission[2]), 1.25 * kTao, 10.0);
}

}  // namespace
}  // namespace adit::validator
