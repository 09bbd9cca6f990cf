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

#include "common/model/pack.hpp"
#include "common/protocol/messages.hpp"

namespace adit::model {

[[nodiscard]] protocol::Card card_of(const Pack& pack);

}  // namespace adit::model
