// SPDX-License-Identifier: MIT
// validator/verify/replayer.hpp
//
// The seam to the model on the validator's side: recompute one answer, say where it first differs.
//
// In       the request as asked and the receipt core that claims to answer it (sizes already checked).
// Out      the comparison; exact means that every id is the canonical choice and the trace root is equal.
// Errors   our own failure (out of memory, a prompt longer than the pack's context), never the miner's.
// Threads  one call at a time.
// Source   design "Receipts and audit", checks 2
// Tests    tests/unit/validator/judge_test.cpp (fake), deploy/demo.sh (real)
#pragma once

#include <optional>

#include "common/base/result.hpp"
#include "common/protocol/messages.hpp"

namespace adit::validator {

struct Comparison {
  bool exact = false;
  // The first generated position whose id is not the canonical choice; none: the ids are right but the trace
  // root differs.
  std::optional<std::uint32_t> token_position;
  TokenId expected = -1;
};

class Replayer {
 public:
  virtual ~Replayer() = default;
  [[nodiscard]] virtual Result<Comparison> replay(const protocol::GenerateRequest& request,
                                                  const protocol::ReceiptCore& claimed) = 0;
};

}  // namespace adit::validator
