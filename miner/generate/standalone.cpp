// SPDX-License-Identifier: MIT
#include "miner/generate/standalone.hpp"

#include "common/model/card.hpp"
#include "common/protocol/messages.hpp"

namespace adit::miner {

proof::TraceBinding standalone_binding(const model::Pack& pack, model::KvForm kv,
                                       std::span<const TokenId> prompt,
                                       const model::GenerateParams& params,
                                       std::uint64_t seed_number, const model::Adapter* adapter) {
  const Hash256 hash = adapter == nullptr ? Hash256{} : adapter->content_hash();
  return standalone_binding(protocol::card_hash(model::card_of(pack, hash, kv)), prompt, params, seed_number);
}

proof::TraceBinding standalone_binding(const Hash256& card, std::span<const TokenId> prompt,
                                       const model::GenerateParams& params,
                                       std::uint64_t seed_number) {
  protocol::GenerateRequest request;
  request.card = card;
  request.prompt.assign(prompt.begin(), prompt.end());
  request.max_tokens = params.max_tokens;
  request.sampling = {.temperature_milli = params.sampling.temperature_milli,
                      .top_p_65536 = params.sampling.top_p_65536,
                      .top_k = params.sampling.top_k,
                      .min_p_65536 = params.sampling.min_p_65536};
  request.slot = seed_number;
  return {.card = request.card,
          .request = protocol::request_hash(request),
          .seed = protocol::seed_of(request, AccountId{}, AccountId{})};
}

}  // namespace adit::miner
