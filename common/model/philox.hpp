// SPDX-License-Identifier: MIT
// common/model/philox.hpp
//
// Philox4x32-10: random words as a pure function of a counter and a key.
//
// In       counter of four words, key of two.
// Out      four uniform words.
// Threads  pure.
// Source   Salmon, Moraes, Dror, Shaw: "Parallel random numbers: as easy as 1, 2, 3" (SC 2011),
// section 3.3 Tests    tests/unit/common/model/sampler_test.cpp (known answers published with
// Random123)
#pragma once

#include <array>
#include <cstdint>

namespace adit::model {

using PhiloxCounter = std::array<std::uint32_t, 4>;
using PhiloxKey = std::array<std::uint32_t, 2>;

[[nodiscard]] constexpr PhiloxCounter philox4x32_10(PhiloxCounter c, PhiloxKey k) {
  for (int round = 0; round < 10; ++round) {
    const std::uint64_t a = std::uint64_t{0xD2511F53U} * c[0];
    const std::uint64_t b = std::uint64_t{0xCD9E8D57U} * c[2];
    c = {static_cast<std::uint32_t>(b >> 32) ^ c[1] ^ k[0], static_cast<std::uint32_t>(b),
         static_cast<std::uint32_t>(a >> 32) ^ c[3] ^ k[1], static_cast<std::uint32_t>(a)};
    k[0] += 0x9E3779B9U;
    k[1] += 0xBB67AE85U;
  }
  return c;
}

}  // namespace adit::model
