// SPDX-License-Identifier: MIT
#include "validator/charter/lint.hpp"

#include <string>
#include <unordered_map>

#include "common/base/rng.hpp"

namespace adit::validator {

std::uint64_t equal_prompt_pairs(std::span<const TaskRule> rules) {
  SeededRng rng(0);
  std::unordered_map<std::string, std::uint64_t> seen;
  std::uint64_t pairs = 0;
  for (std::uint64_t i = 0; i < kLintSamples; ++i) {
    Hash256 seed;
    rng.fill(seed);
    pairs += seen[make_task(rules, seed).prompt]++;
  }
  return pairs;
}

Result<void> lint(const Charter& charter) {
  if (charter.rules.score.exact == 0 && charter.rules.score.correct == 0) {
    return failed_precondition("score.exact and score.correct are both 0: no answer is worth anything");
  }
  if (charter.sampling.temperature_milli != 0) return {};
  // A question meets the per_step - 1 others with probability pairs / all pairs each.
  const std::uint64_t pairs = equal_prompt_pairs(charter.tasks);
  const std::uint64_t all_pairs = kLintSamples * (kLintSamples - 1) / 2;
  const std::uint64_t met = pairs * (charter.questions_per_step - 1);
  if (met * kSharedOneIn <= all_pairs) return {};
  return failed_precondition(
      "queries.temperature is 0 and one question in {} is asked of two miners in the same step: a copied "
      "answer "
      "would be as good as a computed one; raise the temperature or the levels, or lower queries.per_step",
      std::max<std::uint64_t>(1, all_pairs / met));
}

}  // namespace adit::validator
