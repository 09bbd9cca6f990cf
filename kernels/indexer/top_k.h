// SPDX-License-Identifier: MIT
// kernels/indexer/top_k.h
//
// The k best of n scores.
//
// In       scores [n], no NaN; 1 <= k <= n.
// Out      chosen [k]: the first k positions in the order (score descending, position ascending), +0 = -0,
//          written in ascending order of position.
// Bound    three to four passes over the scores: radix selection, 11 bits at a time.
// Threads  none inside.
// Source   kernels/NUMERICS.md, "Token selection"
// Tests    tests/unit/kernels/indexer_test.cpp
#pragma once

#include <cstdint>

namespace adit::kernels {

void top_k(const float* scores, int n, int k, std::int32_t* chosen);

}  // namespace adit::kernels
