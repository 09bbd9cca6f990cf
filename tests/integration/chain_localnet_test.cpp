// SPDX-License-Identifier: MIT
//
// The chain client against the local chain, both real, over loopback: register, serve, stake, set weights,
// read everything back, and see refusals by their names.
#include <functional>
#include <memory>
#include <thread>

#include <gtest/gtest.h>

#include "common/base/clock.hpp"
#include "common/base/rng.hpp"
#include "common/chain/calls.hpp"
#include "common/chain/substrate_client.hpp"
#include "common/chain/weights.hpp"
#include "tests/support/temp_dir.hpp"
#include "validator/localnet/localnet.hpp"

namespace adit {
namespace {

using chain::Inclusion;
using chain::Metagraph;
using std::chrono::milliseconds;

constexpr NetUid kNetUid = 1;
constexpr Rao kTao = 1'000'000'000;

class ChainLocalnet : public testing::Test {
 protected:
  void SetUp() override {
    start();
    connect();
  }

  void start() {
    validator::LocalnetOptions options;
    options.rpc.port = port_;
    options.rpc.block_time = milliseconds(40);
    options.state_dir = dir_.path() / "chain";
    auto started = validator::Localnet::start(options, clock_);
    ASSERT_TRUE(started.has_value()) << started.error().message;
    localnet_ = *std::move(started);
    const std::string url = localnet_->url();
    port_ = static_cast<std::uint16_t>(std::stoi(url.substr(url.rfind(':') + 1)));
  }

  void connect() {
    chain::ClientOptions options;
    options.submit_timeout_ms = 20'000;
    options.search_interval_ms = 20;
    options.backoff_min_ms = 20;
    options.attempts_max = 20;
    auto client = chain::connect(localnet_->url(), options);
    ASSERT_TRUE(client.has_value()) << client.error().message;
    client_ = *std::move(client);
  }

  crypto::KeypairSigner& key(const std::string& uri) {
    auto& signer = signers_[uri];
    if (!signer) {
      signer = std::make_unique<crypto::KeypairSigner>(
          *crypto::Keypair::from_uri(crypto::Scheme::kSr25519, uri), rng_);
    }
    return *signer;
  }
  const AccountId& account(const std::string& uri) { return key(uri).account(); }

  Result<Inclusion> submit(const std::string& uri, const Result<Bytes>& call) {
    if (!call) return tl::unexpected<Error>(call.error());
    return client_->submit(*call, key(uri));
  }
  void done(const std::string& uri, const Result<Bytes>& call) {
    const auto inclusion = submit(uri, call);
    ASSERT_TRUE(inclusion.has_value()) << inclusion.error().message;
    ASSERT_TRUE(inclusion->success) << inclusion->error;
  }
  // The error by which a call fails, from the pool or from the block.
  std::string refusal(const std::string& uri, const Result<Bytes>& call) {
    const auto inclusion = submit(uri, call);
    if (!inclusion) return inclusion.error().message;
    return inclusion->success ? "success" : inclusion->error;
  }
  void admin(std::string_view what, std::uint64_t value) {
    const auto inner = chain::admin_set(client_->metadata(), what, kNetUid, value);
    ASSERT_TRUE(inner.has_value()) << inner.error().message;
    done("//Alice", chain::sudo(client_->metadata(), *inner));
  }
  Metagraph metagraph() {
    auto m = client_->metagraph(kNetUid, std::nullopt);
    EXPECT_TRUE(m.has_value()) << (m ? "" : m.error().message);
    return m ? *std::move(m) : Metagraph{};
  }
  void wait_until(const std::function<bool()>& holds) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    while (!holds()) {
      ASSERT_LT(std::chrono::steady_clock::now(), deadline);
      std::this_thread::sleep_for(milliseconds(20));
    }
  }
  // Three neurons; //Alice//hot has stake and, after an epoch, a permit.
  void set_up_subnet() {
    const chain::Metadata& m = client_->metadata();
    admin("commit_reveal_weights_enabled", 0);
    admin("tempo", 5);
    admin("weights_set_rate_limit", 0);  // registration counts as an update
    admin("subtoken_enabled", 1);
    admin("max_registrations_per_block", 10);
    admin("target_registrations_per_interval", 100);
    for (const char* hotkey : {"//Alice//hot", "//Bob//hot", "//Charlie//hot"}) {
      done("//Bob", chain::burned_register(m, kNetUid, account(hotkey)));
    }
    done("//Bob", chain::add_stake(m, account("//Alice//hot"), kNetUid, 1000 * kTao));
  }

