// SPDX-License-Identifier: MIT
#include "validator/replay/ledger_state.hpp"

#include <algorithm>

#include "validator/step/secrets.hpp"

namespace adit::validator {

Result<void> LedgerState::apply(const Row& row) {
  Result<void> done;
  switch (row.kind) {
    case RowKind::kPlan: {
      ADIT_TRY(PlanRow plan, decode_plan(row.body));
      done = apply_plan(std::move(plan));
      break;
    }
    case RowKind::kAsked: {
      ADIT_TRY(AskedRow asked, decode_asked(row.body));
      done = apply_asked(std::move(asked));
      break;
    }
    case RowKind::kJudged: {
      ADIT_TRY(JudgedRow judged, decode_judged(row.body));
      done = apply_judged(std::move(judged));
      break;
    }
    case RowKind::kWeights: {
      ADIT_TRY(WeightsRow weights, decode_weights(row.body));
      done = apply_weights(std::move(weights));
      break;
    }
    case RowKind::kSubmitted: {
      ADIT_TRY(SubmittedRow submitted, decode_submitted(row.body));
      done = apply_submitted(std::move(submitted));
      break;
    }
    default:
      return invalid_argument("row {}: unknown kind {}", row.seq, static_cast<int>(row.kind));
  }
  if (!done) return tl::unexpected<Error>(done.error().context(fmt::format("row {}", row.seq)));
  return {};
}

Result<void> LedgerState::apply_plan(PlanRow row) {
  if (plan_ && row.step <= plan_->step) {
    return data_loss("plan of step {} after the plan of step {}", row.step, plan_->step);
  }
  if (plan_ && row.revealed_secret != Hash256{} &&
      commitment_of(row.revealed_secret) != plan_->secret_commitment) {
    return data_loss("step {} reveals a secret that step {} did not commit to", row.step, plan_->step);
  }
  plan_ = std::move(row);
  asked_.clear();
  judged_.clear();
  weights_.reset();
  submitted_.reset();
  return {};
}

Result<void> LedgerState::apply_asked(AskedRow row) {
  if (!plan_ || row.step != plan_->step)
    return data_loss("question of step {}, which is not planned", row.step);
  if (row.slot != asked_.size()) {
    return data_loss("question of slot {} where slot {} was due", row.slot, asked_.size());
  }
  asked_.push_back(std::move(row));
  return {};
}

Result<void> LedgerState::apply_judged(JudgedRow row) {
  if (!plan_ || row.step != plan_->step || row.slot >= asked_.size()) {
    return data_loss("verdict on step {} slot {}, which was not asked", row.step, row.slot);
  }
  const AskedRow& question = asked_[row.slot];
  if (question.hotkey != row.hotkey || question.uid != row.uid) {
    return data_loss("verdict on step {} slot {} names another miner than the question", row.step, row.slot);
  }
  if (judged_.contains(row.slot)) return data_loss("step {} slot {} is judged twice", row.step, row.slot);
  board_.apply(row);
  const std::uint64_t slot = row.slot;
  judged_.emplace(slot, std::move(row));
  return {};
}

Result<void> LedgerState::apply_weights(WeightsRow row) {
  if (!plan_ || row.step != plan_->step)
    return data_loss("weights of step {}, which is not planned", row.step);
  if (weights_ && !submitted_)
    return data_loss("step {}: two weight vectors, none submitted between", row.step);
  const WeightVector expected = weights_now();
  if (row.uids != expected.uids || row.values != expected.values) {
    return data_loss("step {}: the weight vector is not the one that the rows before give", row.step);
  }
  ++vectors_checked_;
  weights_ = std::move(row);
  submitted_.reset();
  return {};
}

Result<void> LedgerState::apply_submitted(SubmittedRow row) {
  if (!weights_ || row.step != weights_->step || submitted_) {
    return data_loss("outcome of a submission of step {} that is not under way", row.step);
  }
  if (row.success) {
    landed_ = weights_;
    if (const auto winner = winner_of({weights_->uids, weights_->values}, plan_->miners)) incumbent_ = winner;
  }
  submitted_ = std::move(row);
  return {};
}

std::vector<HotkeyScore> LedgerState::scores() const {
  return plan_ ? board_.scores(plan_->step) : std::vector<HotkeyScore>{};
}

WeightVector LedgerState::weights_now() const {
  if (!plan_) return {};
  return make_weights(rules_.weights, scores(), plan_->miners, incumbent_);
}

}  // namespace adit::validator
