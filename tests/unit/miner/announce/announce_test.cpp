// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>

#include "miner/announce/announcer.hpp"
#include "miner/announce/metagraph_view.hpp"
#include "tests/support/fake_chain.hpp"

namespace adit::miner {
namespace {

struct Scene {
  OsRng rng;
  test::FakeChain chain;
  crypto::KeypairSigner hotkey{*crypto::Keypair::from_uri(crypto::Scheme::kSr25519, "//Hot"), rng};
  crypto::KeypairSigner coldkey{*crypto::Keypair::from_uri(crypto::Scheme::kSr25519, "//Cold"),
                                rng};
  AnnounceOptions options{.netuid = 1, .advertise = *net::parse_endpoint("10.1.2.3:8091")};
};

TEST(MetagraphView, keeps_the_last_good_one) {
  Scene scene;
  MetagraphView view(1);
  EXPECT_EQ(view.latest(), nullptr);
  scene.chain.state.block = 7;
  ASSERT_TRUE(view.refresh(scene.chain));
  const auto first = view.latest();
  scene.chain.down = true;
  EXPECT_FALSE(view.refresh(scene.chain));
  EXPECT_EQ(view.latest(), first);
  scene.chain.down = false;
  scene.chain.state.block = 8;
  ASSERT_TRUE(view.refresh(scene.chain));
  EXPECT_EQ(view.latest()->block, 8U);
  EXPECT_EQ(first->block, 7U);
}

TEST(Announcer, registers_with_the_coldkey_only_when_told) {
  Scene scene;
  Announcer untold(scene.chain, scene.hotkey, &scene.coldkey, scene.options);
  EXPECT_EQ(untold.ensure_registered(scene.chain.state).error().code,
            ErrorCode::kFailedPrecondition);
  scene.options.register_if_missing = true;
  Announcer without_key(scene.chain, scene.hotkey, nullptr, scene.options);
  EXPECT_EQ(without_key.ensure_registered(scene.chain.state).error().code,
            ErrorCode::kFailedPrecondition);
  EXPECT_TRUE(scene.chain.submitted.empty());

  Announcer announcer(scene.chain, scene.hotkey, &scene.coldkey, scene.options);
  EXPECT_TRUE(*announcer.ensure_registered(scene.chain.state));
  ASSERT_EQ(scene.chain.submitted.size(), 1U);
  EXPECT_EQ(scene.chain.submitted[0].name, "burned_register");
  EXPECT_EQ(*scene.chain.submitted[0].account("hotkey"), scene.hotkey.account());
  EXPECT_EQ(scene.chain.signers[0], scene.coldkey.account());
  EXPECT_FALSE(*announcer.ensure_registered(scene.chain.state));
  EXPECT_EQ(scene.chain.submitted.size(), 1U);
}

TEST(Announcer, announces_once_and_again_after_a_change) {
  Scene scene;
  scene.chain.add_neuron(scene.hotkey.account());
  Announcer announcer(scene.chain, scene.hotkey, nullptr, scene.options);
  EXPECT_TRUE(*announcer.ensure_announced(scene.chain.state));
  EXPECT_FALSE(*announcer.ensure_announced(scene.chain.state));
  ASSERT_EQ(scene.chain.submitted.size(), 1U);
  EXPECT_EQ(scene.chain.signers[0], scene.hotkey.account());
  const chain::Axon& axon = *scene.chain.state.neurons[0].axon;
  EXPECT_EQ(net::Endpoint::from_axon(axon.is_v6, axon.ip, axon.port), scene.options.advertise);

  scene.options.advertise = *net::parse_endpoint("0.0.0.0:9000");
  Announcer moved(scene.chain, scene.hotkey, nullptr, scene.options);
  EXPECT_TRUE(*moved.ensure_announced(scene.chain.state));
  EXPECT_FALSE(*moved.ensure_announced(scene.chain.state));
  EXPECT_EQ(scene.chain.state.neurons[0].axon->port, 9000);
}

TEST(Announcer, waits_longer_after_each_refusal) {
  Scene scene;
  scene.chain.add_neuron(scene.hotkey.account());
  scene.chain.dispatch_error = "SubtensorModule.ServingRateLimitExceeded";
  Announcer announcer(scene.chain, scene.hotkey, nullptr, scene.options);
  std::vector<BlockNumber> tried;
  for (scene.chain.state.block = 100; scene.chain.state.block < 300; ++scene.chain.state.block) {
    const auto result = announcer.ensure_announced(scene.chain.state);
    if (result) continue;
    EXPECT_NE(result.error().message.find("ServingRateLimitExceeded"), std::string::npos);
    tried.push_back(scene.chain.state.block);
  }
  EXPECT_EQ(tried, (std::vector<BlockNumber>{100, 103, 109, 121, 145, 193, 243, 293}));
  scene.chain.dispatch_error.clear();
  scene.chain.state.block = 400;
  EXPECT_TRUE(*announcer.ensure_announced(scene.chain.state));
}

}  // namespace
}  // namespace adit::miner
