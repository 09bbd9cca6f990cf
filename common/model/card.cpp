// SPDX-License-Identifier: MIT
#include "common/model/card.hpp"

#include <algorithm>

#include "common/crypto/hash.hpp"
#include "common/model/model_parts.hpp"

namespace adit::model {

protocol::Card card_of(const Pack& pack, const Hash256& adapter, KvForm kv) {
  const ModelConfig& config = pack.config();
  protocol::Card card;
  card.numerics = numerics_of(kv);
  card.base = pack.content_hash();
  card.adapter = adapter;
  card.tokenizer = crypto::blake2b_256(as_bytes(pack.tokenizer_json()));
  card.chat_template = crypto::blake2b_256(as_bytes(pack.chat_template()));
  card.layers = static_cast<std::uint32_t>(config.layers);
  card.hidden = static_cast<std::uint32_t>(config.hidden);
  card.ffn = static_cast<std::uint32_t>(config.ffn);
  card.heads = static_cast<std::uint32_t>(config.heads);
  card.kv_heads = static_cast<std::uint32_t>(config.kv_heads);
  card.head_dim = static_cast<std::uint32_t>(config.head_dim);
  card.vocabulary = static_cast<std::uint32_t>(config.vocab);
  card.context = static_cast<std::uint32_t>(config.context);
  for (const Part& part : model_parts(config)) {
    if (part.kind != PartKind::kLinear || part.layer < 0) continue;
    card.planes.push_back(static_cast<std::uint8_t>(pack.linear(part.name)->act));
  }
  card.planes.push_back(static_cast<std::uint8_t>(pack.head().act));
  card.stop_ids = config.stop_ids;
  std::sort(card.stop_ids.begin(), card.stop_ids.end());
  card.stop_ids.erase(std::unique(card.stop_ids.begin(), card.stop_ids.end()), card.stop_ids.end());
  return card;
}

}  // namespace adit::model
