// SPDX-License-Identifier: MIT
// validator/query/miner_client.hpp
//
// The MinerClient seam: one question out, one reply back.
//
// In       address, hotkey of the miner that must answer, the request, and how long to wait.
// Out      a Reply; a miner's failure is data in it (Reply::verdict), never an Error.
// Units    deadline_ms milliseconds for the whole call.
// Threads  ask() is called from many threads at once.
// Tests    tests/unit/validator/fan_out_test.cpp stands a fake in for it
#pragma once

#include "validator/step/records.hpp"

namespace adit::validator {

class MinerClient {
 public:
  virtual ~MinerClient() = default;
  [[nodiscard]] virtual Reply ask(const net::Endpoint& address, const AccountId& hotkey,
                                  const protocol::GenerateRequest& request, std::uint64_t deadline_ms) = 0;
};

}  // namespace adit::validator
