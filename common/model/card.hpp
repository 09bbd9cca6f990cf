// SPDX-License-Identifier: MIT
// common/model/card.hpp
//
// The card of a pack: the one declaration that miner and validator must agree on before anything else.
//
// Out      planes: the activation form of q, k, v, o, gate, up, down of each layer, then of the head.
// Threads  pure; any thread.
// Source   design "Receipts and audit", Objects; canonical bytes: proto/README.md
// Tests    tests/unit/common/model/card_test.cpp
#pragma once

#include "common/model/kv_form.hpp"
#include "common/model/pack.hpp"
#include "common/protocol/messages.hpp"

namespace adit::model {

// kv: how it is served, which makes the card's numerics.
// adapter: an Adapter's content hash; zero: none. Cards that miners declare to the subnet have none: validators hold
// no adapters to replay with. Local generations bind theirs with one, so that no two share a trace root.
[[nodiscard]] protocol::Card card_of(const Pack& pack, const Hash256& adapter = {},
                                     KvForm kv = KvForm::kF16);

}  // namespace adit::model
