// SPDX-License-Identifier: MIT
// common/crypto/twox.hpp
//
// The hashers of the chain's storage keys.
//
// Out      twox128(x) = xxh64(x, seed 0) LE || xxh64(x, seed 1) LE. The _concat forms put the key itself
//          behind its hash, so that a key can be read back from storage.
// Errors   none.
// Threads  pure; any thread. Not for secrets: xxh64 is not a cryptographic hash.
// Source   docs.polkadot.com "Transparent hashing algorithms"; xxhash.com
// Tests    tests/unit/common/crypto/hash_test.cpp
#pragma once

#include <cstdint>

#include "common/base/bytes.hpp"

namespace adit::crypto {

[[nodiscard]] std::uint64_t xxh64(ByteView data, std::uint64_t seed);
[[nodiscard]] FixedBytes<16> twox128(ByteView data);
[[nodiscard]] Bytes twox64_concat(ByteView key);
[[nodiscard]] Bytes blake2_128_concat(ByteView key);

}  // namespace adit::crypto
