// SPDX-License-Identifier: MIT
// The pool's answers, the life of a transaction, and restarts.
#include "validator/localnet/node.hpp"

#include <limits>

#include "tests/support/temp_dir.hpp"
#include "tests/unit/validator/localnet/test_chain.hpp"

namespace adit::validator {
namespace {

using test::TestChain;

constexpr Rao kTao = 1'000'000'000;

class NodeTest : public ::testing::Test {
 protected:
  Bytes transfer(Rao amount = kTao) {
    return *chain::transfer_keep_alive(chain.metadata(), chain.account("//new"), amount);
  }
  std::string refused(ByteView xt) {
    const auto submitted = chain.node().submit(xt);
    if (submitted) return "accepted";
    return fmt::format("{} {} {}", submitted.error().code, submitted.error().message,
                       submitted.error().data);
  }
  std::string refused_with(const chain::SigningContext& context) {
    return refused(chain.sign("//Alice", transfer(), context));
  }

  TestChain chain;
};

TEST_F(NodeTest, ASignatureMustFitThisChain) {
  auto context = chain.context("//Alice");
  ++context.spec_version;
  EXPECT_EQ(refused_with(context), "1010 Invalid Transaction Transaction has a bad signature");
  context = chain.context("//Alice");
  ++context.transaction_version;
  EXPECT_EQ(refused_with(context), "1010 Invalid Transaction Transaction has a bad signature");
  context = chain.context("//Alice");
  context.genesis[0] ^= 1;
  EXPECT_EQ(refused_with(context), "1010 Invalid Transaction Transaction has a bad signature");
  Bytes xt = chain.sign("//Alice", transfer(), chain.context("//Alice"));
  xt[60] ^= 1;
  EXPECT_EQ(refused(xt), "1010 Invalid Transaction Transaction has a bad signature");
}

TEST_F(NodeTest, BytesThatAreNoExtrinsicAreRefused) {
  EXPECT_TRUE(refused({}).starts_with("1001 "));
  Bytes xt = chain.sign("//Alice", transfer(), chain.context("//Alice"));
  xt.push_back(0);
  EXPECT_TRUE(refused(xt).starts_with("1001 "));
  xt.resize(50);
  EXPECT_TRUE(refused(xt).starts_with("1001 "));
}

TEST_F(NodeTest, CallsThatAreNotImplementedSaySo) {
  const auto call =
      chain::encode_call(chain.metadata(), "Drand", "set_oldest_stored_round",
                         std::vector<chain::CallArgument>{{"oldest_round", encoded(std::uint64_t{1})}});
  if (!call) GTEST_SKIP() << call.error().message;
  EXPECT_EQ(refused(chain.sign("//Alice", *call, chain.context("//Alice"))),
            "1010 Invalid Transaction Drand.set_oldest_stored_round is not implemented by this chain");
  EXPECT_EQ(refused(chain.sign("//Alice", *chain::sudo(chain.metadata(), *call), chain.context("//Alice"))),
            "1010 Invalid Transaction Drand.set_oldest_stored_round is not implemented by this chain");
}

TEST_F(NodeTest, ABooleanOfTwoIsRefusedBeforeItReachesStorage) {
  Bytes call = *chain::admin_set(chain.metadata(), "yuma3_enabled", 1, 1);
  call.back() = 2;
  EXPECT_EQ(refused(chain.sign("//Alice", *chain::sudo(chain.metadata(), call), chain.context("//Alice"))),
            "1010 Invalid Transaction AdminUtils.sudo_set_yuma3_enabled: enabled has no valid value");
}

TEST_F(NodeTest, NoncesOrderAndExclude) {
  auto context = chain.context("//Alice");
  context.nonce = 1;
  const auto second = chain.node().submit(chain.sign("//Alice", transfer(), context));
  ASSERT_TRUE(second);
  EXPECT_FALSE(second->ready);
  EXPECT_EQ(chain.node().next_nonce(chain.account("//Alice")), 0u);
  chain.make_blocks();
  EXPECT_EQ(chain.outcome(second->hash), "not in the block") << "its nonce waits for the one before";
  context.nonce = 0;
  const Bytes first_xt = chain.sign("//Alice", transfer(), context);
  const auto first = chain.node().submit(first_xt);
  ASSERT_TRUE(first);
  EXPECT_TRUE(first->ready);
  EXPECT_EQ(refused(first_xt), "1013 Transaction Already Imported ");
  EXPECT_TRUE(
      refused(chain.sign("//Alice", transfer(7 * kTao), context)).starts_with("1014 Priority is too low"));
  EXPECT_EQ(chain.node().next_nonce(chain.account("//Alice")), 2u);
  EXPECT_EQ(chain.node().pending().size(), 2u);
  chain.make_blocks();
  EXPECT_EQ(chain.outcome(first->hash), "ok");
  EXPECT_EQ(chain.outcome(second->hash), "ok");
  EXPECT_TRUE(chain.node().pending().empty());
  EXPECT_EQ(refused(first_xt), "1010 Invalid Transaction Transaction is outdated");
  context.nonce = 5000;
  EXPECT_EQ(refused_with(context), "1010 Invalid Transaction Transaction will be valid in the future");
}

TEST_F(NodeTest, MortalTransactionsLiveAndDieInTheirEra) {
  chain.make_blocks(10);
  auto context = chain.context("//Alice");
  const Block head = chain.node().head();
  context.era = chain::Era::mortal(8, head.header.number);
  context.era_hash = head.hash;
  const auto alive = chain.node().submit(chain.sign("//Alice", transfer(), context));
  ASSERT_TRUE(alive) << alive.error().data;
  chain.make_blocks();
  EXPECT_EQ(chain.outcome(alive->hash), "ok");
  ++context.nonce;
  context.era_hash[0] ^= 1;
  EXPECT_EQ(refused_with(context), "1010 Invalid Transaction Transaction has a bad signature");
  context.era_hash = head.hash;
  // Signed in time but behind a missing nonce, until the era is over.
  context.nonce += 1;
  const auto late = chain.node().submit(chain.sign("//Alice", transfer(), context));
  ASSERT_TRUE(late);
  std::vector<Hash256> invalid;
  chain.node().on_block([&](const BlockNotice& notice) {
    invalid.insert(invalid.end(), notice.invalid.begin(), notice.invalid.end());
  });
  chain.make_blocks(10);
  EXPECT_EQ(invalid, (std::vector<Hash256>{late->hash}));
  EXPECT_TRUE(chain.node().pending().empty());
  context.nonce -= 1;
  EXPECT_EQ(refused_with(context), "1010 Invalid Transaction Transaction has a bad signature")
      << "by now the era bytes name another block";
}

TEST_F(NodeTest, Ed25519AccountsSignToo) {
  ASSERT_EQ(chain.run("//Alice",
                      chain::transfer_keep_alive(chain.metadata(), chain.account("ed://Alice"), 9 * kTao)),
            "ok");
  EXPECT_EQ(
      chain.run("ed://Alice", chain::transfer_keep_alive(chain.metadata(), chain.account("//Bob"), kTao)),
      "ok");
}

TEST_F(NodeTest, TimestampRisesAndBlocksLinkUp) {
  const Block first = chain.make_blocks();
  const auto now = chain.get<std::uint64_t>(Item{"Timestamp", "Now"});
  const Result<Block> second = chain.node().make_block();
  ASSERT_TRUE(second);
  EXPECT_EQ(chain.get<std::uint64_t>(Item{"Timestamp", "Now"}), now + 1) << "the clock stood still";
  EXPECT_EQ(second->header.parent, first.hash);
  EXPECT_EQ(second->hash, second->header.hash());
  EXPECT_EQ(second->header.extrinsics_root, extrinsics_root(second->extrinsics));
  EXPECT_EQ(chain.get<Hash256>(Item{"System", "BlockHash"}, std::uint32_t{1}), first.hash);
  EXPECT_EQ(chain.get<std::uint32_t>(Item{"System", "Number"}), 2u);
  EXPECT_TRUE(chain.has_event("System", "ExtrinsicSuccess"));
}

TEST_F(NodeTest, OldStateCanBeReadUntilItIsDiscarded) {
  TestChain small(std::nullopt, 5);
  const Hash256 genesis = small.node().genesis_hash();
  const auto number_at = [&](const Hash256& at) -> std::string {
    std::string out;
    const Result<void> read = small.node().with_state(at, [&](const State& state, BlockNumber) {
      out = std::to_string(state.get<std::uint32_t>(Item{"System", "Number"}));
    });
    return read ? out : read.error().message;
  };
  const Block first = small.make_blocks();
  small.make_blocks(3);
  EXPECT_EQ(number_at(genesis), "0");
  EXPECT_EQ(number_at(first.hash), "1");
  small.make_blocks(3);
  EXPECT_TRUE(number_at(first.hash).starts_with("State already discarded")) << number_at(first.hash);
  EXPECT_TRUE(number_at(Hash256{}).starts_with("Header was not found"));
}

TEST(NodeRestart, StandsWhereItStood) {
  const adit::test::TempDir dir;
  Hash256 head{};
  Hash256 root{};
  std::vector<chain::Event> events;
  {
    TestChain chain(dir.path());
    ASSERT_EQ(chain.run("//Bob", chain::burned_register(chain.metadata(), 1, chain.account("//m1"))), "ok");
    events = chain.events();
    head = chain.node().head().hash;
    root = chain.node().head().header.state_root;
  }
  TestChain chain(dir.path());
  EXPECT_EQ(chain.node().head().hash, head);
  EXPECT_EQ(chain.node().head().header.state_root, root);
  EXPECT_EQ(chain.events().size(), events.size());
  EXPECT_EQ(chain.get<std::uint16_t>(subtensor("SubnetworkN"), NetUid{1}), 1);
  EXPECT_EQ(chain.node().next_nonce(chain.account("//Bob")), 1u);
  EXPECT_EQ(chain.run("//Bob", chain::burned_register(chain.metadata(), 1, chain.account("//m2"))), "ok");
  EXPECT_EQ(chain.node().head().header.parent, head);
}

TEST(NodeRestart, TwoChainsWithTheSameBlocksHaveTheSameHashes) {
  TestChain a;
  TestChain b;
  EXPECT_EQ(a.node().genesis_hash(), b.node().genesis_hash());
  a.make_blocks(120);
  b.make_blocks(120);
  EXPECT_EQ(a.node().head().hash, b.node().head().hash);
}

}  // namespace
}  // namespace adit::validator
