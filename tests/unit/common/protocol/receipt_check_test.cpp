// SPDX-License-Identifier: MIT
#include "common/protocol/receipt_check.hpp"

#include <gtest/gtest.h>

namespace adit::protocol {
namespace {

struct Scene {
  OsRng rng;
  crypto::KeypairSigner miner{*crypto::Keypair::from_uri(crypto::Scheme::kSr25519, "//Miner"), rng};
  AccountId validator{{1}};
  std::vector<TokenId> stop_ids{2, 5};
  GenerateRequest request;
  ReceiptCore core;

  Scene() {
    request.card.fill(3);
    request.prompt = {10, 11, 12};
    request.max_tokens = 4;
    core = {.card = request.card,
            .request = request_hash(request),
            .seed = seed_of(request, validator, miner.account()),
            .n_p = 3,
            .n_g = 4,
            .ids = {7, 8, 9, 10},
            .finish = FinishReason::kLength,
            .trace_root = {}};
  }
  [[nodiscard]] ReceiptExpectation expectation() const {
    return {.request = request,
            .validator = validator,
            .miner = miner.account(),
            .vocabulary = 100,
            .stop_ids = stop_ids};
  }
  Judgement judge(ReceiptCore changed) {
    return check_receipt(*sign_receipt(std::move(changed), miner), expectation());
  }
  template <class Change>
  Verdict after(Change change) {
    ReceiptCore changed = core;
    change(changed);
    return judge(changed).verdict;
  }
};

TEST(ReceiptCheck, accepts_a_full_length_and_a_stopped_answer) {
  Scene scene;
  EXPECT_EQ(scene.judge(scene.core).verdict, Verdict::kExact) << scene.judge(scene.core).detail;
  EXPECT_EQ(scene.after([](auto& c) {
    c.ids = {7, 2};
    c.n_g = 2;
    c.finish = FinishReason::kStop;
  }),
            Verdict::kExact);
  // A stop id as the very last allowed token is a stop.
  EXPECT_EQ(scene.after([](auto& c) {
    c.ids[3] = 5;
    c.finish = FinishReason::kStop;
  }),
            Verdict::kExact);
}

TEST(ReceiptCheck, finds_each_wrong_field) {
  Scene scene;
  EXPECT_EQ(scene.after([](auto& c) { c.card[0] ^= 1; }), Verdict::kWrongCard);
  EXPECT_EQ(scene.after([](auto& c) { c.request[0] ^= 1; }), Verdict::kMalformedReceipt);
  EXPECT_EQ(scene.after([](auto& c) { c.seed[0] ^= 1; }), Verdict::kMalformedReceipt);
  EXPECT_EQ(scene.after([](auto& c) { c.n_p = 4; }), Verdict::kMalformedReceipt);
  EXPECT_EQ(scene.after([](auto& c) { c.n_g = 3; }), Verdict::kMalformedReceipt);
  EXPECT_EQ(scene.after([](auto& c) {
    c.n_g = 0;
    c.ids.clear();
  }),
            Verdict::kMalformedReceipt);
  EXPECT_EQ(scene.after([](auto& c) {
    c.ids = {7, 8, 9, 10, 11};
    c.n_g = 5;
  }),
            Verdict::kMalformedReceipt);
  EXPECT_EQ(scene.after([](auto& c) { c.ids[1] = 100; }), Verdict::kMalformedReceipt);
}

TEST(ReceiptCheck, enforces_the_stop_rule) {
  Scene scene;
  // A stop id in the middle, a false stop, an unmarked stop, an early end without one.
  EXPECT_EQ(scene.after([](auto& c) { c.ids[1] = 2; }), Verdict::kMalformedReceipt);
  EXPECT_EQ(scene.after([](auto& c) { c.finish = FinishReason::kStop; }),
            Verdict::kMalformedReceipt);
  EXPECT_EQ(scene.after([](auto& c) { c.ids[3] = 2; }), Verdict::kMalformedReceipt);
  EXPECT_EQ(scene.after([](auto& c) {
    c.ids.pop_back();
    c.n_g = 3;
  }),
            Verdict::kMalformedReceipt);
}

TEST(ReceiptCheck, binds_the_receipt_to_the_miner_that_was_asked) {
  Scene scene;
  Receipt receipt = *sign_receipt(scene.core, scene.miner);
  receipt.signature[10] ^= 1;
  EXPECT_EQ(check_receipt(receipt, scene.expectation()).verdict, Verdict::kBadEnvelope);
  crypto::KeypairSigner other(*crypto::Keypair::from_uri(crypto::Scheme::kSr25519, "//Copier"),
                              scene.rng);
  EXPECT_EQ(check_receipt(*sign_receipt(scene.core, other), scene.expectation()).verdict,
            Verdict::kBadEnvelope);
  crypto::KeypairSigner ed(*crypto::Keypair::from_uri(crypto::Scheme::kEd25519, "//Miner"),
                           scene.rng);
  ReceiptExpectation expected = scene.expectation();
  expected.miner = ed.account();
  EXPECT_EQ(check_receipt(*sign_receipt(scene.core, ed), expected).verdict, Verdict::kBadEnvelope);
}

// A copier that re-signs another miner's core has the seed of that miner in it.
TEST(ReceiptCheck, a_copied_core_has_the_wrong_seed) {
  Scene scene;
  crypto::KeypairSigner copier(*crypto::Keypair::from_uri(crypto::Scheme::kSr25519, "//Copier"),
                               scene.rng);
  ReceiptExpectation expected = scene.expectation();
  expected.miner = copier.account();
  const Judgement judged = check_receipt(*sign_receipt(scene.core, copier), expected);
  EXPECT_EQ(judged.verdict, Verdict::kMalformedReceipt);
  EXPECT_NE(judged.detail.find("seed"), std::string::npos);
}

}  // namespace
}  // namespace adit::protocol
