// SPDX-License-Identifier: MIT
#include "common/chain/rpc_connection.hpp"

#include <chrono>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "common/chain/websocket.hpp"
#include "tests/support/scripted_node.hpp"

namespace adit::chain {
namespace {

using std::chrono::milliseconds;
using test::Answer;
using test::ScriptedNode;

ClientOptions quick() {
  ClientOptions options;
  options.connect_timeout_ms = 2000;
  options.request_timeout_ms = 2000;
  options.backoff_min_ms = 5;
  options.backoff_max_ms = 20;
  return options;
}

std::unique_ptr<RpcConnection> opened(const ScriptedNode& node, const ClientOptions& options = quick()) {
  auto connection = RpcConnection::open(node.url(), options);
  EXPECT_TRUE(connection.has_value()) << (connection ? "" : connection.error().message);
  return connection ? *std::move(connection) : nullptr;
}

Answer echo(const Json& params, int) {
  return Answer::result(params);
}

TEST(Url, is_read_and_refused) {
  const Url url = *parse_url("wss://entrypoint.example:8443/path?x=1");
  EXPECT_TRUE(url.tls);
  EXPECT_EQ(url.host, "entrypoint.example");
  EXPECT_EQ(url.port, "8443");
  EXPECT_EQ(url.path, "/path?x=1");
  EXPECT_EQ(parse_url("ws://localhost")->port, "80");
  EXPECT_EQ(parse_url("wss://localhost")->port, "443");
  EXPECT_EQ(parse_url("ws://[::1]:9944")->host, "::1");
  EXPECT_EQ(parse_url("ws://[::1]:9944")->port, "9944");
  for (const char* bad : {"", "http://a", "ws://", "ws://:1", "ws://a:0", "ws://a:65536", "ws://a:x",
                          "ws://a:", "ws://[::1", "ws://a b"}) {
    EXPECT_FALSE(parse_url(bad).has_value()) << bad;
  }
}

TEST(RpcConnection, an_unreachable_node_is_said_at_once) {
  std::uint16_t port = 0;
  {
    port = ScriptedNode().port();
  }  // free again
  const std::string url = "ws://127.0.0.1:" + std::to_string(port);
  const auto begin = std::chrono::steady_clock::now();
  const auto connection = RpcConnection::open(url, ClientOptions{});
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(2));
  ASSERT_FALSE(connection.has_value());
  EXPECT_EQ(connection.error().code, ErrorCode::kUnavailable);
  EXPECT_EQ(connection.error().message, url + ": Connection refused");
}

TEST(RpcConnection, a_node_that_does_not_shake_hands_is_given_up) {
  ScriptedNode node;
  ClientOptions options = quick();
  options.connect_timeout_ms = 300;
  // TLS towards a server that speaks plain text.
  const auto connection = RpcConnection::open("wss://127.0.0.1:" + std::to_string(node.port()), options);
  ASSERT_FALSE(connection.has_value());
  EXPECT_EQ(connection.error().code, ErrorCode::kUnavailable);
}

TEST(RpcConnection, gives_results_and_the_node_s_errors) {
  ScriptedNode node;
  node.on("echo", echo);
  node.on("fail",
          [](const Json&, int) { return Answer::error(1010, "Invalid Transaction", "Custom error: 6"); });
  const auto connection = opened(node);
  EXPECT_EQ(connection->call("echo", Json::array({1, "two"}), Resend::kYes).value(),
            Json::array({1, "two"}));
  const auto failed = connection->call("fail", Json::array(), Resend::kYes);
  ASSERT_FALSE(failed.has_value());
  EXPECT_EQ(failed.error().rpc_code, std::optional<std::int64_t>(1010));
  EXPECT_EQ(failed.error().rpc_data, "Custom error: 6");
  EXPECT_EQ(failed.error().error.message,
            "fail: the node answered 1010: Invalid Transaction: Custom error: 6");
  const auto missing = connection->call("nothing", Json::array(), Resend::kYes);
  EXPECT_EQ(missing.error().error.code, ErrorCode::kUnimplemented);
}

TEST(RpcConnection, many_threads_get_their_own_answers) {
  ScriptedNode node;
  node.on("echo", echo);
  const auto connection = opened(node);
  std::vector<std::thread> threads;
  std::atomic<int> right = 0;
  for (int t = 0; t < 16; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 25; ++i) {
        const Json params = Json::array({t, i});
        const auto answer = connection->call("echo", params, Resend::kYes);
        if (answer && *answer == params) ++right;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(right, 16 * 25);
  EXPECT_EQ(node.connections(), 1);
}

TEST(RpcConnection, silence_ends_at_the_deadline) {
  ScriptedNode node;
  node.on("slow", [](const Json&, int) { return Answer::silence(); });
  node.on("echo", echo);
  ClientOptions options = quick();
  options.request_timeout_ms = 100;
  const auto connection = opened(node, options);
  const auto answer = connection->call("slow", Json::array(), Resend::kYes);
  ASSERT_FALSE(answer.has_value());
  EXPECT_EQ(answer.error().error.code, ErrorCode::kDeadlineExceeded);
  EXPECT_NE(answer.error().error.message.find("slow: no answer in 100 ms"), std::string::npos);
  EXPECT_TRUE(connection->call("echo", Json::array(), Resend::kYes).has_value());
}

TEST(RpcConnection, a_read_survives_a_lost_line) {
  ScriptedNode node;
  node.on("read", [](const Json&, int nth) { return nth == 0 ? Answer::cut() : Answer::result("again"); });
  const auto connection = opened(node);
  EXPECT_EQ(connection->call("read", Json::array(), Resend::kYes).value(), "again");
  EXPECT_EQ(node.count("read"), 2);
  EXPECT_EQ(node.connections(), 2);
}

TEST(RpcConnection, a_write_is_never_sent_twice) {
  ScriptedNode node;
  node.on("write", [](const Json&, int) { return Answer::cut(); });
  node.on("echo", echo);
  const auto connection = opened(node);
  const auto answer = connection->call("write", Json::array(), Resend::kNo);
  ASSERT_FALSE(answer.has_value());
  EXPECT_EQ(answer.error().error.code, ErrorCode::kUnavailable);
  EXPECT_FALSE(answer.error().rpc_code.has_value());
  EXPECT_TRUE(connection->call("echo", Json::array(), Resend::kYes).has_value());
  EXPECT_EQ(node.count("write"), 1);
}

TEST(RpcConnection, garbage_starts_a_new_line) {
  for (const std::string garbage : {"{\"jsonrpc\":", "[1,2]", "\xff\xfe", "42", ""}) {
    ScriptedNode node;
    node.on("read",
            [&](const Json&, int nth) { return nth == 0 ? Answer::text(garbage) : Answer::result(7); });
    const auto connection = opened(node);
    EXPECT_EQ(connection->call("read", Json::array(), Resend::kYes).value(), 7) << garbage;
    EXPECT_EQ(node.connections(), 2) << garbage;
  }
}

TEST(RpcConnection, odd_answers_are_errors_or_ignored) {
  ScriptedNode node;
  ClientOptions options = quick();
  options.request_timeout_ms = 200;
  node.on("neither", [](const Json&, int) { return Answer::text(R"({"jsonrpc":"2.0","id":1})"); });
  node.on("stranger",
          [](const Json&, int) { return Answer::text(R"({"jsonrpc":"2.0","id":99,"result":1})"); });
  node.on("error_text", [](const Json&, int) { return Answer::text(R"({"id":3,"error":"no"})"); });
  const auto connection = opened(node, options);
  EXPECT_EQ(connection->call("neither", Json::array(), Resend::kYes).error().error.code,
            ErrorCode::kDataLoss);
  EXPECT_EQ(connection->call("stranger", Json::array(), Resend::kYes).error().error.code,
            ErrorCode::kDeadlineExceeded);
  EXPECT_EQ(connection->call("error_text", Json::array(), Resend::kYes).error().error.code,
            ErrorCode::kUnknown);
}

TEST(RpcConnection, a_node_that_stays_away_ends_the_wait) {
  auto node = std::make_unique<ScriptedNode>();
  node->on("read", [](const Json&, int) { return Answer::silence(); });
  ClientOptions options = quick();
  options.request_timeout_ms = 60'000;
  options.attempts_max = 4;
  const auto connection = opened(*node, options);
  std::thread reader([&] {
    const auto answer = connection->call("read", Json::array(), Resend::kYes);
    ASSERT_FALSE(answer.has_value());
    EXPECT_EQ(answer.error().error.code, ErrorCode::kUnavailable);
    EXPECT_NE(answer.error().error.message.find("Connection refused"), std::string::npos);
  });
  while (node->count("read") == 0) std::this_thread::sleep_for(milliseconds(1));
  node.reset();
  reader.join();
}

Json update(const Json& id, const Json& value) {
  return {{"jsonrpc", "2.0"}, {"method", "update"}, {"params", {{"subscription", id}, {"result", value}}}};
}

TEST(RpcConnection, notifications_come_in_order_even_before_their_answer) {
  ScriptedNode node;
  node.on("watch", [](const Json&, int) {
    Answer answer = Answer::result("sub-1");
    answer.before = {update("sub-1", 0)};
    answer.notify = {update("other", 9), update("sub-1", 1), update("sub-1", 2)};
    return answer;
  });
  node.on("unwatch", [](const Json&, int) { return Answer::result(true); });
  const auto connection = opened(node);
  auto subscription = connection->subscribe("watch", Json::array(), "unwatch");
  ASSERT_TRUE(subscription.has_value());
  for (int i = 0; i < 3; ++i) EXPECT_EQ((*subscription)->next(milliseconds(2000)).value(), i);
  EXPECT_EQ((*subscription)->next(milliseconds(10)).error().code, ErrorCode::kDeadlineExceeded);
  subscription->reset();
  for (int i = 0; i < 2000 && node.count("unwatch") == 0; ++i) std::this_thread::sleep_for(milliseconds(1));
  EXPECT_EQ(node.count("unwatch"), 1);
}

TEST(RpcConnection, a_subscription_ends_with_its_line) {
  ScriptedNode node;
  node.on("watch", [](const Json&, int) {
    Answer answer = Answer::result(5);
    answer.notify = {update(5, "first")};
    return answer;
  });
  node.on("echo", echo);
  const auto connection = opened(node);
  auto subscription = connection->subscribe("watch", Json::array(), "unwatch");
  ASSERT_TRUE(subscription.has_value());
  EXPECT_EQ((*subscription)->next(milliseconds(2000)).value(), "first");
  node.cut_all();
  EXPECT_EQ((*subscription)->next(milliseconds(2000)).error().code, ErrorCode::kUnavailable);
  EXPECT_EQ((*subscription)->next(milliseconds(2000)).error().code, ErrorCode::kUnavailable);
  EXPECT_TRUE(connection->call("echo", Json::array(), Resend::kYes).has_value());
}

TEST(RpcConnection, an_endless_message_is_refused) {
  ScriptedNode node;
  ClientOptions options = quick();
  options.attempts_max = 1;
  options.request_timeout_ms = 20'000;
  node.on("flood",
          [](const Json&, int) { return Answer::text(std::string(limits::kRpcMessageBytesMax + 1, ' ')); });
  const auto connection = opened(node, options);
  const auto answer = connection->call("flood", Json::array(), Resend::kYes);
  ASSERT_FALSE(answer.has_value());
  EXPECT_EQ(answer.error().error.code, ErrorCode::kUnavailable);
}

}  // namespace
}  // namespace adit::chain
