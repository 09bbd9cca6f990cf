// SPDX-License-Identifier: MIT
// common/protocol/verdict.hpp
//
// The judgement of one miner's answer: an exhaustive enum with one table of names, penalties,
// metric labels and a sentence that the miner can act on. Judging a peer is data; our own failure
// is an Error.
//
// Out      every enumerator has exactly one row, in the enum's order (static_assert below).
// Threads  constants.
// Source   design: receipts and audit ("Verdicts", "Faults, refusals")
// Tests    tests/unit/common/protocol/verdict_test.cpp
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace adit::protocol {

enum class Verdict : std::uint8_t {
  kExact = 0,
  kNoReply,
  kLate,
  kRefused,
  kBadEnvelope,
  kWrongCard,
  kMalformedReceipt,
  kEquivocation,
  kTokenMismatch,
  kTraceMismatch,
  kMalformedOpening,
  kPathMismatch,
  kRangeViolation,
  kLinearMismatch,
  kAttentionMismatch,
  kResidualMismatch,
  kSelectionMismatch,
  kOpeningRefused,
  kTraceFault,
  kWrongAnswer,
};

// What a verdict does to the score of its question and to the window around it.
enum class Penalty : std::uint8_t {
  // Paid.
  kNone = 0,
  // This question scores 0 in the same mean as all others.
  kZeroQuestion,
  // As kZeroQuestion; free of suspicion only within the allowance (2 of 100 audits), then
  // kZeroWindow.
  kAllowance,
  // A proved mismatch: the whole window scores 0.
  kZeroWindow,
};

struct VerdictRow {
  Verdict verdict;
  std::string_view name;
  Penalty penalty;
  std::string_view metric;
  std::string_view sentence;
};

inline constexpr std::array<VerdictRow, 20> kVerdicts{{
    {Verdict::kExact, "kExact", Penalty::kNone, "exact",
     "The answer is bit for bit what the declared model gives."},
    {Verdict::kNoReply, "kNoReply", Penalty::kZeroQuestion, "no_reply",
     "No connection or no reply: check that the announced address is reachable and the process is "
     "running."},
    {Verdict::kLate, "kLate", Penalty::kZeroQuestion, "late",
     "The receipt came after the deadline: lower the load or serve with more threads."},
    {Verdict::kRefused, "kRefused", Penalty::kZeroQuestion, "refused",
     "The miner refused the request: check its quota, queue, stake threshold and metagraph "
     "freshness."},
    {Verdict::kBadEnvelope, "kBadEnvelope", Penalty::kZeroQuestion, "bad_envelope",
     "The receipt is not signed by the registered hotkey: check which hotkey the server was "
     "started with."},
    {Verdict::kWrongCard, "kWrongCard", Penalty::kZeroQuestion, "wrong_card",
     "The receipt names another model card than the one asked for: serve the pack that you "
     "registered."},
    {Verdict::kMalformedReceipt, "kMalformedReceipt", Penalty::kZeroQuestion, "malformed_receipt",
     "The receipt breaks its grammar, sizes, seed or stop rule: update the miner to this protocol "
     "version."},
    {Verdict::kEquivocation, "kEquivocation", Penalty::kZeroWindow, "equivocation",
     "Two different receipts were signed for one request: one hotkey must be served by one "
     "deterministic miner."},
    {Verdict::kTokenMismatch, "kTokenMismatch", Penalty::kZeroWindow, "token_mismatch",
     "A generated id is not the one that the declared model chooses: serve the declared pack and "
     "sampler."},
    {Verdict::kTraceMismatch, "kTraceMismatch", Penalty::kZeroWindow, "trace_mismatch",
     "The ids are right but the trace root differs: the forward pass is not the canonical one of "
     "the card."},
    {Verdict::kMalformedOpening, "kMalformedOpening", Penalty::kZeroWindow, "malformed_opening",
     "An audit opening has a wrong size or a value that is not finite: update the miner."},
    {Verdict::kPathMismatch, "kPathMismatch", Penalty::kZeroWindow, "path_mismatch",
     "An opened row does not fold to the committed root: the opening is of another trace."},
    {Verdict::kRangeViolation, "kRangeViolation", Penalty::kZeroWindow, "range_violation",
     "An opened accumulator is larger than the weights allow."},
    {Verdict::kLinearMismatch, "kLinearMismatch", Penalty::kZeroWindow, "linear_mismatch",
     "An opened linear layer is not the product of the declared weights and its input."},
    {Verdict::kAttentionMismatch, "kAttentionMismatch", Penalty::kZeroWindow, "attention_mismatch",
     "An opened attention row is not what the opened keys and values give."},
    {Verdict::kResidualMismatch, "kResidualMismatch", Penalty::kZeroWindow, "residual_mismatch",
     "The residual row that leaves an opened layer differs from the recomputed one."},
    {Verdict::kSelectionMismatch, "kSelectionMismatch", Penalty::kZeroWindow, "selection_mismatch",
     "The chosen positions, experts or ids differ from the recomputed choice."},
    {Verdict::kOpeningRefused, "kOpeningRefused", Penalty::kAllowance, "opening_refused",
     "The miner did not open an audited cell: keep the journal and answer challenges within the "
     "tempo."},
    {Verdict::kTraceFault, "kTraceFault", Penalty::kAllowance, "trace_fault",
     "The miner reported that its recomputed root differs: check memory and clocks for bit "
     "errors."},
    {Verdict::kWrongAnswer, "kWrongAnswer", Penalty::kZeroQuestion, "wrong_answer",
     "The computation is exact, the answer to the task is not correct."},
}};

namespace detail {
constexpr bool verdicts_in_order() {
  for (std::size_t i = 0; i < kVerdicts.size(); ++i) {
    if (static_cast<std::size_t>(kVerdicts[i].verdict) != i) return false;
  }
  return static_cast<std::size_t>(Verdict::kWrongAnswer) + 1 == kVerdicts.size();
}
}  // namespace detail
static_assert(detail::verdicts_in_order(), "one row per verdict, in the enum's order");

[[nodiscard]] constexpr const VerdictRow& row(Verdict verdict) {
  return kVerdicts[static_cast<std::size_t>(verdict)];
}
[[nodiscard]] constexpr std::string_view name(Verdict verdict) {
  return row(verdict).name;
}
[[nodiscard]] constexpr Penalty penalty(Verdict verdict) {
  return row(verdict).penalty;
}

// "kTokenMismatch" -> the verdict; empty for any other text (a ledger of a newer version, a typing
// error).
[[nodiscard]] constexpr std::optional<Verdict> parse_verdict(std::string_view text) {
  for (const VerdictRow& each : kVerdicts) {
    if (each.name == text) return each.verdict;
  }
  return std::nullopt;
}

}  // namespace adit::protocol
