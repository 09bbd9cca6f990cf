// SPDX-License-Identifier: MIT
// validator/step/records.hpp
//
// The values that one step hands from phase to phase: each phase takes one and returns the next.
//
// Threads  plain values.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "common/protocol/messages.hpp"
#include "common/protocol/verdict.hpp"
#include "validator/store/rows.hpp"

namespace adit::validator {

// Where a miner is reached.
struct MinerAddress {
  std::string host;  // "10.0.0.7", "[fd00::1]", "127.0.0.1"
  std::uint16_t port = 0;
};

// One question to one miner: what is recorded (asked), what is sent (request), where to.
struct Question {
  AskedRow asked;
  protocol::GenerateRequest request;
  std::optional<MinerAddress> address;  // none: the miner has no usable address; judged kNoReply
};

// What came back within the deadline.
struct Reply {
  std::optional<protocol::Receipt> receipt;
  // Without a receipt: kNoReply, kLate, kRefused or kBadEnvelope, and why.
  protocol::Verdict verdict = protocol::Verdict::kNoReply;
  std::string detail;
  std::uint64_t latency_ms = 0;
};

struct Answered {
  Question question;
  Reply reply;
};

}  // namespace adit::validator
