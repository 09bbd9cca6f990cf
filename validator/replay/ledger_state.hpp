// SPDX-License-Identifier: MIT
// validator/replay/ledger_state.hpp
//
// Everything the validator knows, as a fold over the ledger's rows. The running validator, a restarted one and
// anybody who replays a published ledger use this one class, so they cannot differ.
//
// In       rows in order (Ledger::walk).
// Out      the newest step's plan, questions, judged slots, weights and submissions; scores and the weight
//          vector that the rules give now.
// Errors   kInvalidArgument: a row that does not decode; kDataLoss: rows that contradict each other (a question
//          of an unplanned step, a slot judged twice, a weight vector that the rules do not give), naming both.
// Threads  one.
// Tests    tests/unit/validator/ledger_state_test.cpp
#pragma once

#include <map>
#include <optional>
#include <set>
#include <vector>

#include "validator/score/scoreboard.hpp"
#include "validator/score/weighting.hpp"
#include "validator/store/rows.hpp"

namespace adit::validator {

struct Rules {
  ScoreRules score;
  WeightRules weights;
};

class LedgerState {
 public:
  explicit LedgerState(const Rules& rules) : rules_(rules), board_(rules.score) {}

  [[nodiscard]] Result<void> apply(const Row& row);

  // Of the newest planned step; empty before the first.
  [[nodiscard]] const std::optional<PlanRow>& plan() const { return plan_; }
  [[nodiscard]] const std::vector<AskedRow>& asked() const { return asked_; }
  [[nodiscard]] const std::map<std::uint64_t, JudgedRow>& judged() const { return judged_; }
  [[nodiscard]] const std::optional<WeightsRow>& weights() const { return weights_; }
  // What became of weights(); none while that is unknown.
  [[nodiscard]] const std::optional<SubmittedRow>& submitted() const { return submitted_; }

  [[nodiscard]] std::vector<HotkeyScore> scores() const;
  // The vector that the rules give from the rows so far, for the newest plan's miners.
  [[nodiscard]] WeightVector weights_now() const;
  // The newest vector that is known to have landed, and the number of weight vectors checked.
  [[nodiscard]] const std::optional<WeightsRow>& landed() const { return landed_; }
  [[nodiscard]] std::size_t vectors_checked() const { return vectors_checked_; }

 private:
  Result<void> apply_plan(PlanRow row);
  Result<void> apply_asked(AskedRow row);
  Result<void> apply_judged(JudgedRow row);
  Result<void> apply_weights(WeightsRow row);
  Result<void> apply_submitted(SubmittedRow row);

  Rules rules_;
  Scoreboard board_;
  std::optional<PlanRow> plan_;
  std::vector<AskedRow> asked_;
  std::map<std::uint64_t, JudgedRow> judged_;
  std::optional<WeightsRow> weights_;
  std::optional<SubmittedRow> submitted_;
  std::optional<WeightsRow> landed_;
  std::optional<AccountId> incumbent_;
  std::size_t vectors_checked_ = 0;
};

}  // namespace adit::validator
