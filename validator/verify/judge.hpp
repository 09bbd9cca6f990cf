// SPDX-License-Identifier: MIT
// validator/verify/judge.hpp
//
// One answer in, one verdict out, cheapest check first: receipt (signature, request, seed, sizes), replay, the
// task's own checker.
//
// In       the question as asked and what came back.
// Out      a JudgedRow, ready for the ledger: the signed receipt is kept as evidence.
// Errors   only our own failure; whatever a miner did is a verdict.
// Threads  one.
// Source   design "Receipts and audit", checks 1 and 2, and "Verdicts"
// Tests    tests/unit/validator/judge_test.cpp
#pragma once

#include <functional>
#include <span>
#include <vector>

#include "common/protocol/receipt_check.hpp"
#include "validator/step/records.hpp"
#include "validator/verify/replayer.hpp"

namespace adit::validator {

struct JudgeContext {
  AccountId validator{};
  std::uint32_t vocabulary = 0;
  std::vector<TokenId> stop_ids;
  // Whether the generated ids hold the question's right answer.
  std::function<bool(const AskedRow&, std::span<const TokenId>)> is_right;
};

class Judge {
 public:
  Judge(JudgeContext context, Replayer& replayer) : context_(std::move(context)), replayer_(replayer) {}
  [[nodiscard]] Result<JudgedRow> judge(const Answered& answered);

 private:
  JudgeContext context_;
  Replayer& replayer_;
};

}  // namespace adit::validator
