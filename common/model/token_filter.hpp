// SPDX-License-Identifier: MIT
// common/model/token_filter.hpp
//
// A declared deterministic filter: which ids the next choice may take, before every other filter.
//
// In       the ids that were chosen, in order.
// Out      allowed: one bit an id, bit (id % 64) of word (id / 64), ceil(vocab / 64) words, valid until the
//          next call. No words at all: no id can go on; the sequence ends there with FinishReason::kDeadEnd.
// Exact    a function of the ids so far only, so that whoever has the filter's declaration can repeat it.
// Threads  one thread at a time (the engine's).
// Source   kernels/NUMERICS.md, "Sampling"
// Tests    tests/unit/common/model/token_filter_test.cpp; common/model/constraint is one
#pragma once

#include <cstdint>
#include <span>

#include "common/base/strong.hpp"

namespace adit::model {

using AllowedIds = std::span<const std::uint64_t>;

class TokenFilter {
 public:
  virtual ~TokenFilter() = default;
  [[nodiscard]] virtual AllowedIds allowed() = 0;
  virtual void advance(TokenId chosen) = 0;
};

}  // namespace adit::model
