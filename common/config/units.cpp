// SPDX-License-Identifier: MIT
#include "common/config/units.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>

namespace adit::config {
namespace {

__extension__ using Wide = unsigned __int128;

constexpr std::size_t kHostCharsMax = 253;

struct Unit {
  std::string_view suffix;
  std::uint64_t factor;
};

constexpr std::array<Unit, 7> kDurations{{{"ns", 1},
                                          {"us", 1'000},
                                          {"ms", 1'000'000},
                                          {"s", 1'000'000'000},
                                          {"m", 60'000'000'000},
                                          {"h", 3'600'000'000'000},
                                          {"d", 86'400'000'000'000}}};
constexpr std::array<Unit, 8> kSizes{{{"", 1},
                                      {"B", 1},
                                      {"KiB", 1u << 10},
                                      {"MiB", 1u << 20},
                                      {"GiB", 1u << 30},
                                      {"kB", 1'000},
                                      {"MB", 1'000'000},
                                      {"GB", 1'000'000'000}}};
constexpr std::array<Unit, 4> kCounts{{{"", 1}, {"k", 1'000}, {"M", 1'000'000}, {"G", 1'000'000'000}}};

bool is_digit(char c) { return c >= '0' && c <= '9'; }

// value * factor for a decimal "12.5"; false if it is not exact or does not fit.
bool scale(std::string_view number, std::uint64_t factor, std::uint64_t& out) {
  const std::size_t point = number.find('.');
  const std::string_view whole = number.substr(0, point);
  const std::string_view part = point == std::string_view::npos ? "" : number.substr(point + 1);
  if (whole.empty() || (point != std::string_view::npos && part.empty()) || part.size() > 18) return false;
  Wide value = 0;
  std::uint64_t divisor = 1;
  for (const char c : whole) {
    if (!is_digit(c) || value > UINT64_MAX) return false;
    value = value * 10 + static_cast<unsigned>(c - '0');
  }
  if (value > UINT64_MAX) return false;
  value *= factor;
  std::uint64_t fraction = 0;
  for (const char c : part) {
    if (!is_digit(c)) return false;
    fraction = fraction * 10 + static_cast<unsigned>(c - '0');
    divisor *= 10;
  }
  const Wide scaled = static_cast<Wide>(fraction) * factor;
  if (scaled % divisor != 0) return false;
  value += scaled / divisor;
  if (value > UINT64_MAX) return false;
  out = static_cast<std::uint64_t>(value);
  return true;
}

template <std::size_t N>
Result<std::uint64_t> parse_with_unit(std::string_view text, const std::array<Unit, N>& units,
                                      std::string_view expected) {
  const auto end = std::find_if(text.begin(), text.end(), [](char c) { return !is_digit(c) && c != '.'; });
  const auto split = static_cast<std::size_t>(end - text.begin());
  const std::string_view suffix = text.substr(split);
  for (const Unit& unit : units) {
    std::uint64_t value = 0;
    if (suffix == unit.suffix && scale(text.substr(0, split), unit.factor, value)) return value;
  }
  return invalid_argument("expected {}, got '{}'", expected, text);
}

bool is_host_char(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '-' || c == '.' || c == '_';
}

}  // namespace

std::string Endpoint::text() const {
  const bool v6 = host.find(':') != std::string::npos;
  return v6 ? fmt::format("[{}]:{}", host, port) : fmt::format("{}:{}", host, port);
}

Result<std::uint64_t> parse_duration_ns(std::string_view text) {
  return parse_with_unit(text, kDurations, "a duration such as 30s, 250ms or 5m");
}

Result<std::uint64_t> parse_size_bytes(std::string_view text) {
  return parse_with_unit(text, kSizes, "a size such as 256MiB, 64KiB or 4096");
}

Result<std::uint64_t> parse_count(std::string_view text) {
  return parse_with_unit(text, kCounts, "a count such as 200, 200k or 3M");
}

Result<std::int64_t> parse_integer(std::string_view text) {
  std::int64_t value = 0;
  const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || code != std::errc{} || end != text.data() + text.size()) {
    return invalid_argument("expected an integer, got '{}'", text);
  }
  return value;
}

Result<std::int64_t> parse_decimal(std::string_view text, int digits) {
  const bool negative = !text.empty() && text.front() == '-';
  std::uint64_t factor = 1;
  for (int i = 0; i < digits; ++i) factor *= 10;
  std::uint64_t value = 0;
  if (!scale(text.substr(negative ? 1 : 0), factor, value) || value > INT64_MAX) {
    return invalid_argument("expected a number with at most {} digits after the point, got '{}'", digits,
                            text);
  }
  const auto positive = static_cast<std::int64_t>(value);
  return negative ? -positive : positive;
}

std::string format_decimal(std::int64_t scaled, int digits) {
  std::uint64_t factor = 1;
  for (int i = 0; i < digits; ++i) factor *= 10;
  const std::uint64_t magnitude =
      scaled < 0 ? std::uint64_t{0} - static_cast<std::uint64_t>(scaled) : static_cast<std::uint64_t>(scaled);
  std::string out = fmt::format("{}{}", scaled < 0 ? "-" : "", magnitude / factor);
  if (magnitude % factor != 0) {
    out += fmt::format(".{:0{}}", magnitude % factor, digits);
    while (out.back() == '0') out.pop_back();
  }
  return out;
}

Result<Endpoint> parse_endpoint(std::string_view text) {
  constexpr std::string_view kExpected = "host:port such as 127.0.0.1:8091 or [::1]:8091";
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos || colon == 0 || colon > kHostCharsMax + 2) {
    return invalid_argument("expected {}, got '{}'", kExpected, text);
  }
  std::string_view host = text.substr(0, colon);
  const std::string_view port = text.substr(colon + 1);
  bool good = true;
  if (host.front() == '[') {
    good = host.size() > 2 && host.back() == ']';
    host = good ? host.substr(1, host.size() - 2) : host;
    good = good && std::all_of(host.begin(), host.end(), [](char c) {
             return std::isxdigit(static_cast<unsigned char>(c)) != 0 || c == ':' || c == '.';
           });
  } else {
    good = std::all_of(host.begin(), host.end(), is_host_char);
  }
  unsigned value = 0;
  const auto [end, code] = std::from_chars(port.data(), port.data() + port.size(), value);
  good = good && !port.empty() && code == std::errc{} && end == port.data() + port.size() && value <= 65535;
  if (!good) return invalid_argument("expected {}, got '{}'", kExpected, text);
  return Endpoint{std::string(host), static_cast<std::uint16_t>(value)};
}

}  // namespace adit::config
