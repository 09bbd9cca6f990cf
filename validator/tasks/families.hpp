// SPDX-License-Identifier: MIT
// validator/tasks/families.hpp
//
// The table of task families. Levels are meant for a model of about 135M parameters, which solves some.
//
//   facts.capital      1      the capital of a country (60 of them)
//   text.copy          1..4   repeat 2..5 given words
//   arithmetic.chain   1..5   1: a + b with b of two digits; 2: a × b up to 12 × 13; 3..5: that many terms
//   numbers.max        1..4   the largest of 3..6 numbers of 10..99 (levels 1, 2) or 10..199 (3, 4)
//   program.trace      1..5   the value of a variable after level + 2 assignments
//
// Guessing A constant, the commonest, a random or the echoed answer is right in at most 5 % of the tasks of
// any
//          family at any level.
// Threads  pure.
// Tests    tests/unit/validator/tasks_test.cpp
#pragma once

#include <span>
#include <string_view>

#include "common/base/rng.hpp"
#include "validator/tasks/task.hpp"

namespace adit::validator {

struct TaskFamily {
  std::string_view name;
  std::uint32_t level_max;
  AnswerType type;
  // Fills prompt and answer.
  void (*make)(SeededRng& rng, std::uint32_t level, Task& task);
};

[[nodiscard]] std::span<const TaskFamily> task_families();
// nullptr: no such family.
[[nodiscard]] const TaskFamily* find_family(std::string_view name);

}  // namespace adit::validator
