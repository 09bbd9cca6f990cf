// SPDX-License-Identifier: MIT
// Every call of the local chain: what it does, and each error it can end in.
#include "common/chain/weights.hpp"
#include "tests/unit/validator/localnet/test_chain.hpp"
#include "validator/localnet/accounts.hpp"
#include "validator/localnet/subnet.hpp"

namespace adit::validator {
namespace {

using test::TestChain;

constexpr Rao kTao = 1'000'000'000;

class Calls : public ::testing::Test {
 protected:
  Rao free_of(const std::string& uri) {
    Rao out = 0;
    chain.read([&](const State& state) { out = read_account(state, chain.account(uri)).free; });
    return out;
  }
  Result<Bytes> register_call(const std::string& hotkey, NetUid netuid = 1) {
    return chain::burned_register(meta, netuid, chain.account(hotkey));
  }
  Result<Bytes> weights_call(std::vector<Uid> uids, std::vector<std::uint16_t> values,
                             std::uint64_t version = 0, NetUid netuid = 1, MechId mechanism = 0) {
    // Not chain::set_mechanism_weights: that refuses rows that the chain must refuse here.
    const chain::CallArgument arguments[] = {{"netuid", encoded(netuid)},
                                             {"mecid", encoded(mechanism)},
                                             {"dests", encoded(uids)},
                                             {"weights", encoded(values)},
                                             {"version_key", encoded(version)}};
    return chain::encode_call(meta, "SubtensorModule", "set_mechanism_weights", arguments);
  }
  Result<Bytes> axon_call(std::uint32_t ip, std::uint16_t port, std::uint8_t ip_type = 4) {
    const auto number = [](auto value) { return encoded(value); };
    const chain::CallArgument arguments[] = {{"netuid", number(NetUid{1})},
                                             {"version", number(std::uint32_t{1})},
                                             {"ip", encoded(Wide{ip, 0})},
                                             {"port", number(port)},
                                             {"ip_type", number(ip_type)},
                                             {"protocol", number(std::uint8_t{4})},
                                             {"placeholder1", number(std::uint8_t{0})},
                                             {"placeholder2", number(std::uint8_t{0})}};
    return chain::encode_call(meta, "SubtensorModule", "serve_axon", arguments);
  }
  // Subnet 1 with three neurons owned by //Bob, weights free to set.
  void populate() {
    ASSERT_EQ(chain.admin("commit_reveal_weights_enabled", 1, 0), "ok");
    ASSERT_EQ(chain.admin("weights_set_rate_limit", 1, 0), "ok");
    for (const char* hotkey : {"//v", "//m1", "//m2"}) {
      ASSERT_EQ(chain.run("//Bob", register_call(hotkey)), "ok");
    }
  }
  // //v gets stake and, at the next epoch, a permit.
  void give_permit() {
    ASSERT_EQ(chain.run("//Bob", chain::add_stake(meta, chain.account("//v"), 1, 1000 * kTao)), "ok");
    ASSERT_EQ(chain.admin("tempo", 1, 2), "ok");
    chain.make_blocks(3);
    ASSERT_EQ(chain.admin("tempo", 1, 50000), "ok");
    ASSERT_TRUE(chain.get<std::vector<bool>>(subtensor("ValidatorPermit"), NetUid{1})[0]);
  }

