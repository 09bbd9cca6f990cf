// SPDX-License-Identifier: MIT
// validator/score/scoreboard.hpp
//
// From judged answers to one score a hotkey: a fold over the ledger's rows in integer arithmetic, so that the
// same rows give the same scores on every machine.
//
// Formula  value  = exact + (right ? correct + speed_bonus_max·(deadline - latency)/deadline : 0)  [1/65536]
//                   for an answer proved exact (kExact: right, kWrongAnswer: not right); 0 for any other
//          earned = Σ value·tokens over the hotkey's answers of the window, times cap/Σtokens above the cap
//          score  = earned / number of questions asked in the window (all floors)
//          A proved mismatch in the window makes the score 0. A step in which no miner at all replied says
//          that we were cut off: its questions count for nobody. Not asked is not zero.
// Units    values in 1/65536; tokens generated tokens; latency and deadline ms.
// In       rows in ledger order; a row of an unknown step is accepted (its plan may lie before the window).
// Threads  one.
// Tests    tests/unit/validator/scoreboard_test.cpp
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <vector>

#include "common/base/strong.hpp"
#include "validator/store/rows.hpp"

namespace adit::validator {

struct ScoreRules {
  std::uint32_t exact = 32768;            // 1/65536
  std::uint32_t correct = 32768;          // 1/65536
  std::uint32_t speed_bonus_max = 16384;  // 1/65536
  std::uint64_t cap_tokens = 200'000;     // verified tokens a hotkey in the window that pay in full
  std::uint32_t window_steps = 3;
  std::uint64_t deadline_ms = 30'000;
};

struct HotkeyScore {
  AccountId hotkey{};
  std::uint64_t score = 0;
  std::uint32_t asked = 0;
  std::uint32_t exact = 0;
  std::uint32_t correct = 0;
  std::uint64_t tokens = 0;
  bool zeroed = false;  // a proved mismatch lies in the window
  std::map<protocol::Verdict, std::uint32_t> verdicts;
  std::vector<std::uint64_t> values;  // value·tokens of each counted answer, for the error of the mean
};

class Scoreboard {
 public:
  explicit Scoreboard(const ScoreRules& rules) : rules_(rules) {}
  void apply(const JudgedRow& row);
  // Scores of every hotkey asked in the steps step - window + 1 … step, in order of hotkey bytes.
  [[nodiscard]] std::vector<HotkeyScore> scores(std::uint64_t step) const;
  // The value of one answer, in 1/65536.
  [[nodiscard]] std::uint64_t value_of(const JudgedRow& row) const;

 private:
  struct Answer {
    AccountId hotkey{};
    protocol::Verdict verdict{};
    std::uint64_t tokens = 0;
    std::uint64_t value = 0;
  };
  void forget_before(std::uint64_t step);

  ScoreRules rules_;
  std::map<std::uint64_t, std::vector<Answer>> steps_;
};

}  // namespace adit::validator
