// SPDX-License-Identifier: MIT
// common/crypto/hash.hpp
//
// The hash functions of the chain (BLAKE2b with 16, 32 and 64 byte digests), of request signing (SHA-2)
// and of this project's own records (personalised BLAKE2b-256).
//
// In       personal: at most 16 bytes, padded with zeros; it separates one use of the hash from another.
// Out      a digest as bytes. blake2b_128 is BLAKE2b with a 16-byte digest, not a shortened blake2b_256.
// Errors   none. A longer personal string, or a PersonalHash used after finish(), is a bug and aborts.
// Threads  functions: any. PersonalHash: one thread per object; a copy continues from the same point.
// Source   RFC 7693; personalisation: the BLAKE2 specification, section 2.8; FIPS 180-4
// Tests    tests/unit/common/crypto/hash_test.cpp
#pragma once

#include <string_view>

#include "common/base/bytes.hpp"

namespace adit::crypto {

[[nodiscard]] FixedBytes<16> blake2b_128(ByteView data);
[[nodiscard]] Hash256 blake2b_256(ByteView data);
[[nodiscard]] FixedBytes<64> blake2b_512(ByteView data);
[[nodiscard]] Hash256 sha256(ByteView data);
[[nodiscard]] FixedBytes<64> sha512(ByteView data);

// BLAKE2b-256 under a personalisation, fed in pieces.
class PersonalHash {
 public:
  explicit PersonalHash(std::string_view personal);
  PersonalHash& update(ByteView data);
  [[nodiscard]] Hash256 finish();

 private:
  alignas(64) FixedBytes<384> state_;
};

// PersonalHash of one piece.
[[nodiscard]] Hash256 b2(std::string_view personal, ByteView data);

}  // namespace adit::crypto
