// SPDX-License-Identifier: MIT
// common/crypto/keccak.hpp
//
// The Keccak-f[1600] permutation, the core that STROBE and so Merlin transcripts stand on.
//
// In/Out   25 lanes of 64 bits, lane (x, y) at index x + 5 y, permuted in place.
// Errors   none.
// Threads  pure; any thread. No branch or address depends on the data.
// Source   FIPS 202, section 3
// Tests    tests/unit/common/crypto/merlin_test.cpp
#pragma once

#include <array>
#include <cstdint>

namespace adit::crypto {

void keccak_f1600(std::array<std::uint64_t, 25>& lanes);

}  // namespace adit::crypto
