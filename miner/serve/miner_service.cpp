// SPDX-License-Identifier: MIT
#include "miner/serve/miner_service.hpp"

#include <algorithm>
#include <utility>

#include "common/crypto/ss58.hpp"
#include "common/log/log.hpp"

namespace adit::miner {

MinerService::MinerService(ServiceParts parts)
    : parts_(std::move(parts)),
      card_hash_(protocol::card_hash(parts_.source.card())),
      context_max_(parts_.context_max == 0
                       ? parts_.source.card().context
                       : std::min(parts_.context_max, parts_.source.card().context)) {}

Result<void> MinerService::admit(const net::Caller& caller) {
  auto allowed = parts_.admission.may_call(caller.hotkey);
  if (!allowed) {
    ADIT_LOG(kDebug, "call_refused", {"peer", caller.peer},
             {"hotkey", crypto::ss58_encode(caller.hotkey)}, {"reason", allowed.error().message});
  }
  return allowed;
}

Result<protocol::Description> MinerService::describe(const net::Caller&) {
  const Load load = parts_.source.load();
  const protocol::Card& card = parts_.source.card();
  return protocol::Description{.card = card,
                               .model_name = parts_.source.model_name(),
                               .software = parts_.software,
                               .hotkey = parts_.hotkey.account(),
                               .context = context_max_,
                               .batch_max = load.batch_max,
                               .queue_max = load.queue_max,
                               .running = load.running,
                               .waiting = load.waiting};
}

Result<void> MinerService::check(const protocol::GenerateRequest& request) const {
  if (request.card != card_hash_) {
    return failed_precondition("this miner serves card {}, asked for {}", to_hex(card_hash_),
                               to_hex(request.card));
  }
  const auto& charters = parts_.charters;
  if (!charters.empty() &&
      std::find(charters.begin(), charters.end(), request.charter) == charters.end()) {
    return failed_precondition("this miner does not work for charter {}", to_hex(request.charter));
  }
  const protocol::Card& card = parts_.source.card();
  if (request.prompt.size() + request.max_tokens > context_max_) {
    return invalid_argument("prompt of {} and max_tokens {}, expected together at most {}",
                            request.prompt.size(), request.max_tokens, context_max_);
  }
  for (std::size_t i = 0; i < request.prompt.size(); ++i) {
    if (static_cast<std::uint32_t>(request.prompt[i]) >= card.vocabulary) {
      return invalid_argument("prompt[{}]: {}, expected a token id below {}", i, request.prompt[i],
                              card.vocabulary);
    }
  }
  return {};
}

Result<protocol::Receipt> MinerService::generate(const net::Caller& caller,
                                                 const protocol::GenerateRequest& request,
                                                 net::TokenSink& sink) {
  ADIT_TRY_VOID(check(request));
  ADIT_TRY(const Admission::Ticket ticket, parts_.admission.take(caller.hotkey));
  const std::uint64_t start_ns = parts_.clock.steady_ns();
  const Question question{
      .caller = caller.hotkey,
      .request = request,
      .request_hash = protocol::request_hash(request),
      .seed = protocol::seed_of(request, caller.hotkey, parts_.hotkey.account())};
  ADIT_TRY(Answer answer, parts_.source.answer(question, sink));
  protocol::ReceiptCore core{.card = request.card,
                             .request = question.request_hash,
                             .seed = question.seed,
                             .n_p = static_cast<std::uint32_t>(request.prompt.size()),
                             .n_g = static_cast<std::uint32_t>(answer.ids.size()),
                             .ids = std::move(answer.ids),
                             .finish = answer.finish,
                             .trace_root = answer.trace_root};
  ADIT_TRY(protocol::Receipt receipt, protocol::sign_receipt(std::move(core), parts_.hotkey));
  const auto kept = parts_.journal.append({.time_ns = parts_.clock.now_ns(),
                                           .caller = caller.hotkey,
                                           .request = request,
                                           .receipt = receipt});
  if (!kept) {
    ADIT_LOG(kError, "journal_failed", {"reason", kept.error().message});
    return internal_error("the receipt could not be journalled");
  }
  ADIT_LOG(kInfo, "answered", {"hotkey", crypto::ss58_encode(caller.hotkey)},
           {"prompt_tokens", receipt.core.n_p}, {"tokens", receipt.core.n_g},
           {"ms", (parts_.clock.steady_ns() - start_ns) / 1'000'000});
  return receipt;
}

}  // namespace adit::miner
