// SPDX-License-Identifier: MIT
#include "validator/verify/judge.hpp"

#include <gtest/gtest.h>

#include "common/base/rng.hpp"
#include "common/crypto/signer.hpp"

namespace adit::validator {
namespace {

using protocol::Verdict;

class FakeReplayer final : public Replayer {
 public:
  Result<Comparison> replay(const protocol::GenerateRequest&, const protocol::ReceiptCore&) override {
    ++calls;
    return next;
  }
  Comparison next{.exact = true};
  int calls = 0;
};

class JudgeTest : public ::testing::Test {
 protected:
  void SetUp() override {
    request_.card = {1};
    request_.prompt = {5, 6, 7};
    request_.max_tokens = 4;
    answered_.question.request = request_;
    answered_.question.asked = {.step = 3, .slot = 2, .uid = 9, .hotkey = miner_.account()};
    core_ = {.card = request_.card, .request = request_hash(request_),
             .seed = seed_of(request_, validator_, miner_.account()), .n_p = 3, .n_g = 2, .ids = {11, 2},
             .finish = protocol::FinishReason::kStop};
  }

  JudgedRow judge(crypto::Signer& signer) {
    answered_.reply.receipt = sign_receipt(core_, signer).value();
    answered_.reply.verdict = Verdict::kExact;
    Judge judge({.validator = validator_, .vocabulary = 100, .stop_ids = {2},
                 .is_right = [this](const AskedRow&, std::span<const TokenId>) { return right_; }},
                replayer_);
    return judge.judge(answered_).value();
  }

  OsRng rng_;
  crypto::KeypairSigner miner_{crypto::Keypair::from_uri(crypto::Scheme::kSr25519, "//Bob").value(), rng_};
  crypto::KeypairSigner other_{crypto::Keypair::from_uri(crypto::Scheme::kSr25519, "//Eve").value(), rng_};
  const AccountId validator_{42};
  protocol::GenerateRequest request_;
  protocol::ReceiptCore core_;
  Answered answered_;
  FakeReplayer replayer_;
  bool right_ = true;
};

TEST_F(JudgeTest, an_exact_right_answer_is_paid_and_its_receipt_kept) {
  const JudgedRow row = judge(miner_);
  EXPECT_EQ(row.verdict, Verdict::kExact);
  EXPECT_EQ(row.tokens, 2u);
  EXPECT_FALSE(row.receipt.empty());
  EXPECT_EQ(row.uid, 9);
}

TEST_F(JudgeTest, an_exact_wrong_answer_says_so) {
  right_ = false;
  EXPECT_EQ(judge(miner_).verdict, Verdict::kWrongAnswer);
}

TEST_F(JudgeTest, a_receipt_of_another_hotkey_never_reaches_the_replay) {
  EXPECT_EQ(judge(other_).verdict, Verdict::kBadEnvelope);
  EXPECT_EQ(replayer_.calls, 0);
}

TEST_F(JudgeTest, a_copied_receipt_is_caught_by_its_request) {
  core_.request = {9};
  EXPECT_EQ(judge(miner_).verdict, Verdict::kMalformedReceipt);
  EXPECT_EQ(replayer_.calls, 0);
}

TEST_F(JudgeTest, another_card_is_named) {
  core_.card = {2};
  EXPECT_EQ(judge(miner_).verdict, Verdict::kWrongCard);
}

TEST_F(JudgeTest, a_wrong_token_is_localised) {
  replayer_.next = {.exact = false, .token_position = 0, .expected = 77};
  const JudgedRow row = judge(miner_);
  EXPECT_EQ(row.verdict, Verdict::kTokenMismatch);
  EXPECT_EQ(row.tokens, 0u);
  EXPECT_NE(row.detail.find("got id 11, the canonical choice is 77"), std::string::npos);
}

TEST_F(JudgeTest, right_ids_with_another_root_are_a_trace_mismatch) {
  replayer_.next = {.exact = false};
  EXPECT_EQ(judge(miner_).verdict, Verdict::kTraceMismatch);
}

TEST_F(JudgeTest, silence_keeps_its_reason) {
  answered_.reply = {.verdict = Verdict::kLate, .detail = std::string(1000, 'x'), .latency_ms = 30'001};
  Judge judge({}, replayer_);
  const JudgedRow row = judge.judge(answered_).value();
  EXPECT_EQ(row.verdict, Verdict::kLate);
  EXPECT_EQ(row.detail.size(), 300u);
  EXPECT_EQ(row.latency_ms, 30'001u);
}

}  // namespace
}  // namespace adit::validator
