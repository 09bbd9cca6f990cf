// SPDX-License-Identifier: MIT
#include "validator/commit/weight_setter.hpp"

#include <gtest/gtest.h>

#include "common/base/rng.hpp"
#include "common/chain/localnet_metadata.hpp"

namespace adit::validator {
namespace {

// A chain of which a test sets what stands on it; the calls that it gets are counted.
class FakeChain final : public chain::ChainClient {
 public:
  Result<chain::BlockRef> head() override { return chain::BlockRef{block, {9}}; }
  Result<chain::BlockRef> finalized_head() override { return head(); }
  Result<Hash256> block_hash(BlockNumber) override { return Hash256{9}; }
  Result<chain::Metagraph> metagraph(NetUid, const std::optional<Hash256>&) override {
    chain::Metagraph graph{.block = block, .block_hash = {9}};
    graph.neurons.push_back({.uid = 0, .hotkey = me, .validator_permit = true, .last_update = last_update});
    return graph;
  }
  Result<std::vector<std::pair<Uid, std::uint16_t>>> weights_of(NetUid, MechId, Uid,
                                                                const std::optional<Hash256>&) override {
    return row;
  }
  Result<std::optional<Bytes>> storage(ByteView, const std::optional<Hash256>&) override {
    Bytes account;
    append_le<std::uint32_t>(account, nonce);
    return account;
  }
  Result<std::uint32_t> next_nonce(const AccountId&) override { return pool_nonce; }
  Result<chain::Inclusion> submit(ByteView, crypto::Signer&) override {
    ++submissions;
    return chain::Inclusion{.block = {block, {9}}, .success = error.empty(), .error = error};
  }
  const chain::Metadata& metadata() override { return metadata_; }

  AccountId me{};
  BlockNumber block = 100;
  BlockNumber last_update = 0;
  std::vector<std::pair<Uid, std::uint16_t>> row;
  std::uint32_t nonce = 4;
  std::uint32_t pool_nonce = 4;
  std::string error;
  int submissions = 0;

 private:
  chain::Metadata metadata_ = chain::Metadata::decode(chain::localnet_metadata()).value();
};

class WeightSetterTest : public ::testing::Test {
 protected:
  void SetUp() override { chain_.me = signer_.account(); }
  OsRng rng_;
  crypto::KeypairSigner signer_{crypto::Keypair::from_uri(crypto::Scheme::kSr25519, "//Bob").value(), rng_};
  FakeChain chain_;
  WeightSetter setter_{chain_, signer_, 1, 0};
  const WeightsRow row_{.step = 3, .block = 95, .nonce = 4, .uids = {1, 2}, .values = {65535, 0}};
};

TEST_F(WeightSetterTest, success_needs_the_stored_row_not_only_the_event) {
  chain_.last_update = 100;
  chain_.row = {{1, 65535}, {2, 0}};
  EXPECT_TRUE(setter_.submit(row_).value().success);
  chain_.row = {{1, 65535}};
  const SubmittedRow other = setter_.submit(row_).value();
  EXPECT_FALSE(other.success);
  EXPECT_NE(other.error.find("the stored row is another"), std::string::npos);
}

TEST_F(WeightSetterTest, a_refusal_keeps_the_chains_words) {
  chain_.error = "SubtensorModule.SettingWeightsTooFast";
  EXPECT_EQ(setter_.submit(row_).value().error, chain_.error);
}

TEST_F(WeightSetterTest, recovery_finds_a_vector_that_landed) {
  chain_.last_update = 97;
  chain_.nonce = chain_.pool_nonce = 5;
  chain_.row = {{1, 65535}, {2, 0}};
  EXPECT_EQ(setter_.recover(row_).value().fate, WeightSetter::Fate::kLanded);
}

TEST_F(WeightSetterTest, an_equal_row_from_before_is_not_this_one) {
  chain_.last_update = 94;
  chain_.row = {{1, 65535}, {2, 0}};
  EXPECT_EQ(setter_.recover(row_).value().fate, WeightSetter::Fate::kNotSent);
}

TEST_F(WeightSetterTest, a_used_nonce_without_the_row_is_a_failure) {
  chain_.nonce = chain_.pool_nonce = 5;
  EXPECT_EQ(setter_.recover(row_).value().fate, WeightSetter::Fate::kFailed);
}

TEST_F(WeightSetterTest, what_may_still_be_in_a_pool_is_not_sent_again) {
  chain_.pool_nonce = 5;
  EXPECT_EQ(setter_.recover(row_).value().fate, WeightSetter::Fate::kUnknown);
  chain_.block = 95 + 65;  // its era has passed
  EXPECT_EQ(setter_.recover(row_).value().fate, WeightSetter::Fate::kFailed);
  EXPECT_EQ(chain_.submissions, 0);
}

}  // namespace
}  // namespace adit::validator
