// SPDX-License-Identifier: MIT
// SIGKILL at the end of every phase of the validator's step, then a restart: no ledger row is lost, no weight
// submission is repeated, nobody is zeroed.
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/chain/calls.hpp"
#include "common/chain/substrate_client.hpp"
#include "tests/integration/kill_subnet.hpp"
#include "tests/support/temp_dir.hpp"
#include "validator/localnet/localnet.hpp"
#include "validator/step/step.hpp"

namespace adit::validator {
namespace {

constexpr Rao kTao = 1'000'000'000;

class ValidatorKill : public ::testing::Test {
 protected:
  void SetUp() override {
    auto started = Localnet::start({.rpc = {.block_time = std::chrono::milliseconds(60)}}, clock_);
    ASSERT_TRUE(started) << started.error().message;
    net_ = *std::move(started);
    auto connected = chain::connect(net_->url());
    ASSERT_TRUE(connected) << connected.error().message;
    chain_ = *std::move(connected);
    prepare();
  }

  void send(const Result<Bytes>& call, crypto::Signer& signer) {
    ASSERT_TRUE(call) << call.error().message;
    const auto sent = chain_->submit(*call, signer);
    ASSERT_TRUE(sent) << sent.error().message;
    ASSERT_TRUE(sent->success) << sent->error;
  }

  void set(const char* what, std::uint64_t value, crypto::Signer& sudo) {
    const auto inner = chain::admin_set(chain_->metadata(), what, test::kNetUid, value);
    ASSERT_TRUE(inner) << inner.error().message;
    send(chain::sudo(chain_->metadata(), *inner), sudo);
  }

  void prepare() {
    crypto::KeypairSigner alice(test::keypair("//Alice"), rng_);
    set("tempo", 16, alice);
    set("commit_reveal_weights_enabled", 0, alice);
    set("weights_set_rate_limit", 1, alice);
    set("serving_rate_limit", 0, alice);
    set("min_allowed_weights", 1, alice);
    const chain::Metadata& metadata = chain_->metadata();
    send(chain::burned_register(metadata, test::kNetUid, validator_.account()), alice);
    send(chain::add_stake(metadata, validator_.account(), test::kNetUid, 1000 * kTao), alice);
    std::uint16_t port = 9000;
    for (const std::string& uri : test::kMinerUris) {
      crypto::KeypairSigner miner(test::keypair(uri), rng_);
      send(chain::burned_register(metadata, test::kNetUid, miner.account()), alice);
      send(chain::serve_axon(metadata, {.netuid = test::kNetUid, .version = 1, .port = ++port}), miner);
    }
  }

  // The worker's end: 0 finished, 1 failed, -9 killed by itself.
  int work(int kill_phase, int kill_times, std::size_t landed) {
    const std::string phase = std::to_string(kill_phase);
    const std::string times = std::to_string(kill_times);
    const std::string target = std::to_string(landed);
    const std::string url = net_->url();
    const std::string ledger = ledger_.string();
    const pid_t child = fork();
    if (child == 0) {
      execl(ADIT_KILL_WORKER, ADIT_KILL_WORKER, url.c_str(), ledger.c_str(), phase.c_str(), times.c_str(),
            target.c_str(), nullptr);
      _exit(127);
    }
    int status = 0;
    waitpid(child, &status, 0);
    return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
  }

  // Folds the ledger; fails the test if it contradicts itself.
  void check_ledger() {
    const auto ledger = Ledger::open(ledger_, true);
    ASSERT_TRUE(ledger) << ledger.error().message;
    // What stood here before still stands.
    if (size_before_ > 0) {
      const auto walked = ledger->walk(size_before_, [&](const Row& row) -> Result<void> {
        if (row.seq == size_before_) {
          EXPECT_EQ(row.hash, head_before_) << "row " << row.seq << " changed";
        }
        return {};
      });
      ASSERT_TRUE(walked) << walked.error().message;
      ASSERT_GE(ledger->size(), size_before_) << "rows were lost";
    }
    size_before_ = ledger->size();
    head_before_ = ledger->head();
    LedgerState state(test::rules());
    vectors_ = 0;
    failures_ = 0;
    const auto folded = ledger->walk(1, [&](const Row& row) -> Result<void> {
      ADIT_TRY_VOID(state.apply(row));
      if (row.kind == RowKind::kWeights) {
        ++vectors_;
        for (const std::uint16_t value : state.weights()->values)
          EXPECT_GT(value, 0u) << "somebody is zeroed";
      }
      if (row.kind == RowKind::kSubmitted && !state.submitted()->success) ++failures_;
      return {};
    });
    ASSERT_TRUE(folded) << folded.error().message;
  }

  std::uint32_t nonce_of_validator() {
    WeightSetter setter(*chain_, validator_, test::kNetUid, 0);
    return setter.account_nonce().value();
  }

  SystemClock clock_;
  OsRng rng_;
  test::TempDir dir_;
  const std::filesystem::path ledger_ = dir_.path() / "ledger.sqlite";
  std::unique_ptr<Localnet> net_;
  std::unique_ptr<chain::ChainClient> chain_;
  crypto::KeypairSigner validator_{test::keypair(test::kValidatorUri), rng_};
  std::uint64_t size_before_ = 0;
  Hash256 head_before_{};
  std::uint32_t vectors_ = 0;
  std::uint32_t failures_ = 0;
};

TEST_F(ValidatorKill, at_every_phase_loses_no_row_repeats_no_submission_zeroes_nobody) {
  for (int phase = 1; phase <= static_cast<int>(Phase::kState); ++phase) {
    // Phases that end many times a step are killed in the middle of it.
    const int times =
        phase == static_cast<int>(Phase::kVerify) || phase == static_cast<int>(Phase::kLedger) ? 3 : 1;
    ASSERT_EQ(work(phase, times, 1000), -SIGKILL) << "phase " << name(static_cast<Phase>(phase));
    check_ledger();
  }
  const std::uint32_t before = vectors_;
  ASSERT_EQ(work(0, 0, before + 1), 0);
  check_ledger();
  EXPECT_GT(vectors_, 0u);
  EXPECT_EQ(failures_, 0u);
  // Every vector in the ledger was one transaction, and there was no other.
  EXPECT_EQ(nonce_of_validator(), vectors_);
  const auto graph = chain_->metagraph(test::kNetUid, std::nullopt).value();
  for (const std::string& uri : test::kMinerUris) {
    const chain::Neuron* miner = graph.find(test::keypair(uri).public_key());
    ASSERT_NE(miner, nullptr);
  }
}

}  // namespace
}  // namespace adit::validator
