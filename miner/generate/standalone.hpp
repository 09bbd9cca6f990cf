// SPDX-License-Identifier: MIT
// miner/generate/standalone.hpp
//
// The request that stands for a prompt nobody asked over the network, so that a generation on the
// terminal has the same kind of seed and trace root as a served one.
//
// In       a pack, perhaps an adapter, prompt ids, parameters, and the number given with --seed.
// Out      card: the pack's, with the adapter's hash if there is one. request: the canonical
//          request with these values, slot = the number, and zeros for charter, block hash, nonce
//          and audit commitment. seed: of that request with zeros for validator and miner. So the
//          result is a function of pack, adapter, prompt, parameters and number only.
// Threads  pure.
// Tests    tests/unit/miner/generate/generate_test.cpp
#pragma once

#include <cstdint>
#include <span>

#include "common/model/generator.hpp"
#include "common/model/pack.hpp"
#include "common/proof/trace.hpp"

namespace adit::miner {

[[nodiscard]] proof::TraceBinding standalone_binding(const model::Pack& pack, model::KvForm kv,
                                                     std::span<const TokenId> prompt,
                                                     const model::GenerateParams& params,
                                                     std::uint64_t seed_number,
                                                     const model::Adapter* adapter = nullptr);
// The same for a card whose hash is known.
[[nodiscard]] proof::TraceBinding standalone_binding(const Hash256& card,
                                                     std::span<const TokenId> prompt,
                                                     const model::GenerateParams& params,
                                                     std::uint64_t seed_number);

}  // namespace adit::miner
