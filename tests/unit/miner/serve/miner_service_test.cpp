// SPDX-License-Identifier: MIT
#include "miner/serve/miner_service.hpp"

#include <gtest/gtest.h>

#include "common/protocol/receipt_check.hpp"
#include "tests/support/fake_clock.hpp"
#include "tests/support/temp_dir.hpp"

namespace adit::miner {
namespace {

class ScriptedSource final : public AnswerSource {
 public:
  ScriptedSource() {
    card_.vocabulary = 100;
    card_.context = 20;
    card_.stop_ids = {2};
  }
  const protocol::Card& card() const override { return card_; }
  std::string model_name() const override { return "scripted"; }
  Result<Answer> answer(const Question& question, net::TokenSink& sink) override {
    ++asked;
    last = question;
    if (full) return resource_exhausted("full");
    const Answer out{.ids = {5, 2}, .finish = protocol::FinishReason::kStop, .trace_root = {}};
    if (!sink.send(out.ids)) return make_error(ErrorCode::kCancelled, "gone");
    return out;
  }
  Load load() const override {
    return {.running = 1, .waiting = 2, .batch_max = 3, .queue_max = 4};
  }
  int asked = 0;
  bool full = false;
  Question last;

 private:
  protocol::Card card_;
};

class CollectingSink final : public net::TokenSink {
 public:
  bool send(std::span<const TokenId> ids) override {
    all.insert(all.end(), ids.begin(), ids.end());
    return true;
  }
  bool cancelled() const override { return false; }
  std::vector<TokenId> all;
};

struct Scene {
  test::TempDir dir;
  test::FakeClock clock{1'800'000'000'000'000'000};
  OsRng rng;
  crypto::KeypairSigner hotkey{*crypto::Keypair::from_uri(crypto::Scheme::kSr25519, "//Hot"), rng};
  ScriptedSource source;
  Admission admission{
      {}, hotkey.account(), [] { return std::shared_ptr<const chain::Metagraph>(); }};
  std::unique_ptr<Journal> journal = Journal::open(dir.path() / "journal", 1 << 20).value();
  std::vector<Hash256> charters;
  net::Caller caller{.hotkey = {7}, .peer = "test"};
  CollectingSink sink;

  protocol::GenerateRequest request() {
    protocol::GenerateRequest out;
    out.card = protocol::card_hash(source.card());
    out.prompt = {1, 99};
    out.max_tokens = 18;
    return out;
  }
  Result<protocol::Receipt> ask(const protocol::GenerateRequest& question) {
    MinerService service({source, admission, *journal, hotkey, clock, charters, "adit/test", 0});
    return service.generate(caller, question, sink);
  }
};

TEST(MinerService, answers_signs_and_journals) {
  Scene scene;
  const protocol::GenerateRequest request = scene.request();
  const auto receipt = scene.ask(request);
  ASSERT_TRUE(receipt) << receipt.error().message;
  EXPECT_EQ(scene.sink.all, (std::vector<TokenId>{5, 2}));
  const std::vector<TokenId> stop_ids{2};
  const auto judged = protocol::check_receipt(*receipt, {.request = request,
                                                         .validator = scene.caller.hotkey,
                                                         .miner = scene.hotkey.account(),
                                                         .vocabulary = 100,
                                                         .stop_ids = stop_ids});
  EXPECT_EQ(judged.verdict, protocol::Verdict::kExact) << judged.detail;
  EXPECT_EQ(scene.source.last.seed, receipt->core.seed);
  const auto kept = read_journal(scene.dir.path() / "journal");
  ASSERT_EQ(kept->records.size(), 1U);
  EXPECT_EQ(kept->records[0].receipt, *receipt);
  EXPECT_EQ(kept->records[0].request, request);
  EXPECT_EQ(kept->records[0].caller, scene.caller.hotkey);
}

TEST(MinerService, refuses_before_computing) {
  Scene scene;
  const auto refused = [&](auto change, ErrorCode code) {
    protocol::GenerateRequest request = scene.request();
    change(request);
    const auto receipt = scene.ask(request);
    ASSERT_FALSE(receipt);
    EXPECT_EQ(receipt.error().code, code) << receipt.error().message;
  };
  refused([](auto& r) { r.card[0] ^= 1; }, ErrorCode::kFailedPrecondition);
  refused([](auto& r) { r.max_tokens = 19; }, ErrorCode::kInvalidArgument);
  refused([](auto& r) { r.prompt[1] = 100; }, ErrorCode::kInvalidArgument);
  scene.charters = {Hash256{1}};
  refused([](auto&) {}, ErrorCode::kFailedPrecondition);
  EXPECT_EQ(scene.source.asked, 0);
  scene.charters.push_back(scene.request().charter);
  EXPECT_TRUE(scene.ask(scene.request()));
}

TEST(MinerService, a_full_source_leaves_nothing_behind) {
  Scene scene;
  scene.source.full = true;
  for (int i = 0; i < 10; ++i) {
    EXPECT_EQ(scene.ask(scene.request()).error().message, "full");
  }
  EXPECT_TRUE(read_journal(scene.dir.path() / "journal")->records.empty());
  scene.source.full = false;
  EXPECT_TRUE(scene.ask(scene.request()));
}

}  // namespace
}  // namespace adit::miner
