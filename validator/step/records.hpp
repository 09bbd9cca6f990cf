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

#include "common/net/endpoint.hpp"
#include "common/protocol/messages.hpp"
#include "common/protocol/verdict.hpp"
#include "validator/store/rows.hpp"

namespace adit::validator {

// One question to one miner: what is recorded (asked), what is sent (request), where to.
struct Question {
  AskedRow asked;
  protocol::GenerateRequest request;
  std::optional<net::Endpoint> address;  // none: the miner has no usable address; judged kNoReply
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
