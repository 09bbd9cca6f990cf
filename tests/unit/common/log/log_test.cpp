// SPDX-License-Identifier: MIT
#include "common/log/log.hpp"

#include <cstdlib>
#include <sstream>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace adit::log {
namespace {

class LogTest : public testing::Test {
 protected:
  void TearDown() override {
    unsetenv("ADIT_LOG");
    ASSERT_TRUE(init(Options{}).has_value());
  }
  std::ostringstream out_;
};

TEST_F(LogTest, json_lines_keep_types_and_escape_hostile_text) {
  ASSERT_TRUE(init({.level = Level::kDebug, .format = Format::kJson, .stream = &out_}).has_value());
  const std::string hostile = "a\"b\n{\"level\":\"error\"}\x01\xff";
  ADIT_LOG(kInfo, "answer_rejected", {"uid", std::uint16_t{7}}, {"delta", -3}, {"ratio", 0.5}, {"ok", false},
           {"big", UINT64_MAX}, {"peer", hostile});
  const std::string line = out_.str();
  ASSERT_FALSE(line.empty());
  EXPECT_EQ(line.find('\n'), line.size() - 1);
  const auto parsed = nlohmann::json::parse(line);
  EXPECT_EQ(parsed.at("event"), "answer_rejected");
  EXPECT_EQ(parsed.at("level"), "info");
  EXPECT_EQ(parsed.at("uid"), 7);
  EXPECT_EQ(parsed.at("delta"), -3);
  EXPECT_EQ(parsed.at("ratio"), 0.5);
  EXPECT_EQ(parsed.at("ok"), false);
  EXPECT_EQ(parsed.at("big").get<std::uint64_t>(), UINT64_MAX);
  EXPECT_EQ(parsed.at("peer").get<std::string>(), "a\"b\n{\"level\":\"error\"}\x01\xef\xbf\xbd");
  EXPECT_EQ(parsed.at("time").get<std::string>().size(), std::string("2026-01-01T00:00:00.000Z").size());
}

TEST_F(LogTest, text_quotes_only_what_needs_it) {
  ASSERT_TRUE(init({.level = Level::kInfo, .format = Format::kText, .stream = &out_}).has_value());
  ADIT_LOG(kWarn, "peer_gone", {"address", "127.0.0.1:80"}, {"why", "no route\nto host"}, {"none", ""});
  const std::string line = out_.str();
  EXPECT_NE(line.find("warning peer_gone address=127.0.0.1:80 why=\"no route\\nto host\" none=\"\"\n"),
            std::string::npos)
      << line;
}

TEST_F(LogTest, level_filters_and_does_not_evaluate_fields) {
  ASSERT_TRUE(init({.level = Level::kWarn, .format = Format::kJson, .stream = &out_}).has_value());
  int evaluated = 0;
  ADIT_LOG(kInfo, "quiet", {"n", ++evaluated});
  EXPECT_EQ(evaluated, 0);
  EXPECT_TRUE(out_.str().empty());
  ADIT_LOG(kError, "loud");
  EXPECT_EQ(nlohmann::json::parse(out_.str()).at("event"), "loud");
}

TEST_F(LogTest, environment_wins_and_typos_are_refused) {
  setenv("ADIT_LOG", "trace", 1);
  ASSERT_TRUE(init({.level = Level::kOff, .format = Format::kJson, .stream = &out_}).has_value());
  EXPECT_TRUE(enabled(Level::kTrace));
  EXPECT_FALSE(enabled(Level::kOff));
  setenv("ADIT_LOG", "verbose", 1);
  const auto refused = init(Options{});
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().message,
            "variable ADIT_LOG: log level: expected trace, debug, info, warn, error or off, got 'verbose'");
}

}  // namespace
}  // namespace adit::log
