// SPDX-License-Identifier: MIT
#include "common/net/endpoint.hpp"

#include <gtest/gtest.h>

namespace adit::net {
namespace {

TEST(Endpoint, parses_what_it_prints) {
  for (const char* text :
       {"127.0.0.1:8091", "0.0.0.0:0", "10.1.2.3:65535", "[::1]:1", "[2001:db8::7]:443"}) {
    const auto endpoint = parse_endpoint(text);
    ASSERT_TRUE(endpoint) << text;
    EXPECT_EQ(endpoint->text(), text);
  }
}

TEST(Endpoint, refuses_names_and_damaged_text) {
  for (const char* text :
       {"", "localhost:80", "127.0.0.1", "127.0.0.1:", "127.0.0.1:65536", "127.0.0.1:-1",
        "127.0.0.1:8x", "1.2.3:80", "::1:80", "[::1]", "[::1:80", "1.2.3.4.5:80"}) {
    EXPECT_FALSE(parse_endpoint(text)) << text;
  }
}

TEST(Endpoint, knows_loopback_and_unspecified) {
  EXPECT_TRUE(parse_endpoint("127.9.9.9:1")->is_loopback());
  EXPECT_TRUE(parse_endpoint("[::1]:1")->is_loopback());
  EXPECT_FALSE(parse_endpoint("0.0.0.0:1")->is_loopback());
  EXPECT_FALSE(parse_endpoint("10.0.0.1:1")->is_loopback());
  EXPECT_TRUE(parse_endpoint("0.0.0.0:1")->is_unspecified());
  EXPECT_TRUE(parse_endpoint("[::]:1")->is_unspecified());
}

}  // namespace
}  // namespace adit::net