  TestChain chain;
  const chain::Metadata& meta = chain.metadata();
};

TEST_F(Calls, TransferMovesBalanceAndChargesTheFee) {
  const Rao before = free_of("//Alice");
  ASSERT_EQ(chain.run("//Alice", chain::transfer_keep_alive(meta, chain.account("//new"), 5 * kTao)), "ok");
  EXPECT_EQ(free_of("//new"), 5 * kTao);
  const Rao fee = before - free_of("//Alice") - 5 * kTao;
  EXPECT_GT(fee, 0u);
  EXPECT_LT(fee, kTao / 100);
  EXPECT_TRUE(chain.has_event("Balances", "Transfer"));
  EXPECT_TRUE(chain.has_event("System", "NewAccount"));
  EXPECT_TRUE(chain.has_event("TransactionPayment", "TransactionFeePaid"));
  EXPECT_EQ(chain.get<Rao>(Item{"Balances", "TotalIssuance"}), 6'000'000 * kTao - fee);
}

TEST_F(Calls, TransferErrors) {
  EXPECT_EQ(chain.run("//Alice", chain::transfer_keep_alive(meta, chain.account("//new"), 499)),
            "Token.BelowMinimum");
  EXPECT_EQ(
      chain.run("//Alice", chain::transfer_keep_alive(meta, chain.account("//new"), 2'000'000 * kTao)),
      "Token.FundsUnavailable");
  ASSERT_EQ(chain.run("//Alice", chain::transfer_keep_alive(meta, chain.account("//new"), kTao)), "ok");
  const Rao fee = 1'000'000'000 - 100;
  EXPECT_EQ(chain.run("//new", chain::transfer_keep_alive(meta, chain.account("//Bob"), fee)),
            "Token.FundsUnavailable");
  EXPECT_EQ(chain.run("//poor", chain::transfer_keep_alive(meta, chain.account("//Bob"), 1)),
            "pool: Inability to pay some fees (e.g. account balance too low)");
  // A failed transfer costs its fee and moves nothing else.
  EXPECT_LT(free_of("//new"), kTao);
  EXPECT_GT(free_of("//new"), kTao - kTao / 100);
}

TEST_F(Calls, RegistrationGivesUidsInOrderAndRaisesThePrice) {
  const Rao price = chain.get<Rao>(subtensor("Burn"), NetUid{1});
  EXPECT_EQ(price, kTao);
  ASSERT_EQ(chain.run("//Bob", register_call("//m1")), "ok");
  EXPECT_TRUE(chain.has_event("SubtensorModule", "NeuronRegistered"));
  const Rao raised = chain.get<Rao>(subtensor("Burn"), NetUid{1});
  EXPECT_NEAR(static_cast<double>(raised), 1.26 * kTao * 0.998, 0.002 * kTao);
  ASSERT_EQ(chain.run("//Bob", register_call("//m2")), "ok");
  chain.read([&](const State& state) {
    EXPECT_EQ(uid_of(state, 1, chain.account("//m1")), Uid{0});
    EXPECT_EQ(uid_of(state, 1, chain.account("//m2")), Uid{1});
    EXPECT_EQ(hotkey_of(state, 1, 1), chain.account("//m2"));
    EXPECT_EQ(coldkey_of(state, chain.account("//m2")), chain.account("//Bob"));
    EXPECT_EQ(uid_count(state, 1), 2);
  });
  const auto updates = chain.get<std::vector<BlockNumber>>(subtensor("LastUpdate"), NetUid{1});
  EXPECT_EQ(updates, (std::vector<BlockNumber>{1, 2}));
}

TEST_F(Calls, BurnPriceHalvesInItsHalfLife) {
  ASSERT_EQ(chain.admin("burn_half_life", 1, 10), "ok");
  const Rao before = chain.get<Rao>(subtensor("Burn"), NetUid{1});
  chain.make_blocks(10);
  const Rao after = chain.get<Rao>(subtensor("Burn"), NetUid{1});
  EXPECT_NEAR(static_cast<double>(after), static_cast<double>(before) / 2, 100);
  chain.make_blocks(200);
  EXPECT_EQ(chain.get<Rao>(subtensor("Burn"), NetUid{1}), chain.get<Rao>(subtensor("MinBurn"), NetUid{1}));
}

TEST_F(Calls, RegistrationErrors) {
  EXPECT_EQ(chain.run("//Bob", register_call("//m1", 0)),
            "SubtensorModule.RegistrationNotPermittedOnRootSubnet");
  EXPECT_EQ(chain.run("//Bob", register_call("//m1", 9)), "SubtensorModule.SubnetNotExists");
  ASSERT_EQ(chain.run("//Bob", register_call("//m1")), "ok");
  EXPECT_EQ(chain.run("//Bob", register_call("//m1")), "SubtensorModule.HotKeyAlreadyRegisteredInSubNet");
  ASSERT_EQ(chain.admin("network_registration_allowed", 1, 0), "ok");
  EXPECT_EQ(chain.run("//Bob", register_call("//m2")), "SubtensorModule.SubNetRegistrationDisabled");
  ASSERT_EQ(chain.admin("network_registration_allowed", 1, 1), "ok");
  ASSERT_EQ(chain.run("//Alice", chain::transfer_keep_alive(meta, chain.account("//poor"), kTao / 2)),
            "ok");
  EXPECT_EQ(chain.run("//poor", register_call("//m2")), "SubtensorModule.NotEnoughBalanceToStake");
  ASSERT_EQ(chain.admin("max_allowed_uids", 1, 1), "ok");
  EXPECT_EQ(chain.run("//Bob", register_call("//m2")), "SubtensorModule.NoNeuronIdAvailable");
  EXPECT_EQ(chain.get<std::uint16_t>(subtensor("SubnetworkN"), NetUid{1}), 1);
}

TEST_F(Calls, AFullSubnetGivesTheWeakestNeuronsUid) {
  ASSERT_EQ(chain.admin("max_allowed_uids", 1, 2), "ok");
  ASSERT_EQ(chain.run("//Bob", register_call("//m1")), "ok");
  ASSERT_EQ(chain.run("//Bob", register_call("//m2")), "ok");
  ASSERT_EQ(chain.admin("immunity_period", 1, 1), "ok");
  ASSERT_EQ(chain.run("//m1", axon_call(0x01020304, 80)), "ok");
  chain.make_blocks(1);
  ASSERT_EQ(chain.run("//Bob", register_call("//m3")), "ok");
  chain.read([&](const State& state) {
    EXPECT_EQ(uid_of(state, 1, chain.account("//m3")), Uid{0});
    EXPECT_EQ(uid_of(state, 1, chain.account("//m1")), std::nullopt);
    EXPECT_FALSE(state.raw(state.key(subtensor("Axons"), NetUid{1}, chain.account("//m1"))));
    EXPECT_EQ(uid_count(state, 1), 2);
  });
}

TEST_F(Calls, HotkeyOfAnotherColdkeyIsRefused) {
  ASSERT_EQ(chain.run("//Bob", register_call("//m1")), "ok");
  const chain::CallArgument hotkey[] = {{"hotkey", encoded(chain.account("//m1"))}};
  EXPECT_EQ(chain.run("//Charlie", chain::encode_call(meta, "SubtensorModule", "register_network", hotkey)),
            "SubtensorModule.NonAssociatedColdKey");
  EXPECT_EQ(chain.run("//Bob", chain::encode_call(meta, "SubtensorModule", "register_network", hotkey)),
            "ok");
  EXPECT_TRUE(chain.has_event("SubtensorModule", "NetworkAdded"));
  EXPECT_EQ(chain.run("//Charlie", register_call("//m1", 2)),
            "SubtensorModule.HotKeyAlreadyRegisteredInSubNet");
  EXPECT_TRUE(chain.get<bool>(subtensor("NetworksAdded"), NetUid{2}));
  EXPECT_EQ(chain.get<std::uint16_t>(subtensor("TotalNetworks")), 3);
}

TEST_F(Calls, StakeIsAddedSharedAndTakenBack) {
  ASSERT_EQ(chain.run("//Bob", register_call("//v")), "ok");
  const auto stake = [&](const char* uri, Rao amount) {
    return chain.run(uri, chain::add_stake(meta, chain.account("//v"), 1, amount));
  };
  ASSERT_EQ(stake("//Bob", 100 * kTao), "ok");
  EXPECT_TRUE(chain.has_event("SubtensorModule", "StakeAdded"));
  ASSERT_EQ(stake("//Charlie", 300 * kTao), "ok");
  EXPECT_EQ(chain.get<Rao>(subtensor("TotalHotkeyAlpha"), chain.account("//v"), NetUid{1}), 400 * kTao);
  const auto unstake = [&](const char* uri, Rao amount) {
    const chain::CallArgument arguments[] = {{"hotkey", encoded(chain.account("//v"))},
                                             {"netuid", encoded(NetUid{1})},
                                             {"amount_unstaked", encoded(amount)}};
    return chain.run(uri, chain::encode_call(meta, "SubtensorModule", "remove_stake", arguments));
  };
  EXPECT_EQ(unstake("//Bob", 101 * kTao), "SubtensorModule.NotEnoughStakeToWithdraw");
  EXPECT_EQ(unstake("//Charlie", 300 * kTao), "ok");
  EXPECT_EQ(unstake("//Bob", 100 * kTao), "ok");
  EXPECT_EQ(chain.get<Rao>(subtensor("TotalHotkeyAlpha"), chain.account("//v"), NetUid{1}), 0u);

  EXPECT_EQ(stake("//Bob", 1000), "SubtensorModule.AmountTooLow");
  EXPECT_EQ(stake("//Bob", 2'000'000 * kTao), "SubtensorModule.NotEnoughBalanceToStake");
  EXPECT_EQ(chain.run("//Bob", chain::add_stake(meta, chain.account("//m1"), 1, kTao)),
            "SubtensorModule.HotKeyAccountNotExists");
  EXPECT_EQ(chain.run("//Bob", chain::add_stake(meta, chain.account("//v"), 7, kTao)),
            "SubtensorModule.SubnetNotExists");
}

TEST_F(Calls, ServeAxonStoresAndRefuses) {
  ASSERT_EQ(chain.run("//Bob", register_call("//m1")), "ok");
  ASSERT_EQ(chain.run("//m1", axon_call(0x01020304, 8091)), "ok");
  EXPECT_TRUE(chain.has_event("SubtensorModule", "AxonServed"));
  chain.read([&](const State& state) {
    const auto stored = state.raw(state.key(subtensor("Axons"), NetUid{1}, chain.account("//m1")));
    ASSERT_TRUE(stored);
    EXPECT_EQ(to_hex(*stored),
              "0200000000000000"
              "01000000"
              "04030201000000000000000000000000"
              "9b1f"
              "04040000");
  });
  EXPECT_EQ(chain.run("//m1", axon_call(0x01020304, 8092)), "pool: Custom error: 12");
  EXPECT_EQ(chain.run("//m1", axon_call(0x7f000001, 1)), "pool: Custom error: 11");
  EXPECT_EQ(chain.run("//m1", axon_call(1, 1, 5)), "pool: Custom error: 11");
  EXPECT_EQ(chain.run("//stranger", axon_call(1, 1)), "pool: Custom error: 10");
  ASSERT_EQ(chain.admin("serving_rate_limit", 1, 0), "ok");
  EXPECT_EQ(chain.run("//m1", axon_call(1, 0)), "pool: Custom error: 13");
  EXPECT_EQ(chain.run("//m1", axon_call(0x7f000002, 8092)), "ok");
}

TEST_F(Calls, TwoServesInOneBlockFailInTheBlock) {
  ASSERT_EQ(chain.run("//Bob", register_call("//m1")), "ok");
  const auto first = chain.submit("//m1", axon_call(1, 1));
  const auto second = chain.submit("//m1", axon_call(1, 2));
  ASSERT_TRUE(first && second);
  chain.make_blocks();
  EXPECT_EQ(chain.outcome(first->hash), "ok");
  EXPECT_EQ(chain.outcome(second->hash), "SubtensorModule.ServingRateLimitExceeded");
}

TEST_F(Calls, WeightsAreStoredUpscaledWithTheirZeros) {
  populate();
  give_permit();
  ASSERT_EQ(chain.run("//v", weights_call({2, 1}, {100, 50})), "ok");
  EXPECT_TRUE(chain.has_event("SubtensorModule", "WeightsSet"));
  using Row = std::vector<std::pair<Uid, std::uint16_t>>;
  EXPECT_EQ(chain.get<Row>(subtensor("Weights"), NetUid{1}, Uid{0}), (Row{{2, 65535}, {1, 32768}}));
  ASSERT_EQ(chain.run("//v", weights_call({0, 1, 2}, {0, 40000, 50000})), "ok");
  EXPECT_EQ(chain.get<Row>(subtensor("Weights"), NetUid{1}, Uid{0}), (Row{{0, 0}, {1, 52428}, {2, 65535}}));
  const BlockNumber now = chain.node().head().header.number;
  EXPECT_EQ(chain.get<std::vector<BlockNumber>>(subtensor("LastUpdate"), NetUid{1})[0], now);
}

TEST_F(Calls, WeightErrorsInTheChainsOrder) {
  EXPECT_EQ(chain.run("//v", weights_call({0}, {1})), "SubtensorModule.CommitRevealEnabled");
  ASSERT_EQ(chain.admin("commit_reveal_weights_enabled", 0, 0), "ok");
  EXPECT_EQ(chain.run("//v", weights_call({0}, {1}, 0, 0)), "SubtensorModule.CanNotSetRootNetworkWeights");
  populate();
  EXPECT_EQ(chain.run("//v", weights_call({0}, {1, 2})), "SubtensorModule.WeightVecNotEqualSize");
  EXPECT_EQ(chain.run("//v", weights_call({0}, {1}, 0, 1, 3)), "SubtensorModule.MechanismDoesNotExist");
  EXPECT_EQ(chain.run("//v", weights_call({0, 1, 2, 3}, {1, 1, 1, 1})),
            "SubtensorModule.UidsLengthExceedUidsInSubNet");
  EXPECT_EQ(chain.run("//stranger", weights_call({0}, {1})), "SubtensorModule.HotKeyNotRegisteredInSubNet");
  EXPECT_EQ(chain.run("//v", weights_call({1, 2}, {1, 1})), "SubtensorModule.NeuronNoValidatorPermit");
  EXPECT_EQ(chain.run("//m1", weights_call({1}, {1})), "ok") << "to oneself no permit is needed";
  give_permit();
  EXPECT_EQ(chain.run("//v", weights_call({1, 1}, {1, 1})), "SubtensorModule.DuplicateUids");
  EXPECT_EQ(chain.run("//v", weights_call({1, 3}, {1, 1})), "SubtensorModule.UidVecContainInvalidOne");
  ASSERT_EQ(chain.admin("min_allowed_weights", 1, 2), "ok");
  EXPECT_EQ(chain.run("//v", weights_call({1}, {1})), "SubtensorModule.WeightVecLengthIsLow");
  ASSERT_EQ(chain.admin("weights_version_key", 1, 5), "ok");
  EXPECT_EQ(chain.run("//v", weights_call({1, 2}, {1, 1}, 4)), "SubtensorModule.IncorrectWeightVersionKey");
  EXPECT_EQ(chain.run("//v", weights_call({1, 2}, {1, 1}, 5)), "ok");
  ASSERT_EQ(chain.admin("weights_set_rate_limit", 1, 100), "ok");
  EXPECT_EQ(chain.run("//v", weights_call({1, 2}, {1, 1}, 5)), "pool: Custom error: 6");
  ASSERT_EQ(chain.sudo(chain::admin_set_global(meta, "stake_threshold", 5000 * kTao)), "ok");
  EXPECT_EQ(chain.run("//v", weights_call({1, 2}, {1, 1}, 5)), "pool: Custom error: 1");
}

TEST_F(Calls, TwoWeightsInOneBlockFailInTheBlock) {
  populate();
  give_permit();
  ASSERT_EQ(chain.admin("weights_set_rate_limit", 1, 3), "ok");
  chain.make_blocks(3);
  const auto first = chain.submit("//v", weights_call({1, 2}, {1, 1}));
  const auto second = chain.submit("//v", weights_call({1, 2}, {1, 2}));
  ASSERT_TRUE(first && second);
  chain.make_blocks();
  EXPECT_EQ(chain.outcome(first->hash), "ok");
  EXPECT_EQ(chain.outcome(second->hash), "SubtensorModule.SettingWeightsTooFast");
}

TEST_F(Calls, CommitmentIsStoredWithinTheAllowance) {
  const Bytes data = to_bytes(as_bytes("card 7"));
  EXPECT_EQ(chain.run("//m1", chain::set_commitment(meta, 1, data)), "Commitments.AccountNotAllowedCommit");
  ASSERT_EQ(chain.run("//Bob", register_call("//m1")), "ok");
  ASSERT_EQ(chain.run("//m1", chain::set_commitment(meta, 1, data)), "ok");
  EXPECT_TRUE(chain.has_event("Commitments", "Commitment"));
  chain.read([&](const State& state) {
    const auto stored =
        state.raw(state.key(Item{"Commitments", "CommitmentOf"}, NetUid{1}, chain.account("//m1")));
    ASSERT_TRUE(stored);
    // deposit 0, block 3, one field Raw6.
    EXPECT_EQ(to_hex(*stored),
              "0000000000000000"
              "03000000"
              "04"
              "07" +
                  to_hex(data));
  });
  std::string last;
  for (int i = 0; i < 31 && last != "Commitments.SpaceLimitExceeded"; ++i) {
    last = chain.run("//m1", chain::set_commitment(meta, 1, data));
  }
  EXPECT_EQ(last, "Commitments.SpaceLimitExceeded");
}

TEST_F(Calls, SudoIsAlicesAlone) {
  const Result<Bytes> tempo = chain::admin_set(meta, "tempo", 1, 7);
  ASSERT_TRUE(tempo);
  EXPECT_EQ(chain.run("//Bob", chain::sudo(meta, *tempo)), "Sudo.RequireSudo");
  EXPECT_EQ(chain.run("//Alice", tempo), "BadOrigin");
  EXPECT_EQ(chain.admin("tempo", 1, 7), "ok");
  EXPECT_TRUE(chain.has_event("SubtensorModule", "TempoSet"));
  EXPECT_EQ(chain.get<std::uint16_t>(subtensor("Tempo"), NetUid{1}), 7);
  EXPECT_EQ(chain.admin("tempo", 5, 7), "AdminUtils.SubnetDoesNotExist");
}

}  // namespace
}  // namespace adit::validator
