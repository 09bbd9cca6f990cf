// SPDX-License-Identifier: MIT
// common/protocol/receipt_check.hpp
//
// The checks of a receipt that need no model: who signed it, for which request, with which seed,
// and whether its sizes and its end follow the rules. The first check of a validator, before
// replay or audit.
//
// In       expected: the request as asked, who asked whom, the card's vocabulary and stop ids.
// Out      kExact: nothing wrong so far. Otherwise kBadEnvelope (other hotkey, bad signature),
//          kWrongCard, or kMalformedReceipt, with a detail that names the field.
// Threads  pure; any thread.
// Source   design: receipts and audit ("Checks, cheapest first" 1)
// Tests    tests/unit/common/protocol/receipt_check_test.cpp
#pragma once

#include <string>

#include "common/protocol/messages.hpp"
#include "common/protocol/verdict.hpp"

namespace adit::protocol {

struct Judgement {
  Verdict verdict = Verdict::kExact;
  std::string detail;
};

struct ReceiptExpectation {
  const GenerateRequest& request;
  AccountId validator{};
  AccountId miner{};
  crypto::Scheme scheme = crypto::Scheme::kSr25519;
  std::uint32_t vocabulary = 0;
  const std::vector<TokenId>& stop_ids;
};

[[nodiscard]] Judgement check_receipt(const Receipt& receipt, const ReceiptExpectation& expected);

}  // namespace adit::protocol
