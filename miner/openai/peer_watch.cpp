// SPDX-License-Identifier: MIT
#include "miner/openai/peer_watch.hpp"

#include <array>
#include <cerrno>
#include <charconv>
#include <filesystem>
#include <system_error>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

namespace adit::miner::openai {
namespace {

bool is_peer(int socket, const std::string& address, int port) {
  sockaddr_storage peer{};
  socklen_t size = sizeof peer;
  if (getpeername(socket, reinterpret_cast<sockaddr*>(&peer), &size) != 0) return false;
  std::array<char, INET6_ADDRSTRLEN> text{};
  if (peer.ss_family == AF_INET) {
    const auto& v4 = reinterpret_cast<const sockaddr_in&>(peer);
    return ntohs(v4.sin_port) == port &&
           inet_ntop(AF_INET, &v4.sin_addr, text.data(), text.size()) != nullptr && address == text.data();
  }
  if (peer.ss_family != AF_INET6) return false;
  const auto& v6 = reinterpret_cast<const sockaddr_in6&>(peer);
  return ntohs(v6.sin6_port) == port &&
         inet_ntop(AF_INET6, &v6.sin6_addr, text.data(), text.size()) != nullptr && address == text.data();
}

}  // namespace

PeerWatch::PeerWatch(const std::string& address, int port) {
  std::error_code failed;
  for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd", failed)) {
    const std::string name = entry.path().filename().string();
    int socket = -1;
    std::from_chars(name.data(), name.data() + name.size(), socket);
    if (socket >= 0 && is_peer(socket, address, port)) {
      socket_ = socket;
      return;
    }
  }
}

bool PeerWatch::gone() const {
  if (socket_ < 0) return false;
  char byte = 0;
  const ssize_t got = recv(socket_, &byte, 1, MSG_PEEK | MSG_DONTWAIT);
  return got == 0 || (got < 0 && errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR);
}

}  // namespace adit::miner::openai
