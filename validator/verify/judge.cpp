// SPDX-License-Identifier: MIT
#include "validator/verify/judge.hpp"

#include "common/protocol/wire.hpp"

namespace adit::validator {
namespace {

using protocol::Verdict;

// A peer's text goes into the ledger only so far.
constexpr std::size_t kDetailCharsMax = 300;

std::string where(const Comparison& difference, const protocol::ReceiptCore& core) {
  if (!difference.token_position) return "all ids are the canonical choice; the trace root differs";
  const std::uint32_t at = *difference.token_position;
  return fmt::format("generated token {}: got id {}, the canonical choice is {}", at,
                     at < core.ids.size() ? core.ids[at] : -1, difference.expected);
}

}  // namespace

Result<JudgedRow> Judge::judge(const Answered& answered) {
  const AskedRow& asked = answered.question.asked;
  const Reply& reply = answered.reply;
  JudgedRow row{.step = asked.step, .slot = asked.slot, .uid = asked.uid, .hotkey = asked.hotkey,
                .verdict = reply.verdict, .latency_ms = reply.latency_ms};
  row.detail = reply.detail.substr(0, kDetailCharsMax);
  if (!reply.receipt) return row;
  const protocol::Receipt& receipt = *reply.receipt;
  row.receipt = protocol::encode_chunk(receipt);
  const protocol::Judgement shape = protocol::check_receipt(
      receipt, {.request = answered.question.request, .validator = context_.validator, .miner = asked.hotkey,
                .vocabulary = context_.vocabulary, .stop_ids = context_.stop_ids});
  row.verdict = shape.verdict;
  row.detail = shape.detail;
  if (shape.verdict != Verdict::kExact) return row;
  ADIT_TRY(const Comparison comparison, replayer_.replay(answered.question.request, receipt.core));
  if (!comparison.exact) {
    row.verdict = comparison.token_position ? Verdict::kTokenMismatch : Verdict::kTraceMismatch;
    row.detail = where(comparison, receipt.core);
    return row;
  }
  row.tokens = receipt.core.n_g;
  row.verdict = context_.is_right(asked, receipt.core.ids) ? Verdict::kExact : Verdict::kWrongAnswer;
  return row;
}

}  // namespace adit::validator
