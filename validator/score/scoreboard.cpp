// SPDX-License-Identifier: MIT
#include "validator/score/scoreboard.hpp"

#include <algorithm>

#include "common/base/wide.hpp"

namespace adit::validator {
namespace {

using protocol::Penalty;
using protocol::Verdict;

std::uint64_t first_of_window(std::uint64_t step, std::uint32_t window) {
  return step + 1 > window ? step + 1 - window : 0;
}

bool proved_exact(Verdict verdict) { return verdict == Verdict::kExact || verdict == Verdict::kWrongAnswer; }

std::uint64_t scale(std::uint64_t value, std::uint64_t by, std::uint64_t over) {
  return static_cast<std::uint64_t>(static_cast<Uint128>(value) * by / over);
}

}  // namespace

std::uint64_t Scoreboard::value_of(const JudgedRow& row) const {
  if (!proved_exact(row.verdict)) return 0;
  std::uint64_t value = rules_.exact;
  if (row.verdict == Verdict::kExact) {
    value += rules_.correct;
    if (row.latency_ms < rules_.deadline_ms) {
      value += scale(rules_.speed_bonus_max, rules_.deadline_ms - row.latency_ms, rules_.deadline_ms);
    }
  }
  return value;
}

void Scoreboard::forget_before(std::uint64_t step) { steps_.erase(steps_.begin(), steps_.lower_bound(step)); }

void Scoreboard::apply(const JudgedRow& row) {
  steps_[row.step].push_back({row.hotkey, row.verdict, row.tokens, value_of(row)});
  forget_before(first_of_window(steps_.rbegin()->first, rules_.window_steps));
}

std::vector<HotkeyScore> Scoreboard::scores(std::uint64_t step) const {
  std::map<AccountId, HotkeyScore> by_hotkey;
  std::map<AccountId, std::uint64_t> earned;
  for (auto it = steps_.lower_bound(first_of_window(step, rules_.window_steps));
       it != steps_.end() && it->first <= step; ++it) {
    const auto& answers = it->second;
    const bool cut_off = std::all_of(answers.begin(), answers.end(),
                                     [](const Answer& a) { return a.verdict == Verdict::kNoReply; });
    if (cut_off) continue;
    for (const Answer& answer : answers) {
      HotkeyScore& score = by_hotkey[answer.hotkey];
      score.hotkey = answer.hotkey;
      ++score.asked;
      ++score.verdicts[answer.verdict];
      score.values.push_back(answer.value * answer.tokens);
      if (proved_exact(answer.verdict)) {
        ++score.exact;
        score.correct += answer.verdict == Verdict::kExact ? 1 : 0;
        score.tokens += answer.tokens;
        earned[answer.hotkey] += answer.value * answer.tokens;
      }
      if (protocol::penalty(answer.verdict) == Penalty::kZeroWindow) score.zeroed = true;
    }
  }
  std::vector<HotkeyScore> out;
  for (auto& [hotkey, score] : by_hotkey) {
    std::uint64_t sum = earned[hotkey];
    if (score.tokens > rules_.cap_tokens) sum = scale(sum, rules_.cap_tokens, score.tokens);
    score.score = score.zeroed ? 0 : sum / score.asked;
    out.push_back(std::move(score));
  }
  return out;
}

}  // namespace adit::validator
