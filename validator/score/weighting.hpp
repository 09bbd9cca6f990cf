// SPDX-License-Identifier: MIT
// validator/score/weighting.hpp
//
// From scores to the u16 weight vector of a step, by the charter's rule, in integer arithmetic.
//
// Rules    proportional: weight ∝ score.
//          winner_margin: everything to one hotkey. The incumbent (winner of the vector before) keeps it unless
//          another's mean value exceeds its own by margin_sigma standard errors of the difference.
// In       scores: from Scoreboard::scores. miners: uid and hotkey of this step's plan; a hotkey that is not
//          among them gets nothing (its uid may belong to somebody else by now).
// Out      uids ascending; values with 65535 for the largest; explicit zeros if the charter says so. No value
//          at all (empty vector) when every score is 0 and nothing is burnt: nobody is paid for nothing, and
//          the weights on chain stay as they are.
// Threads  pure.
// Source   design "Scoring"; u16 form: common/chain/weights.hpp
// Tests    tests/unit/validator/weighting_test.cpp
#pragma once

#include <optional>
#include <vector>

#include "validator/score/scoreboard.hpp"

namespace adit::validator {

enum class WeightRule : std::uint8_t { kProportional, kWinnerMargin };

struct WeightRules {
  WeightRule rule = WeightRule::kProportional;
  std::uint32_t margin_sigma_milli = 3000;
  std::uint32_t burn = 0;  // 1/65536 of all weight, to burn_uid
  Uid burn_uid = 0;
  bool explicit_zeros = true;
};

struct WeightVector {
  std::vector<Uid> uids;
  std::vector<std::uint16_t> values;
  bool operator==(const WeightVector&) const = default;
};

[[nodiscard]] WeightVector make_weights(const WeightRules& rules, const std::vector<HotkeyScore>& scores,
                                        const std::vector<PlannedMiner>& miners,
                                        const std::optional<AccountId>& incumbent);

// The hotkey that a vector pays most, lowest uid first; none for an empty vector.
[[nodiscard]] std::optional<AccountId> winner_of(const WeightVector& weights,
                                                 const std::vector<PlannedMiner>& miners);

// True if `challenger`'s mean value exceeds `incumbent`'s by sigma_milli/1000 standard errors of the difference.
[[nodiscard]] bool beats(const HotkeyScore& challenger, const HotkeyScore& incumbent,
                         std::uint32_t sigma_milli);

}  // namespace adit::validator
