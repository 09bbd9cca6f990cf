// SPDX-License-Identifier: MIT
// common/net/endpoint.hpp
//
// A numeric address with a port: "127.0.0.1:8091", "[::1]:8091". Host names are not accepted: what
// is bound or dialled is what is written.
//
// Errors   kInvalidArgument quoting the text and the expected form.
// Threads  plain values.
// Tests    tests/unit/common/net/endpoint_test.cpp
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "common/base/bytes.hpp"
#include "common/base/result.hpp"

namespace adit::net {

struct Endpoint {
  bool is_v6 = false;
  // Network order; v4 uses the first 4.
  FixedBytes<16> ip{};
  std::uint16_t port = 0;

  [[nodiscard]] bool is_loopback() const;
  // 0.0.0.0 or ::
  [[nodiscard]] bool is_unspecified() const;
  [[nodiscard]] std::string host() const;
  // As the chain stores it: 16 bytes in network order, IPv4 in the last four.
  [[nodiscard]] FixedBytes<16> axon_ip() const;
  [[nodiscard]] static Endpoint from_axon(bool is_v6, const FixedBytes<16>& axon_ip,
                                          std::uint16_t port);
  // "host:port", with brackets for v6.
  [[nodiscard]] std::string text() const;
  friend bool operator==(const Endpoint&, const Endpoint&) = default;
};

[[nodiscard]] Result<Endpoint> parse_endpoint(std::string_view text);

// Binds and closes a TCP socket: says, with the system's reason, whether a server could listen
// there.
[[nodiscard]] Result<void> check_can_listen(const Endpoint& endpoint);

}  // namespace adit::net
