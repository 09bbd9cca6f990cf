// SPDX-License-Identifier: MIT
// common/crypto/sr25519.hpp
//
// Schnorr signatures over ristretto255 with Merlin transcripts, as the chain's accounts use them.
//
// In       private key: 32-byte canonical scalar || 32-byte nonce seed. Mini secret: 32 bytes.
// Out      signatures R || s with the top bit of the last byte set.
// Errors   none but "not a key": std::nullopt / false.
// Threads  pure; any thread. No branch depends on a secret.
// Exact    verify refuses: an unmarked signature, s that is zero or not below the group order, a public key
//          that is the identity or no canonical encoding.
// Source   w3f/schnorrkel: keys.rs (Ed25519 expansion), sign.rs, derive.rs; RFC 9496; libsodium
// Tests    tests/unit/common/crypto/sr25519_test.cpp, tests/vectors/sr25519-sig.json
#pragma once

#include <optional>

#include "common/base/bytes.hpp"
#include "common/base/rng.hpp"
#include "common/base/strong.hpp"
#include "common/crypto/secret.hpp"

namespace adit::crypto::sr25519 {

using ChainCode = FixedBytes<32>;

// Mini secret to private key by SHA-512, clamping and division by the cofactor.
[[nodiscard]] Secret expand(ByteView mini_secret32);
// False: the scalar is zero or not canonical.
[[nodiscard]] bool is_private_key(ByteView private_key64);
[[nodiscard]] AccountId public_key_of(const Secret& private_key);
// False: not the encoding of a group element, or the identity.
[[nodiscard]] bool is_public_key(const AccountId& public_key);

[[nodiscard]] Secret derive_hard(const Secret& private_key, const ChainCode& code);
[[nodiscard]] Secret derive_soft(const Secret& private_key, const ChainCode& code);
// The public side of derive_soft: needs no secret. Nullopt: not a public key.
[[nodiscard]] std::optional<AccountId> derive_soft_public(const AccountId& public_key, const ChainCode& code);

[[nodiscard]] FixedBytes<64> sign(const Secret& private_key, const AccountId& public_key, ByteView message,
                                  Rng& rng);
[[nodiscard]] bool verify(const AccountId& public_key, ByteView message, ByteView signature);

}  // namespace adit::crypto::sr25519
