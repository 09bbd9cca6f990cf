// SPDX-License-Identifier: MIT
// JSON-RPC without a socket: answers, errors, batches, subscriptions.
#include <nlohmann/json.hpp>

#include "tests/unit/validator/localnet/test_chain.hpp"
#include "validator/localnet/rpc_connection.hpp"

namespace adit::validator {
namespace {

using Json = nlohmann::json;
using test::TestChain;

class Rpc : public ::testing::Test {
 protected:
  void SetUp() override {
    chain.node().on_block([this](const BlockNotice& notice) { connection.notify(notice); });
  }
  Json exchange(const std::string& text) {
    sent.clear();
    connection.receive(text);
    if (sent.empty()) return nullptr;
    return sent.front();
  }
  Json call(const std::string& method, const Json& params = Json::array()) {
    const Json answer =
        exchange(Json{{"jsonrpc", "2.0"}, {"id", 7}, {"method", method}, {"params", params}}.dump());
    EXPECT_EQ(answer["id"], 7);
    return answer;
  }
  Json result(const std::string& method, const Json& params = Json::array()) {
    const Json answer = call(method, params);
    EXPECT_TRUE(answer.contains("result")) << answer.dump();
    return answer.value("result", Json());
  }
  int error(const std::string& method, const Json& params = Json::array()) {
    const Json answer = call(method, params);
    return answer.contains("error") ? answer["error"]["code"].get<int>() : 0;
  }
  // nlohmann takes {x} for x itself when x is a Json.
  template <class... Items>
  static Json params(const Items&... items) {
    Json out = Json::array();
    (out.push_back(items), ...);
    return out;
  }
  std::string hex(ByteView bytes) { return "0x" + to_hex(bytes); }

