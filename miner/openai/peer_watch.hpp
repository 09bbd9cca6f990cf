// SPDX-License-Identifier: MIT
// miner/openai/peer_watch.hpp
//
// Whether the other end of a connection of this process is still there, for a server library that does not say.
//
// In       the peer's numeric address and port.
// Out      gone: true once the peer has closed its side; false while it has not, or if no such connection is
//          found. Nothing is read from the connection.
// Threads  one thread; the connection must stay open while this exists (a handler's does).
// Tests    tests/unit/miner/openai/server_test.cpp
#pragma once

#include <string>

namespace adit::miner::openai {

class PeerWatch {
 public:
  PeerWatch(const std::string& address, int port);
  [[nodiscard]] bool gone() const;

 private:
  int socket_ = -1;
};

}  // namespace adit::miner::openai
