// SPDX-License-Identifier: MIT
// validator/charter/lint.hpp
//
// What a charter allows by its keys but no subnet should run.
//
// In       a charter that was read without error.
// Errors   kFailedPrecondition, one sentence that says what to change. Refused: a charter where no answer is
//          worth anything (exact and correct are both 0); temperature 0 with shared prompts. At temperature 0
//          the seed changes nothing, so two miners with the same prompt owe the same answer and a copy cannot
//          be told from work: at most one question in kSharedOneIn may be asked of two miners in one step.
// Exact    counted on kLintSamples tasks with fixed seeds: the same verdict on every machine.
// Threads  pure.
// Source   design "Receipts and audit", Objects: prompts differ per hotkey
// Tests    tests/unit/validator/charter_check_test.cpp
#pragma once

#include "common/base/result.hpp"
#include "validator/charter/charter.hpp"

namespace adit::validator {

inline constexpr std::uint64_t kLintSamples = 4096;
inline constexpr std::uint64_t kSharedOneIn = 100;

// Pairs of equal prompts among kLintSamples tasks of these rules.
[[nodiscard]] std::uint64_t equal_prompt_pairs(std::span<const TaskRule> rules);

[[nodiscard]] Result<void> lint(const Charter& charter);

}  // namespace adit::validator
