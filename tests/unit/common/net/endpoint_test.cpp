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

TEST(Endpoint, refuses_a_hidden_end) {
  EXPECT_FALSE(parse_endpoint(std::string_view("127.0.0.1\0x:80", 14)));
}

TEST(Endpoint, knows_loopback_and_unspecified) {
  EXPECT_TRUE(parse_endpoint("127.9.9.9:1")->is_loopback());
  EXPECT_TRUE(parse_endpoint("[::1]:1")->is_loopback());
  EXPECT_FALSE(parse_endpoint("0.0.0.0:1")->is_loopback());
  EXPECT_FALSE(parse_endpoint("10.0.0.1:1")->is_loopback());
  EXPECT_TRUE(parse_endpoint("0.0.0.0:1")->is_unspecified());
  EXPECT_TRUE(parse_endpoint("[::]:1")->is_unspecified());
}

TEST(Endpoint, goes_to_the_chain_and_back) {
  const Endpoint v4 = *parse_endpoint("1.2.3.4:80");
  EXPECT_EQ(to_hex(v4.axon_ip()), "00000000000000000000000001020304");
  for (const char* text : {"1.2.3.4:80", "[2001:db8::7]:443", "0.0.0.0:8091"}) {
    const Endpoint endpoint = *parse_endpoint(text);
    EXPECT_EQ(Endpoint::from_axon(endpoint.is_v6, endpoint.axon_ip(), endpoint.port), endpoint);
  }
}

}  // namespace
}  // namespace adit::net
