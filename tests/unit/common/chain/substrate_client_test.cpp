// SPDX-License-Identifier: MIT
#include "common/chain/substrate_client.hpp"

#include "common/chain/snapshot.hpp"
#include "tests/support/scripted_chain.hpp"
#include "tests/unit/common/chain/vectors.hpp"

namespace adit::chain {
namespace {

using test::Answer;
using test::Json;
using test::ScriptedChain;

ClientOptions quick() {
  ClientOptions options;
  options.request_timeout_ms = 2000;
  options.backoff_min_ms = 5;
  options.backoff_max_ms = 20;
  return options;
}

std::unique_ptr<ChainClient> client_of(const ScriptedChain& chain) {
  auto client = connect(chain.node.url(), quick());
  EXPECT_TRUE(client.has_value()) << (client ? "" : client.error().message);
  return client ? *std::move(client) : nullptr;
}

// Two neurons of subnet 1: //Alice validates and serves, //Bob does not.
void put_subnet(ScriptedChain& chain) {
  const Bytes one = key_u16(1);
  chain.put("NetworksAdded", {one}, {1});
  chain.put("SubnetworkN", {one}, hex("0200"));
  chain.put("Tempo", {one}, hex("6400"));
  chain.put("LastEpochBlock", {one}, hex("0a00000000000000"));
  chain.put("PendingEpochAt", {one}, hex("6e00000000000000"));
  chain.put("SubnetEpochIndex", {one}, hex("0300000000000000"));
  chain.put("BlocksSinceLastStep", {one}, hex("0700000000000000"));
  chain.put("CommitRevealWeightsEnabled", {one}, {0});
  chain.put("StakeThreshold", {}, hex("e803000000000000"));
  chain.put("TaoWeight", {}, hex("ffffffffffffff7f"));
  chain.put("LastUpdate", {one},
            hex("08"
                "0500000000000000"
                "0000000000000000"));
  chain.put("Incentive", {one},
            hex("08"
                "0000"
                "ffff"));
  chain.put("Dividends", {one},
            hex("08"
                "ffff"
                "0000"));
  chain.put("ValidatorPermit", {one},
            hex("08"
                "01"
                "00"));
  chain.put("Active", {one},
            hex("08"
                "01"
                "01"));
  const std::vector<AccountId> hotkeys = {alice(), bob()};
  for (Uid uid = 0; uid < 2; ++uid) {
    chain.put("Keys", {one, key_u16(uid)}, to_bytes(hotkeys[uid]));
    chain.put("BlockAtRegistration", {one, key_u16(uid)}, key_u64(uid + 2u));
    chain.put("Owner", {to_bytes(hotkeys[uid])}, to_bytes(alice()));
  }
  chain.put("TotalHotkeyAlpha", {to_bytes(alice()), one}, key_u64(500));
  chain.put("TotalHotkeyAlpha", {to_bytes(alice()), key_u16(0)}, key_u64(1001));
  // block 77, version 1000, ip 192.168.1.2, port 8091, IPv4, protocol 4
  chain.put("Axons", {one, to_bytes(alice())},
            hex("4d00000000000000"
                "e8030000"
                "0201a8c0000000000000000000000000"
                "9b1f"
                "04"
                "04"
                "00"
                "00"));
  chain.put("Weights", {one, key_u16(0)},
            hex("08"
                "0000"
                "0000"
                "0100"
                "ffff"));
}

TEST(SubstrateClient, reads_heads_and_blocks) {
  ScriptedChain chain;
  chain.add_block();
  chain.hold_final = true;
  chain.add_block();
  const auto client = client_of(chain);
  EXPECT_EQ(ok(client->head()).number, 2u);
  EXPECT_EQ(ok(client->head()).hash, chain.hash256_of(2));
  EXPECT_EQ(ok(client->finalized_head()).number, 1u);
  EXPECT_EQ(ok(client->block_hash(0)), chain.hash256_of(0));
  EXPECT_EQ(client->block_hash(9).error().code, ErrorCode::kNotFound);
  EXPECT_EQ(client->metadata().version(), 15);
  chain.nonce = 41;
  EXPECT_EQ(ok(client->next_nonce(alice())), 41u);
}

TEST(SubstrateClient, reads_a_metagraph_at_one_block) {
  ScriptedChain chain;
  put_subnet(chain);
  chain.add_block();
  const auto client = client_of(chain);
  const Metagraph m = ok(client->metagraph(1, std::nullopt));
  EXPECT_EQ(m.block, 1u);
  EXPECT_EQ(m.block_hash, chain.hash256_of(1));
  EXPECT_EQ(m.tempo, 100);
  EXPECT_EQ(m.last_epoch_block, 10u);
  EXPECT_EQ(m.pending_epoch_at, 110u);
  EXPECT_EQ(m.epoch_index, 3u);
  EXPECT_EQ(m.blocks_since_last_step, 7u);
  EXPECT_EQ(m.weights_rate_limit, 100u);  // not stored: the runtime's default
  EXPECT_FALSE(m.commit_reveal);
  EXPECT_EQ(m.stake_threshold, 1000u);
  ASSERT_EQ(m.neurons.size(), 2u);
  const Neuron* first = m.find(alice());
  ASSERT_NE(first, nullptr);
  EXPECT_EQ(first->uid, 0);
  EXPECT_EQ(first->coldkey, alice());
  EXPECT_EQ(first->registered_at, 2u);
  EXPECT_EQ(first->last_update, 5u);
  EXPECT_EQ(first->dividends, 65535);
  EXPECT_TRUE(first->validator_permit);
  EXPECT_TRUE(first->active);
  EXPECT_EQ(first->stake, 500u + 500u);  // half of 1001 TAO, rounded down
  ASSERT_TRUE(first->axon.has_value());
  EXPECT_EQ(first->axon->port, 8091);
  EXPECT_EQ(first->axon->block, 77u);
  EXPECT_EQ(first->axon->version, 1000u);
  EXPECT_EQ(to_hex(first->axon->ip), "000000000000000000000000c0a80102");
  EXPECT_FALSE(first->axon->is_v6);
  const Neuron* second = m.find(bob());
  ASSERT_NE(second, nullptr);
  EXPECT_FALSE(second->axon.has_value());
  EXPECT_FALSE(second->validator_permit);
  EXPECT_EQ(second->incentive, 65535);
  EXPECT_EQ(m.find(AccountId{}), nullptr);
  EXPECT_EQ(ok(client->metagraph(1, chain.hash256_of(0))).block, 0u);
}

TEST(SubstrateClient, reads_weight_rows) {
  ScriptedChain chain;
  put_subnet(chain);
  const auto client = client_of(chain);
  const std::vector<std::pair<Uid, std::uint16_t>> row = {{0, 0}, {1, 65535}};
  EXPECT_EQ(ok(client->weights_of(1, 0, 0, std::nullopt)), row);
  EXPECT_TRUE(ok(client->weights_of(1, 1, 0, std::nullopt)).empty());
  EXPECT_EQ(client->weights_of(5000, 0, 0, std::nullopt).error().code, ErrorCode::kInvalidArgument);
}

TEST(SubstrateClient, weighs_tao_as_the_chain_does) {
  EXPECT_EQ(weighted(1000, UINT64_MAX), 1000u);
  EXPECT_EQ(weighted(1000, 0), 0u);
  EXPECT_EQ(weighted(1001, UINT64_MAX / 2), 500u);
  EXPECT_EQ(weighted(UINT64_MAX, UINT64_MAX), UINT64_MAX);
}

TEST(SubstrateClient, names_what_does_not_decode) {
  ScriptedChain chain;
  put_subnet(chain);
  const auto client = client_of(chain);
  EXPECT_EQ(client->metagraph(7, std::nullopt).error().message, "there is no subnet 7 at block 0");
  chain.put("LastUpdate", {key_u16(1)},
            hex("08"
                "05"));
  EXPECT_EQ(client->metagraph(1, std::nullopt).error().message,
            "storage SubtensorModule.LastUpdate is not a list of the expected width");
  put_subnet(chain);
  chain.put("Axons", {key_u16(1), to_bytes(alice())}, hex("4d00"));
  const auto broken = client->metagraph(1, std::nullopt);
  ASSERT_FALSE(broken.has_value());
  EXPECT_EQ(broken.error().code, ErrorCode::kDataLoss);
}

TEST(SubstrateClient, odd_answers_are_data_loss_with_the_method_s_name) {
  const std::vector<std::pair<std::string, Json>> odd = {
      {"chain_getHead", 5},
      {"chain_getHead", "0x12"},
      {"chain_getHeader", {{"number", "0xzz"}}},
      {"chain_getHeader", {{"number", nullptr}}},
      {"state_getRuntimeVersion", {{"specVersion", "x"}}},
      {"state_call", "0x0104ff"},
      {"state_call", "0x01"},
  };
  for (const auto& [method, answer] : odd) {
    ScriptedChain chain;
    chain.node.on(method, [a = answer](const Json&, int) { return Answer::result(a); });
    const auto client = connect(chain.node.url(), quick());
    ASSERT_FALSE(client.has_value()) << method << " " << answer;
    EXPECT_TRUE(client.error().message.starts_with(chain.node.url())) << client.error().message;
    EXPECT_TRUE(client.error().code == ErrorCode::kDataLoss ||
                client.error().code == ErrorCode::kInvalidArgument)
        << client.error().message;
  }
}

TEST(SubstrateClient, takes_the_default_metadata_when_the_node_has_no_v15) {
  ScriptedChain chain;
  const std::string v14 = "0x" + to_hex(vector_bytes("spec461-v14.scale"));
  chain.node.on("state_call", [](const Json&, int) { return Answer::result("0x00"); });
  chain.node.on("state_getMetadata", [v14](const Json&, int) { return Answer::result(v14); });
  EXPECT_EQ(client_of(chain)->metadata().version(), 14);
  chain.node.on("state_call", [](const Json&, int) { return Answer::error(-32601, "Method not found"); });
  EXPECT_EQ(client_of(chain)->metadata().version(), 14);
}

// After an upgrade the metagraph is read by the new runtime's description; old references stay valid.
TEST(SubstrateClient, follows_a_runtime_upgrade) {
  ScriptedChain chain;
  put_subnet(chain);
  const auto client = client_of(chain);
  const Metadata& before = client->metadata();
  EXPECT_TRUE(before.storage("SubtensorModule", "SubnetEpochConsensus").has_value());
  chain.serve_metadata(vector_bytes("spec461-v15.scale"));
  chain.spec_version = 462;
  EXPECT_TRUE(client->metagraph(1, std::nullopt).has_value());
  EXPECT_FALSE(client->metadata().storage("SubtensorModule", "SubnetEpochConsensus").has_value());
  EXPECT_TRUE(before.storage("SubtensorModule", "SubnetEpochConsensus").has_value());
}

TEST(SubstrateClient, an_unreachable_chain_is_said_with_url_and_reason) {
  std::string url;
  {
    url = ScriptedChain().node.url();
  }
  const auto client = connect(url, ClientOptions{});
  ASSERT_FALSE(client.has_value());
  EXPECT_EQ(client.error().code, ErrorCode::kUnavailable);
  EXPECT_EQ(client.error().message, url + ": Connection refused");
  EXPECT_EQ(connect("http://localhost", ClientOptions{}).error().code, ErrorCode::kInvalidArgument);
}

}  // namespace
}  // namespace adit::chain
