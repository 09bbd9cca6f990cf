// SPDX-License-Identifier: MIT
#include "common/config/units.hpp"

#include <gtest/gtest.h>

namespace adit::config {
namespace {

TEST(Units, durations_are_exact_nanoseconds) {
  EXPECT_EQ(parse_duration_ns("30s").value(), 30'000'000'000u);
  EXPECT_EQ(parse_duration_ns("250ms").value(), 250'000'000u);
  EXPECT_EQ(parse_duration_ns("1.5s").value(), 1'500'000'000u);
  EXPECT_EQ(parse_duration_ns("7us").value(), 7'000u);
  EXPECT_EQ(parse_duration_ns("0ns").value(), 0u);
  EXPECT_EQ(parse_duration_ns("213503d").value(), 213503u * 86'400'000'000'000u);
  for (const char* bad : {"", "30", "s", "1.s", ".5s", "1 s", "-1s", "+1s", "1.5ns", "213504d", "1e3s", "1S",
                          "99999999999999999999s", "1s2", "1.0000000000000000001s"}) {
    EXPECT_FALSE(parse_duration_ns(bad).has_value()) << bad;
  }
  EXPECT_EQ(parse_duration_ns("30").error().message,
            "expected a duration such as 30s, 250ms or 5m, got '30'");
}

TEST(Units, sizes_and_counts) {
  EXPECT_EQ(parse_size_bytes("256MiB").value(), 256u << 20);
  EXPECT_EQ(parse_size_bytes("4096").value(), 4096u);
  EXPECT_EQ(parse_size_bytes("2GiB").value(), std::uint64_t{2} << 30);
  EXPECT_EQ(parse_size_bytes("10kB").value(), 10'000u);
  EXPECT_EQ(parse_size_bytes("0.5KiB").value(), 512u);
  EXPECT_FALSE(parse_size_bytes("1MiBs").has_value());
  EXPECT_FALSE(parse_size_bytes("18446744073709551616").has_value());
  EXPECT_EQ(parse_size_bytes("18446744073709551615").value(), UINT64_MAX);
  EXPECT_EQ(parse_count("200k").value(), 200'000u);
  EXPECT_EQ(parse_count("1.5M").value(), 1'500'000u);
  EXPECT_FALSE(parse_count("200K").has_value());
  EXPECT_FALSE(parse_count("1.5").has_value());
}

TEST(Units, decimals_are_scaled_and_print_back) {
  EXPECT_EQ(parse_decimal("0.25", 3).value(), 250);
  EXPECT_EQ(parse_decimal("-0.25", 3).value(), -250);
  EXPECT_EQ(parse_decimal("1", 3).value(), 1000);
  EXPECT_EQ(parse_decimal("9.223372036854775807", 18).value(), INT64_MAX);
  for (const char* bad : {"", "-", ".", "0.2501", "1.", "0x1", "1e3", "nan", "inf", "9223372036854775.808"}) {
    EXPECT_FALSE(parse_decimal(bad, 3).has_value()) << bad;
  }
  for (const std::int64_t value :
       {std::int64_t{0}, std::int64_t{250}, std::int64_t{-1}, std::int64_t{12345678}, INT64_MAX}) {
    EXPECT_EQ(parse_decimal(format_decimal(value, 3), 3).value(), value);
  }
  EXPECT_EQ(format_decimal(250, 3), "0.25");
  EXPECT_EQ(format_decimal(-1000, 3), "-1");
  EXPECT_EQ(format_decimal(INT64_MIN, 0), "-9223372036854775808");
}

TEST(Units, endpoints) {
  EXPECT_EQ(parse_endpoint("127.0.0.1:8091").value(), (Endpoint{"127.0.0.1", 8091}));
  EXPECT_EQ(parse_endpoint("[::1]:0").value(), (Endpoint{"::1", 0}));
  EXPECT_EQ(parse_endpoint("[::1]:0").value().text(), "[::1]:0");
  EXPECT_EQ(parse_endpoint("node-1.example:65535").value().text(), "node-1.example:65535");
  for (const char* bad : {"", ":", ":80", "host", "host:", "host:65536", "host:-1", "::1:80", "[]:80",
                          "[::1:80", "a b:80", "host:80 ", "ho/st:80", "[zz]:1"}) {
    EXPECT_FALSE(parse_endpoint(bad).has_value()) << bad;
  }
}

TEST(Units, integers_take_nothing_but_digits) {
  EXPECT_EQ(parse_integer("-7").value(), -7);
  EXPECT_EQ(parse_integer("9223372036854775807").value(), INT64_MAX);
  for (const char* bad : {"", "+1", "1.0", "0x10", " 1", "9223372036854775808", "1_000"}) {
    EXPECT_FALSE(parse_integer(bad).has_value()) << bad;
  }
}

}  // namespace
}  // namespace adit::config
