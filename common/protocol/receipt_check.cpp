// SPDX-License-Identifier: MIT
#include "common/protocol/receipt_check.hpp"

#include <algorithm>
#include <utility>

namespace adit::protocol {
namespace {

Judgement malformed(std::string detail) {
  return {Verdict::kMalformedReceipt, std::move(detail)};
}

// A stop id ends the answer and occurs nowhere else in it; otherwise the answer has all max_tokens.
Judgement check_end(const ReceiptCore& core, const ReceiptExpectation& expected) {
  const auto is_stop = [&](TokenId id) {
    return std::find(expected.stop_ids.begin(), expected.stop_ids.end(), id) !=
           expected.stop_ids.end();
  };
  for (std::size_t i = 0; i + 1 < core.ids.size(); ++i) {
    if (is_stop(core.ids[i])) {
      return malformed(
          fmt::format("ids[{}]: {} is a stop id, but the answer goes on", i, core.ids[i]));
    }
  }
  const bool stopped = is_stop(core.ids.back());
  if (stopped != (core.finish == FinishReason::kStop)) {
    return malformed(fmt::format("finish reason {}, but the last id {} is {}a stop id",
                                 static_cast<int>(core.finish), core.ids.back(),
                                 stopped ? "" : "not "));
  }
  if (!stopped && core.n_g != expected.request.max_tokens) {
    return malformed(fmt::format("n_g: {}, expected max_tokens {} as no stop id was chosen",
                                 core.n_g, expected.request.max_tokens));
  }
  return {};
}

}  // namespace

Judgement check_receipt(const Receipt& receipt, const ReceiptExpectation& expected) {
  if (receipt.miner != expected.miner) {
    return {Verdict::kBadEnvelope, "the receipt is by another hotkey than the one asked"};
  }
  if (receipt.scheme != expected.scheme) {
    return {Verdict::kBadEnvelope,
            "the receipt is signed under another scheme than the pinned one"};
  }
  if (!has_valid_signature(receipt))
    return {Verdict::kBadEnvelope, "the receipt's signature is wrong"};
  const ReceiptCore& core = receipt.core;
  if (core.card != expected.request.card) {
    return {Verdict::kWrongCard,
            fmt::format("card {}, expected {}", to_hex(core.card), to_hex(expected.request.card))};
  }
  if (core.request != request_hash(expected.request))
    return malformed("request: another request's hash");
  if (core.seed != seed_of(expected.request, expected.validator, expected.miner)) {
    return malformed("seed: not the seed of this question");
  }
  if (core.n_p != expected.request.prompt.size()) {
    return malformed(fmt::format("n_p: {}, expected {}", core.n_p, expected.request.prompt.size()));
  }
  if (core.n_g == 0 || core.n_g != core.ids.size() || core.n_g > expected.request.max_tokens) {
    return malformed(fmt::format("n_g: {} with {} ids, expected 1 to {}", core.n_g, core.ids.size(),
                                 expected.request.max_tokens));
  }
  for (std::size_t i = 0; i < core.ids.size(); ++i) {
    if (core.ids[i] < 0 || static_cast<std::uint32_t>(core.ids[i]) >= expected.vocabulary) {
      return malformed(
          fmt::format("ids[{}]: {}, expected below {}", i, core.ids[i], expected.vocabulary));
    }
  }
  return check_end(core, expected);
}

}  // namespace adit::protocol
