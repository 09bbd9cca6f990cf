// SPDX-License-Identifier: MIT
#include "common/net/miner_server.hpp"

#include <gtest/gtest.h>

#include <deque>
#include <future>

#include "common/protocol/receipt_check.hpp"
#include "tests/support/miner_rig.hpp"

namespace adit::net {
namespace {

using std::chrono::milliseconds;
constexpr milliseconds kLong{10'000};

TEST(MinerServer, streams_tokens_and_ends_with_a_valid_receipt) {
  test::MinerRig rig;
  rig.start();
  MinerChannel channel = rig.channel();
  const protocol::GenerateRequest request = test::counting_request(5);
  std::vector<TokenId> seen;
  const auto reply = channel.generate(request, kLong, [&](std::span<const TokenId> ids) {
    seen.insert(seen.end(), ids.begin(), ids.end());
    return true;
  });
  ASSERT_TRUE(reply) << reply.error().message;
  EXPECT_EQ(seen, (std::vector<TokenId>{101, 102, 103, 104, 105}));
  EXPECT_EQ(rig.handler.last_caller, rig.validator.account());
  const std::vector<TokenId> stop_ids;
  const auto judged = protocol::check_receipt(reply->receipt, {.request = request,
                                                               .validator = rig.validator.account(),
                                                               .miner = rig.miner.account(),
                                                               .vocabulary = 1000,
                                                               .stop_ids = stop_ids});
  EXPECT_EQ(judged.verdict, protocol::Verdict::kExact) << judged.detail;
  EXPECT_GT(reply->total_ns, 0U);
}

TEST(MinerServer, describes_itself) {
  test::MinerRig rig;
  rig.start();
  const auto description = rig.channel().describe(kLong);
  ASSERT_TRUE(description) << description.error().message;
  EXPECT_EQ(description->model_name, "counting");
  EXPECT_EQ(description->hotkey, rig.miner.account());
}

TEST(MinerServer, refuses_a_call_for_another_hotkey) {
  test::MinerRig rig;
  rig.start();
  MinerChannel channel({.endpoint = rig.endpoint(), .miner = rig.validator.account(), .tls = {}},
                       rig.validator, rig.nonces, rig.clock);
  EXPECT_EQ(channel.describe(kLong).error().code, ErrorCode::kPermissionDenied);
  EXPECT_EQ(rig.handler.admitted, 0);
}

TEST(MinerServer, asks_the_handler_who_may_call) {
  test::MinerRig rig;
  rig.handler.refuse_all = true;
  rig.start();
  const auto reply = rig.channel().generate(test::counting_request(1), kLong);
  EXPECT_EQ(reply.error().code, ErrorCode::kPermissionDenied);
  EXPECT_EQ(reply.error().message, "no validator permit");
  EXPECT_EQ(rig.handler.generated, 0);
}

TEST(MinerServer, refuses_over_the_rate) {
  test::MinerRig rig;
  rig.options.rate = {.per_second = 1, .burst = 3};
  rig.start();
  MinerChannel channel = rig.channel();
  int passed = 0;
  for (int i = 0; i < 5; ++i) {
    const auto reply = channel.describe(kLong);
    if (reply) {
      ++passed;
    } else {
      EXPECT_EQ(reply.error().code, ErrorCode::kResourceExhausted);
    }
  }
  EXPECT_EQ(passed, 3);
}

TEST(MinerServer, refuses_a_request_over_the_size) {
  test::MinerRig rig;
  rig.options.request_bytes_max = 1000;
  rig.start();
  protocol::GenerateRequest request = test::counting_request(1);
  request.prompt.assign(2000, 40000);
  EXPECT_EQ(rig.channel().generate(request, kLong).error().code, ErrorCode::kResourceExhausted);
  EXPECT_EQ(rig.handler.admitted, 0);
  EXPECT_TRUE(rig.channel().generate(test::counting_request(1), kLong));
}

TEST(MinerServer, a_late_reply_ends_at_the_deadline_and_stops_the_handler) {
  test::MinerRig rig;
  rig.handler.token_delay_ms = 20;
  rig.start();
  const auto start = std::chrono::steady_clock::now();
  const auto reply = rig.channel().generate(test::counting_request(500), milliseconds(200));
  EXPECT_EQ(reply.error().code, ErrorCode::kDeadlineExceeded);
  EXPECT_LT(std::chrono::steady_clock::now() - start, milliseconds(3000));
  rig.server->stop(milliseconds(5000));
  EXPECT_EQ(rig.handler.cancelled, 1);
}

TEST(MinerServer, the_caller_may_cancel) {
  test::MinerRig rig;
  rig.handler.token_delay_ms = 5;
  rig.start();
  const auto reply = rig.channel().generate(test::counting_request(500), kLong,
                                            [](std::span<const TokenId>) { return false; });
  EXPECT_EQ(reply.error().code, ErrorCode::kCancelled);
  rig.server->stop(milliseconds(5000));
  EXPECT_EQ(rig.handler.cancelled, 1);
}

TEST(MinerServer, no_server_is_unavailable) {
  test::MinerRig rig;
  rig.start();
  MinerChannel channel = rig.channel();
  rig.server->stop(milliseconds(0));
  EXPECT_EQ(channel.describe(milliseconds(3000)).error().code, ErrorCode::kUnavailable);
}

TEST(MinerServer, a_receipt_with_other_ids_than_streamed_is_data_loss) {
  test::MinerRig rig;
  rig.handler.lie_about_ids = true;
  rig.start();
  EXPECT_EQ(rig.channel().generate(test::counting_request(3), kLong).error().code,
            ErrorCode::kDataLoss);
}

TEST(MinerServer, says_that_the_port_is_in_use) {
  test::MinerRig rig;
  rig.start();
  ServerOptions second = rig.options;
  second.bind = rig.endpoint();
  const auto server = MinerServer::start(second, rig.miner.account(), rig.handler, rig.clock);
  ASSERT_FALSE(server);
  EXPECT_EQ(server.error().code, ErrorCode::kUnavailable);
  EXPECT_NE(server.error().message.find("the port is in use"), std::string::npos);
}

TEST(MinerServer, beyond_loopback_needs_tls_or_a_flag) {
  test::MinerRig rig;
  rig.options.bind = *parse_endpoint("0.0.0.0:0");
  const auto refused = MinerServer::start(rig.options, rig.miner.account(), rig.handler, rig.clock);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kFailedPrecondition);
  EXPECT_NE(refused.error().message.find("allow_insecure"), std::string::npos);
  rig.options.allow_insecure = true;
  EXPECT_TRUE(MinerServer::start(rig.options, rig.miner.account(), rig.handler, rig.clock));
}

TEST(MinerServer, stop_lets_a_running_call_finish) {
  test::MinerRig rig;
  rig.handler.token_delay_ms = 10;
  rig.start();
  std::promise<void> first_token;
  auto reply = std::async(std::launch::async, [&] {
    bool told = false;
    return rig.channel().generate(test::counting_request(30), kLong, [&](std::span<const TokenId>) {
      if (!told) first_token.set_value();
      told = true;
      return true;
    });
  });
  first_token.get_future().wait();
  rig.server->stop(milliseconds(10'000));
  EXPECT_TRUE(reply.get());
}

TEST(MinerServer, serves_several_calls_at_once_and_refuses_beyond_its_threads) {
  test::MinerRig rig;
  rig.options.threads_max = 6;
  rig.handler.token_delay_ms = 30;
  rig.start();
  // Connected one after the other: sixteen at once may fail on a busy machine, which is another error.
  std::deque<MinerChannel> channels;
  for (int i = 0; i < 16; ++i) {
    channels.push_back(rig.channel());
    const auto described = channels.back().describe(kLong);
    ASSERT_TRUE(described) << described.error().message;
  }
  std::vector<std::future<int>> calls;
  for (MinerChannel& channel : channels) {
    calls.push_back(std::async(std::launch::async, [&channel] {
      const auto reply = channel.generate(test::counting_request(20), kLong);
      return reply ? 0 : static_cast<int>(reply.error().code);
    }));
  }
  int passed = 0;
  for (auto& call : calls) {
    const int code = call.get();
    if (code == 0) {
      ++passed;
    } else {
      EXPECT_EQ(code, static_cast<int>(ErrorCode::kResourceExhausted));
    }
  }
  EXPECT_GE(passed, 2);
  EXPECT_LT(passed, 16);
}

}  // namespace
}  // namespace adit::net