  TestChain chain;
  std::vector<Json> sent;
  RpcConnection connection{chain.node(),
                           [this](const std::string& text) { sent.push_back(Json::parse(text)); }};
};

TEST_F(Rpc, WhatIsNoRequestIsAnErrorOfTheSpecification) {
  const auto code = [&](const std::string& text) { return exchange(text)["error"]["code"].get<int>(); };
  EXPECT_EQ(code("{"), -32700);
  EXPECT_EQ(code(""), -32700);
  EXPECT_EQ(code(std::string(100000, '[')), -32700);
  EXPECT_EQ(code(std::string(100000, '[') + std::string(100000, ']')), -32700);
  EXPECT_EQ(code("7"), -32600);
  EXPECT_EQ(code("[]"), -32600);
  EXPECT_EQ(code("{\"id\":1}"), -32600);
  EXPECT_EQ(code("{\"id\":[1],\"method\":\"system_name\"}"), -32600);
  EXPECT_EQ(error("no_such_method"), -32601);
  EXPECT_EQ(error("system_name", Json::object()), -32602);
  EXPECT_EQ(error("chain_getHeader", params("0x12")), -32602);
  EXPECT_EQ(error("state_getStorageAt", params("0xzz")), -32602);
  EXPECT_EQ(error("state_getKeysPaged", params("0x", 5000)), -32602);
  EXPECT_EQ(error("chain_getHeader", params("0x" + std::string(64, '1'))), 0) << "an unknown block is null";
  EXPECT_EQ(error("state_getStorageAt", params("0x00", "0x" + std::string(64, '1'))), 4003);
  EXPECT_EQ(error("state_call", params("Nonsense_method", "0x")), 4003);
}

TEST_F(Rpc, BatchesAnswerInOrder) {
  const Json answer = exchange(
      R"([{"jsonrpc":"2.0","id":1,"method":"system_name"},{"jsonrpc":"2.0","id":"b","method":"nope"},3])");
  ASSERT_EQ(answer.size(), 3u);
  EXPECT_EQ(answer[0]["result"], "adit-localnet");
  EXPECT_EQ(answer[1]["id"], "b");
  EXPECT_EQ(answer[1]["error"]["code"], -32601);
  EXPECT_EQ(answer[2]["error"]["code"], -32600);
}

TEST_F(Rpc, BlocksAndHeaders) {
  const Block first = chain.make_blocks();
  EXPECT_EQ(result("chain_getBlockHash", params(0)), hex(chain.node().genesis_hash()));
  EXPECT_EQ(result("chain_getBlockHash", params("0x1")), hex(first.hash));
  EXPECT_EQ(result("chain_getBlockHash"), hex(first.hash));
  EXPECT_EQ(result("chain_getBlockHash", params(9)), nullptr);
  EXPECT_EQ(result("chain_getBlockHash", params(Json::array({0, 1})))[1], hex(first.hash));
  EXPECT_EQ(result("chain_getHead"), hex(first.hash));
  EXPECT_EQ(result("chain_getFinalizedHead"), hex(first.hash));
  const Json header = result("chain_getHeader", params(nullptr));
  EXPECT_EQ(header["number"], "0x1");
  EXPECT_EQ(header["parentHash"], hex(chain.node().genesis_hash()));
  const Json block = result("chain_getBlock", params(hex(first.hash)));
  EXPECT_EQ(block["block"]["extrinsics"].size(), 1u);
  EXPECT_EQ(block["block"]["header"], header);
}

TEST_F(Rpc, StorageInAllItsForms) {
  const std::string tempo = "0x658faa385070e074c85bf6b568cf05557641384bb339f3758acddfd7053d3317";
  EXPECT_EQ(result("state_getStorageAt", params(tempo + "0100", nullptr)), "0x6400");
  EXPECT_EQ(result("state_getStorage", params(tempo + "0900")), nullptr);
  const Block before = chain.make_blocks();
  ASSERT_EQ(chain.admin("tempo", 1, 5), "ok");
  EXPECT_EQ(result("state_getStorageAt", params(tempo + "0100", hex(before.hash))), "0x6400");
  EXPECT_EQ(result("state_getStorageAt", params(tempo + "0100")), "0x0500");
  EXPECT_EQ(result("state_getKeysPaged", params(tempo, 100, tempo)),
            Json::array({tempo + "0000", tempo + "0100"}));
  EXPECT_EQ(result("state_getKeysPaged", params(tempo, 1, tempo + "0000")), Json::array({tempo + "0100"}));
  EXPECT_EQ(result("state_getKeys", params(tempo)).size(), 2u);
  const Json changes =
      result("state_queryStorageAt", params(Json::array({tempo + "0100", tempo + "0900"})));
  EXPECT_EQ(changes[0]["changes"],
            Json::parse("[[\"" + tempo + "0100\",\"0x0500\"],[\"" + tempo + "0900\",null]]"));
  EXPECT_EQ(changes[0]["block"], hex(chain.node().head().hash));
}

TEST_F(Rpc, RuntimeCallsTakeHexWithAndWithoutPrefix) {
  const Json with =
      result("state_call", params("SubnetInfoRuntimeApi_get_next_epoch_start_block", "0x0100", nullptr));
  EXPECT_EQ(with, "0x016400000000000000");
  EXPECT_EQ(result("state_call", params("SubnetInfoRuntimeApi_get_next_epoch_start_block", "0100")), with);
  const Json version = result("state_getRuntimeVersion", params(nullptr));
  EXPECT_EQ(version["specVersion"], 461);
  EXPECT_EQ(version["transactionVersion"], 1);
  EXPECT_EQ(version["specName"], "node-subtensor");
  EXPECT_EQ(version["apis"].size(), 25u);
  EXPECT_GT(result("state_getMetadata").get<std::string>().size(), 100000u);
}

TEST_F(Rpc, NoncesCountWhatWaits) {
  const std::string alice = "5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY";
  EXPECT_EQ(result("account_nextIndex", params(alice)), 0);
  ASSERT_TRUE(
      chain.submit("//Alice", chain::transfer_keep_alive(chain.metadata(), chain.account("//n"), 1000000)));
  EXPECT_EQ(result("account_nextIndex", params(alice)), 1);
  EXPECT_EQ(result("system_accountNextIndex", params(alice)), 1);
  EXPECT_EQ(error("account_nextIndex", params("5Gr")), -32602);
  EXPECT_EQ(result("author_pendingExtrinsics").size(), 1u);
}

TEST_F(Rpc, HeadsAreToldAtOnceAndWithEachBlock) {
  const Json id = result("chain_subscribeNewHeads");
  ASSERT_EQ(sent.size(), 2u) << "the answer, then the present head";
  EXPECT_EQ(sent[1]["method"], "chain_newHead");
  EXPECT_EQ(sent[1]["params"]["subscription"], id);
  EXPECT_EQ(sent[1]["params"]["result"]["number"], "0x0");
  result("chain_subscribeFinalizedHeads");
  sent.clear();
  chain.make_blocks();
  ASSERT_EQ(sent.size(), 2u);
  EXPECT_EQ(sent[0]["params"]["result"]["number"], "0x1");
  EXPECT_EQ(sent[1]["method"], "chain_finalizedHead");
  EXPECT_EQ(result("chain_unsubscribeNewHeads", params(id)), true);
  EXPECT_EQ(result("chain_unsubscribeNewHeads", params(id)), false);
  sent.clear();
  chain.make_blocks();
  EXPECT_EQ(sent.size(), 1u);
  result("state_subscribeRuntimeVersion");
  EXPECT_EQ(sent.at(1)["params"]["result"]["specVersion"], 461);
}

TEST_F(Rpc, AWatchedExtrinsicIsReadyInABlockAndFinal) {
  const Bytes call = *chain::transfer_keep_alive(chain.metadata(), chain.account("//n"), 1'000'000);
  const Bytes xt = chain.sign("//Alice", call, chain.context("//Alice"));
  const Json id = result("author_submitAndWatchExtrinsic", params(hex(xt)));
  ASSERT_EQ(sent.size(), 2u);
  EXPECT_EQ(sent[1]["method"], "author_extrinsicUpdate");
  EXPECT_EQ(sent[1]["params"], Json({{"subscription", id}, {"result", "ready"}}));
  sent.clear();
  const Block block = chain.make_blocks();
  ASSERT_EQ(sent.size(), 2u);
  EXPECT_EQ(sent[0]["params"]["result"], Json({{"inBlock", hex(block.hash)}}));
  EXPECT_EQ(sent[1]["params"]["result"], Json({{"finalized", hex(block.hash)}}));
  EXPECT_EQ(result("author_unwatchExtrinsic", params(id)), false) << "it ended by itself";
  EXPECT_EQ(error("author_submitExtrinsic", params(hex(xt))), 1010);
  const Json refused = this->call("author_submitExtrinsic", params(hex(xt)))["error"];
  EXPECT_EQ(refused["message"], "Invalid Transaction");
  EXPECT_EQ(refused["data"], "Transaction is outdated");
  EXPECT_EQ(error("author_submitExtrinsic", params("0x00")), 1001);
}

TEST_F(Rpc, ManualBlocksByRequest) {
  const Json made = result("dev_newBlock");
  EXPECT_EQ(made, hex(chain.node().head().hash));
  EXPECT_EQ(chain.node().head().header.number, 1u);
  const Json three{{"count", 3}};
  const Json last = result("dev_newBlock", params(three));
  EXPECT_EQ(last, hex(chain.node().head().hash));
  EXPECT_EQ(chain.node().head().header.number, 4u);
  const Json none{{"count", 0}};
  EXPECT_EQ(error("dev_newBlock", params(none)), -32602);
}

TEST_F(Rpc, SubscriptionsAreBounded) {
  int made = 0;
  while (made < 3000 && error("chain_subscribeNewHeads") == 0) ++made;
  EXPECT_EQ(made, 1024);
}

TEST_F(Rpc, TheListOfMethodsHoldsWhatClientsLookFor) {
  const Json methods = result("rpc_methods")["methods"];
  for (const char* name :
       {"account_nextIndex", "author_submitAndWatchExtrinsic", "author_unwatchExtrinsic",
        "chain_subscribeNewHeads", "state_queryStorageAt", "state_getKeysPaged", "system_health"}) {
    EXPECT_NE(std::find(methods.begin(), methods.end(), name), methods.end()) << name;
  }
  EXPECT_EQ(result("system_properties")["tokenSymbol"], "TAO");
}

}  // namespace
}  // namespace adit::validator
