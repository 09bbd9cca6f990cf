// SPDX-License-Identifier: MIT
#include "validator/tasks/task.hpp"

#include "common/base/check.hpp"
#include "validator/tasks/families.hpp"

namespace adit::validator {

Task make_task(std::span<const TaskRule> rules, const Hash256& seed) {
  ADIT_CHECK(!rules.empty());
  SeededRng rng(load_le<std::uint64_t>(seed.data()));
  std::uint64_t total = 0;
  for (const TaskRule& rule : rules) total += rule.weight;
  std::uint64_t draw = rng.below(total);
  const TaskRule* chosen = rules.data();
  while (draw >= chosen->weight) draw -= (chosen++)->weight;
  const TaskFamily* family = find_family(chosen->family);
  ADIT_CHECK(family != nullptr && chosen->level_min <= chosen->level_max);
  Task task{.family = chosen->family, .type = family->type};
  task.level =
      chosen->level_min + static_cast<std::uint32_t>(rng.below(chosen->level_max - chosen->level_min + 1));
  family->make(rng, task.level, task);
  return task;
}

}  // namespace adit::validator
