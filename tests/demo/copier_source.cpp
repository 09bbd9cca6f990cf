// SPDX-License-Identifier: MIT
#include "tests/demo/copier_source.hpp"

#include <algorithm>
#include <chrono>
#include <optional>
#include <thread>

#include "miner/serve/journal.hpp"

namespace adit::test {
namespace {

// How long the copier waits for its victim to answer first.
constexpr int kTries = 100;
constexpr std::chrono::milliseconds kPause{100};

// The answer to the question that looks most like this one: same caller, same slot if the victim
// was asked for it, else the newest.
std::optional<miner::JournalRecord> pick(const std::vector<miner::JournalRecord>& records,
                                         const miner::Question& question) {
  const auto like = [&](const miner::JournalRecord& each) {
    return each.request.block_hash == question.request.block_hash && each.caller == question.caller;
  };
  const auto same = std::find_if(records.rbegin(), records.rend(), like);
  if (same != records.rend()) return *same;
  return records.empty() ? std::nullopt : std::optional(records.back());
}

}  // namespace

Result<miner::Answer> CopierSource::answer(const miner::Question& question, net::TokenSink& sink) {
  std::optional<miner::JournalRecord> copied;
  for (int i = 0; i < kTries && !copied && !sink.cancelled(); ++i) {
    if (const auto content = miner::read_journal(journal_))
      copied = pick(content->records, question);
    if (!copied) std::this_thread::sleep_for(kPause);
  }
  if (!copied) return unavailable("nothing to copy yet");
  const auto is_stop = [&](TokenId id) {
    return std::find(card_.stop_ids.begin(), card_.stop_ids.end(), id) != card_.stop_ids.end();
  };
  miner::Answer out{
      .ids = copied->receipt.core.ids, .finish = {}, .trace_root = copied->receipt.core.trace_root};
  if (out.ids.size() > question.request.max_tokens) out.ids.resize(question.request.max_tokens);
  if (!is_stop(out.ids.back())) out.ids.resize(question.request.max_tokens, out.ids.front());
  out.finish =
      is_stop(out.ids.back()) ? protocol::FinishReason::kStop : protocol::FinishReason::kLength;
  if (!sink.send(out.ids)) return make_error(ErrorCode::kCancelled, "the caller is gone");
  return out;
}

}  // namespace adit::test
