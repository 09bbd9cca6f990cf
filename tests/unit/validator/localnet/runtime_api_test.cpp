// SPDX-License-Identifier: MIT
// Runtime APIs: each answer is one value of the type that the metadata gives it, and says what storage says.
#include "validator/localnet/runtime_api.hpp"

#include "tests/unit/validator/localnet/test_chain.hpp"
#include "validator/localnet/subnet.hpp"

namespace adit::validator {
namespace {

using test::TestChain;

class RuntimeApi : public ::testing::Test {
 protected:
  Result<Bytes> ask(std::string_view function, ByteView params) {
    Result<Bytes> out = internal_error("not run");
    chain.read([&](const State& state) {
      out = call_runtime_api(chain.node().runtime(), state, block, function, params);
    });
    return out;
  }
  // Exactly one value of the described type.
  void expect_well_formed(const std::string& api, const std::string& method, ByteView params) {
    const Result<Bytes> answer = ask(api + "_" + method, params);
    ASSERT_TRUE(answer) << api << "_" << method << ": " << answer.error().message;
    const auto described = chain.metadata().runtime_api(api, method);
    ASSERT_TRUE(described) << described.error().message;
    scale::Decoder in(*answer);
    const Result<void> skipped = chain.metadata().types().skip((*described)->output, in);
    ASSERT_TRUE(skipped) << api << "_" << method << ": " << skipped.error().message;
    EXPECT_TRUE(in.done()) << api << "_" << method << ": " << in.remaining() << " bytes left";
  }
  void register_one(const char* hotkey) {
    ASSERT_EQ(chain.run("//Bob", chain::burned_register(chain.metadata(), 1, chain.account(hotkey))), "ok");
  }

