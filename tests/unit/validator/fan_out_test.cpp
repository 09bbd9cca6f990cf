// SPDX-License-Identifier: MIT
#include "validator/query/fan_out.hpp"

#include <atomic>
#include <map>
#include <mutex>
#include <thread>

#include <gtest/gtest.h>

namespace adit::validator {
namespace {

// Replies with the slot in the detail and remembers how many calls ran at once at each miner.
class FakeMiners final : public MinerClient {
 public:
  Reply ask(const net::Endpoint&, const AccountId& hotkey, const protocol::GenerateRequest& request,
            std::uint64_t deadline_ms) override {
    enter(hotkey);
    std::this_thread::yield();
    Reply reply;
    reply.verdict = protocol::Verdict::kRefused;
    reply.detail = std::to_string(request.slot);
    reply.latency_ms = deadline_ms;
    const std::lock_guard lock(mutex_);
    --running_[hotkey];
    return reply;
  }
  unsigned most_at_once = 0;

 private:
  void enter(const AccountId& hotkey) {
    const std::lock_guard lock(mutex_);
    most_at_once = std::max(most_at_once, ++running_[hotkey]);
  }
  std::mutex mutex_;
  std::map<AccountId, unsigned> running_;
};

std::vector<Question> questions(std::size_t count, std::size_t miners) {
  std::vector<Question> out(count);
  for (std::size_t i = 0; i < count; ++i) {
    out[i].asked.slot = out[i].request.slot = i;
    out[i].asked.hotkey = {static_cast<std::uint8_t>(i % miners)};
    out[i].address = net::Endpoint{};
  }
  return out;
}

TEST(FanOut, answers_come_in_the_order_of_the_questions) {
  FakeMiners miners;
  std::size_t reported = 0;
  const auto answers = fan_out(miners, questions(200, 7), {.threads = 5, .per_miner = 1, .deadline_ms = 9},
                               [&](std::size_t done) { reported = std::max(reported, done); });
  ASSERT_EQ(answers.size(), 200u);
  for (std::size_t i = 0; i < answers.size(); ++i) EXPECT_EQ(answers[i].reply.detail, std::to_string(i));
  EXPECT_EQ(answers[0].reply.latency_ms, 9u);
  EXPECT_EQ(reported, 200u);
  EXPECT_EQ(miners.most_at_once, 1u);
}

TEST(FanOut, one_miner_is_never_asked_more_at_once_than_allowed) {
  FakeMiners miners;
  EXPECT_EQ(fan_out(miners, questions(300, 2), {.threads = 8, .per_miner = 2}).size(), 300u);
  EXPECT_LE(miners.most_at_once, 2u);
}

TEST(FanOut, a_miner_without_address_is_no_reply) {
  FakeMiners miners;
  auto asked = questions(2, 2);
  asked[1].address.reset();
  const auto answers = fan_out(miners, std::move(asked), {});
  EXPECT_EQ(answers[1].reply.verdict, protocol::Verdict::kNoReply);
  EXPECT_NE(answers[1].reply.detail.find("no address"), std::string::npos);
}

TEST(FanOut, no_questions_no_answers) {
  FakeMiners miners;
  EXPECT_TRUE(fan_out(miners, {}, {}).empty());
}

}  // namespace
}  // namespace adit::validator
