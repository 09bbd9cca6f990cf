// SPDX-License-Identifier: MIT
#include "common/net/endpoint.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>

namespace adit::net {
namespace {

constexpr FixedBytes<16> kLoopback6{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1};

}  // namespace

bool Endpoint::is_loopback() const {
  return is_v6 ? ip == kLoopback6 : ip[0] == 127;
}

bool Endpoint::is_unspecified() const {
  return ip == FixedBytes<16>{};
}

FixedBytes<16> Endpoint::axon_ip() const {
  if (is_v6) return ip;
  FixedBytes<16> out{};
  std::copy_n(ip.begin(), 4, out.begin() + 12);
  return out;
}

Endpoint Endpoint::from_axon(bool is_v6, const FixedBytes<16>& axon_ip, std::uint16_t port) {
  Endpoint out{.is_v6 = is_v6, .ip = {}, .port = port};
  if (is_v6) {
    out.ip = axon_ip;
  } else {
    std::copy_n(axon_ip.begin() + 12, 4, out.ip.begin());
  }
  return out;
}

std::string Endpoint::host() const {
  std::array<char, INET6_ADDRSTRLEN> out{};
  return inet_ntop(is_v6 ? AF_INET6 : AF_INET, ip.data(), out.data(), out.size()) == nullptr
             ? ""
             : out.data();
}

std::string Endpoint::text() const {
  return is_v6 ? fmt::format("[{}]:{}", host(), port) : fmt::format("{}:{}", host(), port);
}

Result<Endpoint> parse_endpoint(std::string_view text) {
  const auto bad = [&] {
    return invalid_argument(
        "\"{}\": expected a numeric address and a port, as 127.0.0.1:8091 or [::1]:8091",
        text.substr(0, 80));
  };
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos || text.find('\0') != std::string_view::npos) return bad();
  std::string host(text.substr(0, colon));
  const std::string_view port = text.substr(colon + 1);
  Endpoint out;
  out.is_v6 = host.starts_with('[') && host.ends_with(']');
  if (out.is_v6) host = host.substr(1, host.size() - 2);
  const auto [end, problem] = std::from_chars(port.data(), port.data() + port.size(), out.port);
  if (port.empty() || problem != std::errc{} || end != port.data() + port.size()) return bad();
  if (inet_pton(out.is_v6 ? AF_INET6 : AF_INET, host.c_str(), out.ip.data()) != 1) return bad();
  return out;
}

Result<void> check_can_listen(const Endpoint& endpoint) {
  const int socket_fd =
      ::socket(endpoint.is_v6 ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (socket_fd < 0) return unavailable("cannot make a socket: {}", std::strerror(errno));
  const int on = 1;
  ::setsockopt(socket_fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  sockaddr_storage address{};
  socklen_t size = 0;
  if (endpoint.is_v6) {
    sockaddr_in6 v6{};
    v6.sin6_family = AF_INET6;
    v6.sin6_port = htons(endpoint.port);
    std::memcpy(&v6.sin6_addr, endpoint.ip.data(), 16);
    std::memcpy(&address, &v6, size = sizeof v6);
  } else {
    sockaddr_in v4{};
    v4.sin_family = AF_INET;
    v4.sin_port = htons(endpoint.port);
    std::memcpy(&v4.sin_addr, endpoint.ip.data(), 4);
    std::memcpy(&address, &v4, size = sizeof v4);
  }
  int problem = 0;
  if (::bind(socket_fd, reinterpret_cast<const sockaddr*>(&address), size) != 0 ||
      ::listen(socket_fd, 1) != 0) {
    problem = errno;
  }
  ::close(socket_fd);
  if (problem == 0) return {};
  const ErrorCode code = problem == EACCES ? ErrorCode::kPermissionDenied : ErrorCode::kUnavailable;
  return make_error(code, "cannot listen on {}: {}", endpoint.text(),
                    problem == EADDRINUSE ? "the port is in use" : std::strerror(problem));
}

}  // namespace adit::net
