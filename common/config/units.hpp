// SPDX-License-Identifier: MIT
// common/config/units.hpp
//
// Text with a unit to exact integers: "250ms", "256MiB", "200k", "0.25", "127.0.0.1:8091".
//
// Out      durations in nanoseconds; sizes in bytes (KiB, MiB, GiB are powers of two; kB, MB, GB powers of
//          ten); decimals as integers scaled by 10^digits.
// Errors   kInvalidArgument "expected <what>, got '<text>'". Signs, blanks, overflow, a missing unit and
//          digits that do not fit are refused; nothing is rounded.
// Threads  pure.
// Tests    tests/unit/common/config/units_test.cpp
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "common/base/result.hpp"

namespace adit::config {

// Host is a name, an IPv4 address or an IPv6 address (written in brackets).
struct Endpoint {
  std::string host;
  std::uint16_t port = 0;
  [[nodiscard]] std::string text() const;
  friend bool operator==(const Endpoint&, const Endpoint&) = default;
};

// "30s", "250ms", "1500us", "10ns", "5m", "2h", "1d"; the number may have decimals ("1.5s").
[[nodiscard]] Result<std::uint64_t> parse_duration_ns(std::string_view text);
// "256MiB", "64KiB", "10GB", "512B", or a plain number of bytes.
[[nodiscard]] Result<std::uint64_t> parse_size_bytes(std::string_view text);
// "200", "200k", "3M", "2G" (powers of ten).
[[nodiscard]] Result<std::uint64_t> parse_count(std::string_view text);
// "-0.25" with digits = 3 is -250. At most `digits` digits after the point; digits <= 18.
[[nodiscard]] Result<std::int64_t> parse_decimal(std::string_view text, int digits);
// "127.0.0.1:8091", "[::1]:80", "localhost:0".
[[nodiscard]] Result<Endpoint> parse_endpoint(std::string_view text);
// Decimal digits with an optional minus, nothing else.
[[nodiscard]] Result<std::int64_t> parse_integer(std::string_view text);

// The inverse of parse_decimal: shortest exact text ("0.25").
[[nodiscard]] std::string format_decimal(std::int64_t scaled, int digits);

}  // namespace adit::config
