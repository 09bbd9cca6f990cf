// SPDX-License-Identifier: MIT
#include "validator/commands/explain.hpp"

#include <algorithm>
#include <deque>

#include "common/crypto/ss58.hpp"

namespace adit::validator {
namespace {

void print_answers(std::ostream& out, const std::deque<JudgedRow>& answers, const Scoreboard& board) {
  for (const JudgedRow& row : answers) {
    out << fmt::format("  step {} slot {}: {}, {} tokens in {} ms, value {}/65536{}{}\n", row.step, row.slot,
                       protocol::name(row.verdict), row.tokens, row.latency_ms, board.value_of(row),
                       row.detail.empty() ? "" : ": ", row.detail);
    if (protocol::penalty(row.verdict) != protocol::Penalty::kNone) {
      out << fmt::format("    {}\n", protocol::row(row.verdict).sentence);
    }
  }
}

void print_sum(std::ostream& out, const HotkeyScore& score, const ScoreRules& rules) {
  if (score.zeroed) {
    out << "score 0: a proved mismatch lies in the window and zeroes all of it\n";
    return;
  }
  std::uint64_t earned = 0;
  for (const std::uint64_t value : score.values) earned += value;
  out << fmt::format("earned {} (value x tokens), {} verified tokens (cap {}), {} questions counted\n",
                     earned, score.tokens, rules.cap_tokens, score.asked);
  out << fmt::format("score {} = earned / questions\n", score.score);
}

void print_weight(std::ostream& out, const LedgerState& state, Uid uid) {
  const WeightVector now = state.weights_now();
  for (std::size_t i = 0; i < now.uids.size(); ++i) {
    if (now.uids[i] == uid) out << fmt::format("weight by the rules now: {} of 65535\n", now.values[i]);
  }
  if (!state.landed()) {
    out << "no weight vector has landed on chain yet\n";
    return;
  }
  for (std::size_t i = 0; i < state.landed()->uids.size(); ++i) {
    if (state.landed()->uids[i] == uid) {
      out << fmt::format("weight on chain: {} of 65535 (step {})\n", state.landed()->values[i],
                         state.landed()->step);
    }
  }
}

}  // namespace

Result<void> explain(std::ostream& out, const Ledger& ledger, const Rules& rules, Uid uid) {
  LedgerState state(rules);
  std::deque<JudgedRow> answers;
  const auto fold = [&](const Row& row) -> Result<void> {
    if (row.kind == RowKind::kJudged) {
      ADIT_TRY(answers.emplace_back(), decode_judged(row.body));
    }
    return state.apply(row);
  };
  ADIT_TRY_VOID(ledger.walk(1, fold));
  const PlannedMiner* miner = nullptr;
  if (state.plan()) {
    for (const PlannedMiner& each : state.plan()->miners) {
      if (each.uid == uid) miner = &each;
    }
  }
  if (miner == nullptr) return not_found("uid {}: not among the miners of the newest step", uid);
  const std::uint64_t step = state.plan()->step;
  std::erase_if(answers, [&](const JudgedRow& row) {
    return row.hotkey != miner->hotkey || row.step + rules.score.window_steps <= step;
  });
  out << fmt::format("uid {} hotkey {}\nwindow: steps {} to {}\n", uid, crypto::ss58_encode(miner->hotkey),
                     step + 1 > rules.score.window_steps ? step + 1 - rules.score.window_steps : 0, step);
  print_answers(out, answers, Scoreboard(rules.score));
  const std::vector<HotkeyScore> scores = state.scores();
  const auto score = std::find_if(scores.begin(), scores.end(),
                                  [&](const HotkeyScore& s) { return s.hotkey == miner->hotkey; });
  if (score == scores.end()) {
    out << "no question of the window counts: nobody was reachable, or nothing is judged yet\n";
  } else {
    print_sum(out, *score, rules.score);
  }
  print_weight(out, state, uid);
  return {};
}

}  // namespace adit::validator
