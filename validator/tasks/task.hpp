// SPDX-License-Identifier: MIT
// validator/tasks/task.hpp
//
// A task: a question in words with one exact answer, made from a seed by a frozen generator.
//
// In       the charter's task rules (families, weights, levels) and a 32-byte seed (see step/secrets.hpp).
// Out      the same task for the same seed on every machine, for ever: golden vectors in
//          tests/vectors/tasks.
// Draws    splitmix64 from the seed's first 8 bytes (little-endian): family by weight, level, then the
//          family.
// Threads  pure.
// Tests    tests/unit/validator/tasks_test.cpp
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "common/answers/extraction.hpp"
#include "common/base/bytes.hpp"

namespace adit::validator {

using answers::AnswerType;

struct Task {
  std::string family;
  std::uint32_t level = 1;
  std::string prompt;  // the user's message
  std::string answer;  // canonical: "-12", "paris", "apple river"
  AnswerType type = AnswerType::kInteger;
  bool operator==(const Task&) const = default;
};

struct TaskRule {
  std::string family;
  std::uint32_t weight = 1;
  std::uint32_t level_min = 1;
  std::uint32_t level_max = 1;
  bool operator==(const TaskRule&) const = default;
};

// REQUIRES: rules is not empty, every family exists and its levels are within the family's.
[[nodiscard]] Task make_task(std::span<const TaskRule> rules, const Hash256& seed);

// The answer type of a family; kInteger for an unknown one.
[[nodiscard]] AnswerType answer_type(std::string_view family);

}  // namespace adit::validator