  TestChain chain;
  BlockNumber block = 0;
};

TEST_F(RuntimeApi, EveryAnswerHasItsType) {
  register_one("//m1");
  register_one("//m2");
  const chain::AxonInfo axon{1, 3, {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 2, 3, 4}, 8091, false, 4};
  ASSERT_EQ(chain.run("//m1", chain::serve_axon(chain.metadata(), axon)), "ok");
  ASSERT_EQ(chain.run("//Bob", chain::add_stake(chain.metadata(), chain.account("//m1"), 1, 5'000'000'000)),
            "ok");
  for (const NetUid netuid : {NetUid{0}, NetUid{1}, NetUid{77}}) {
    const Bytes params = encoded(netuid);
    for (const char* method : {"get_metagraph", "get_subnet_hyperparams_v3", "get_dynamic_info",
                               "get_subnet_state", "get_next_epoch_start_block"}) {
      expect_well_formed("SubnetInfoRuntimeApi", method, params);
    }
    expect_well_formed("NeuronInfoRuntimeApi", "get_neurons_lite", params);
    expect_well_formed("SwapRuntimeApi", "current_alpha_price", params);
    expect_well_formed("NeuronInfoRuntimeApi", "get_neuron_lite", encoded(netuid, Uid{1}));
    expect_well_formed("SubnetInfoRuntimeApi", "get_mechagraph", encoded(netuid, MechId{0}));
    expect_well_formed("SubnetInfoRuntimeApi", "get_selective_metagraph",
                       encoded(netuid, std::vector<std::uint16_t>{1, 52, 55, 57, 72, 300}));
    expect_well_formed("SubnetInfoRuntimeApi", "get_selective_mechagraph",
                       encoded(netuid, MechId{0}, std::vector<std::uint16_t>{0, 8, 62}));
    expect_well_formed("SwapRuntimeApi", "sim_swap_tao_for_alpha", encoded(netuid, Rao{5}));
  }
  for (const char* method : {"get_all_metagraphs", "get_all_dynamic_info"}) {
    expect_well_formed("SubnetInfoRuntimeApi", method, {});
  }
  expect_well_formed("StakeInfoRuntimeApi", "get_stake_info_for_coldkey", chain.account("//Bob"));
  expect_well_formed("BetaBasketRuntimeApi", "get_root_basket_positions", chain.account("//Bob"));
  expect_well_formed("AccountNonceApi", "account_nonce", chain.account("//Bob"));
  expect_well_formed("Core", "version", {});
  expect_well_formed("Metadata", "metadata_versions", {});
  expect_well_formed("Metadata", "metadata_at_version", encoded(std::uint32_t{15}));
  expect_well_formed("Metadata", "metadata_at_version", encoded(std::uint32_t{14}));
}

// The layout of NeuronInfoLite as another implementation records it, filled with this chain's values.
TEST_F(RuntimeApi, NeuronsLiteByteForByte) {
  register_one("//m1");
  const Result<Bytes> answer = ask("NeuronInfoRuntimeApi_get_neurons_lite", encoded(NetUid{1}));
  ASSERT_TRUE(answer);
  const std::string hotkey = to_hex(chain.account("//m1"));
  const std::string coldkey = to_hex(chain.account("//Bob"));
  const std::string axon(2 * (8 + 4 + 16 + 2 + 4), '0');
  const std::string prometheus(2 * (8 + 4 + 16 + 2 + 1), '0');
  EXPECT_EQ(to_hex(*answer), "04" + hotkey + coldkey + "00" + "04" + "01" + axon + prometheus + "04" +
                                 coldkey + "00" +
                                 "00000000000000"
                                 "04"
                                 "00"
                                 "feff0300");
}

TEST_F(RuntimeApi, NextEpochFollowsTheStorage) {
  EXPECT_EQ(to_hex(*ask("SubnetInfoRuntimeApi_get_next_epoch_start_block", encoded(NetUid{1}))),
            "016400000000000000");
  ASSERT_EQ(chain.admin("tempo", 1, 7), "ok");
  EXPECT_EQ(to_hex(*ask("SubnetInfoRuntimeApi_get_next_epoch_start_block", encoded(NetUid{1}))),
            "010700000000000000");
  EXPECT_EQ(to_hex(*ask("SubnetInfoRuntimeApi_get_next_epoch_start_block", encoded(NetUid{9}))), "00");
}

TEST_F(RuntimeApi, QueryInfoTellsTheFeeThatIsCharged) {
  const Bytes call = *chain::transfer_keep_alive(chain.metadata(), chain.account("//new"), 1'000'000'000);
  const Bytes xt = chain.sign("//Alice", call, chain.context("//Alice"));
  Bytes params = xt;
  append_le(params, static_cast<std::uint32_t>(xt.size()));
  const Result<Bytes> info = ask("TransactionPaymentApi_query_info", params);
  ASSERT_TRUE(info) << info.error().message;
  const Rao fee = load_le<Rao>(info->data() + info->size() - 8);
  ASSERT_TRUE(chain.node().submit(xt));
  chain.make_blocks();
  for (const chain::Event& event : chain.events()) {
    if (!event.is("TransactionPayment", "TransactionFeePaid")) continue;
    EXPECT_EQ(load_le<Rao>(event.fields.data() + 32), fee);
    return;
  }
  ADD_FAILURE() << "no TransactionFeePaid";
}

TEST_F(RuntimeApi, WhatIsNotAnsweredSaysSo) {
  EXPECT_EQ(ask("GrandpaApi_current_set_id", {}).error().code, ErrorCode::kUnimplemented);
  EXPECT_EQ(ask("NeuronInfoRuntimeApi_get_neurons_lite", Bytes{1}).error().code,
            ErrorCode::kInvalidArgument);
  EXPECT_EQ(ask("NeuronInfoRuntimeApi_get_neurons_lite", Bytes{1, 0, 0}).error().code,
            ErrorCode::kInvalidArgument);
  EXPECT_FALSE(ask("TransactionPaymentApi_query_info", Bytes{1, 2}));
}

}  // namespace
}  // namespace adit::validator
