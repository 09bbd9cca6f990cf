// SPDX-License-Identifier: MIT
// common/crypto/ed25519.hpp
//
// Ed25519 signatures and the chain's hard derivation for them.
//
// In       private key: 32-byte seed || 32-byte public key.
// Errors   verify: false, also for small-order or non-canonical keys and non-canonical s.
// Threads  pure; any thread.
// Source   RFC 8032; libsodium; polkadot-sdk substrate/primitives/core/src/ed25519.rs (derive_hard_junction)
// Tests    tests/unit/common/crypto/keypair_test.cpp
#pragma once

#include "common/base/bytes.hpp"
#include "common/base/strong.hpp"
#include "common/crypto/secret.hpp"

namespace adit::crypto::ed25519 {

[[nodiscard]] Secret from_seed(ByteView seed32);
[[nodiscard]] AccountId public_key_of(const Secret& private_key);
[[nodiscard]] Secret derive_hard(const Secret& private_key, const FixedBytes<32>& code);
[[nodiscard]] FixedBytes<64> sign(const Secret& private_key, ByteView message);
[[nodiscard]] bool verify(const AccountId& public_key, ByteView message, ByteView signature);

}  // namespace adit::crypto::ed25519