  test::TempDir dir_;
  SystemClock clock_;
  OsRng rng_;
  std::uint16_t port_ = 0;
  std::unique_ptr<validator::Localnet> localnet_;
  std::unique_ptr<chain::ChainClient> client_;
  std::map<std::string, std::unique_ptr<crypto::KeypairSigner>> signers_;
};

TEST_F(ChainLocalnet, registers_serves_stakes_and_sets_weights) {
  set_up_subnet();
  const chain::Metadata& m = client_->metadata();
  Metagraph graph = metagraph();
  ASSERT_NE(graph.find(account("//Charlie//hot")), nullptr);
  EXPECT_FALSE(graph.commit_reveal);
  EXPECT_EQ(graph.tempo, 5);
  EXPECT_EQ(graph.find(account("//Bob//hot"))->coldkey, account("//Bob"));
  EXPECT_GT(graph.find(account("//Bob//hot"))->registered_at, 0u);
  EXPECT_GT(graph.find(account("//Alice//hot"))->stake, 0u);
  EXPECT_EQ(refusal("//Bob", chain::burned_register(m, kNetUid, account("//Bob//hot"))),
            "SubtensorModule.HotKeyAlreadyRegisteredInSubNet");

  chain::AxonInfo axon{.netuid = kNetUid, .version = 1, .port = 8091};
  axon.ip[12] = 10, axon.ip[15] = 7;
  done("//Bob//hot", chain::serve_axon(m, axon));
  graph = metagraph();
  const auto served = graph.find(account("//Bob//hot"))->axon;
  ASSERT_TRUE(served.has_value());
  EXPECT_EQ(served->port, 8091);
  EXPECT_EQ(served->ip, axon.ip);
  EXPECT_GT(served->block, 0u);
  EXPECT_FALSE(graph.find(account("//Charlie//hot"))->axon.has_value());
  const std::string too_soon = refusal("//Bob//hot", chain::serve_axon(m, axon));
  EXPECT_NE(too_soon.find("ServingRateLimitExceeded"), std::string::npos) << too_soon;

  const AccountId& validator = account("//Alice//hot");
  wait_until([&] { return metagraph().find(validator)->validator_permit; });
  graph = metagraph();
  const Uid self = graph.find(validator)->uid;
  const std::vector<std::uint64_t> scores = {3, 1};
  const chain::WeightRow row{
      .netuid = kNetUid,
      .uids = {graph.find(account("//Bob//hot"))->uid, graph.find(account("//Charlie//hot"))->uid},
      .values = chain::to_u16(scores)};
  const auto checked = chain::preflight(graph, validator, row.uids, row.values, 0);
  EXPECT_TRUE(checked.has_value()) << checked.error().message;
  done("//Alice//hot", chain::set_mechanism_weights(m, row));
  const auto stored = client_->weights_of(kNetUid, 0, self, std::nullopt);
  ASSERT_TRUE(stored.has_value()) << stored.error().message;
  const std::vector<std::pair<Uid, std::uint16_t>> expected = {{row.uids[0], 65535}, {row.uids[1], 21845}};
  EXPECT_EQ(*stored, expected);
  admin("weights_set_rate_limit", 1000);
  graph = metagraph();
  EXPECT_GT(graph.find(validator)->last_update, graph.find(validator)->registered_at);
  EXPECT_EQ(graph.weights_rate_limit, 1000u);

  // Our own check and the chain say the same.
  const auto early = chain::preflight(graph, validator, row.uids, row.values, 0);
  ASSERT_FALSE(early.has_value());
  EXPECT_TRUE(early.error().message.starts_with("SettingWeightsTooFast")) << early.error().message;
  const std::string limited = refusal("//Alice//hot", chain::set_mechanism_weights(m, row));
  EXPECT_TRUE(limited.find("SettingWeightsTooFast") != std::string::npos ||
              limited.find("RateLimitExceeded") != std::string::npos)
      << limited;

  // An epoch pays the miners by these weights.
  const std::uint64_t epoch = graph.epoch_index;
  wait_until([&] { return metagraph().epoch_index >= epoch + 2; });
  graph = metagraph();
  EXPECT_GT(graph.find(account("//Bob//hot"))->incentive, graph.find(account("//Charlie//hot"))->incentive);
}

TEST_F(ChainLocalnet, a_failed_sudo_call_is_not_a_success) {
  const auto inner = chain::admin_set(client_->metadata(), "tempo", 999, 5);
  ASSERT_TRUE(inner.has_value());
  const std::string error = refusal("//Alice", chain::sudo(client_->metadata(), *inner));
  EXPECT_NE(error, "success");
  EXPECT_NE(error.find('.'), std::string::npos) << error;
  EXPECT_EQ(refusal("//Bob", chain::sudo(client_->metadata(), *inner)), "Sudo.RequireSudo");
}

TEST_F(ChainLocalnet, many_submissions_of_one_account_all_land) {
  std::vector<std::thread> threads;
  std::atomic<int> landed = 0;
  const std::uint32_t before = *client_->next_nonce(account("//Alice"));
  auto& signer = key("//Alice");
  const auto call = chain::transfer_keep_alive(client_->metadata(), account("//Bob"), kTao);
  ASSERT_TRUE(call.has_value());
  for (int i = 0; i < 3; ++i) {
    threads.emplace_back([&] {
      for (int k = 0; k < 2; ++k) {
        const auto inclusion = client_->submit(*call, signer);
        if (inclusion && inclusion->success) ++landed;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(landed, 6);
  EXPECT_EQ(*client_->next_nonce(account("//Alice")), before + 6);
}

// The node goes away and comes back with its state; the client takes up where it was.
TEST_F(ChainLocalnet, survives_a_restart_of_the_chain) {
  done("//Bob", chain::burned_register(client_->metadata(), kNetUid, account("//Bob//hot")));
  const auto genesis = client_->block_hash(0);
  localnet_.reset();
  start();
  const Metagraph graph = metagraph();
  EXPECT_NE(graph.find(account("//Bob//hot")), nullptr);
  EXPECT_EQ(*client_->block_hash(0), *genesis);
  done("//Bob", chain::burned_register(client_->metadata(), kNetUid, account("//Charlie//hot")));
}

TEST_F(ChainLocalnet, a_wrong_signature_is_refused) {
  class Liar final : public crypto::Signer {
   public:
    explicit Liar(crypto::Signer& real) : real_(real) {}
    const AccountId& account() const override { return real_.account(); }
    crypto::Scheme scheme() const override { return real_.scheme(); }
    Result<crypto::Signature> sign(ByteView message) override {
      ADIT_TRY(crypto::Signature signature, real_.sign(message));
      signature[5] ^= 1;
      return signature;
    }

   private:
    crypto::Signer& real_;
  };
  Liar liar(key("//Bob"));
  const auto call = chain::burned_register(client_->metadata(), kNetUid, account("//Bob//hot"));
  ASSERT_TRUE(call.has_value());
  const auto refused = client_->submit(*call, liar);
  ASSERT_FALSE(refused.has_value());
  EXPECT_NE(refused.error().message.find("bad signature"), std::string::npos) << refused.error().message;
}

}  // namespace
}  // namespace adit
