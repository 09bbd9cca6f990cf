// SPDX-License-Identifier: MIT
// common/crypto/keypair.hpp
//
// A signing key of the chain, in either of its two schemes, and the check of a signature.
//
// In       seed: 32 bytes. phrase: BIP-39 English words.
//          uri: [phrase or 0x + seed]{//hard | /soft}[///password]; without a phrase the well-known
//          development phrase is used, so "//Alice" is a key that everyone has.
// Out      sr25519 signatures differ each time (hedged randomness); ed25519 signatures are deterministic.
// Errors   kInvalidArgument; never says more about a secret than its length or the number of a bad word.
// Threads  const members: any thread, if the Rng allows it. verify: any thread.
// Exact    verify is strict: one encoding per signature, weak public keys refused; the sr25519 signing
//          context is "substrate".
// Source   w3f/schnorrkel, paritytech/polkadot-sdk substrate/primitives/core; RFC 8032, RFC 9496
// Tests    tests/unit/common/crypto/{keypair,sr25519}_test.cpp, tests/vectors/sr25519-sig.json, btauth1.json
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "common/base/bytes.hpp"
#include "common/base/result.hpp"
#include "common/base/rng.hpp"
#include "common/base/strong.hpp"
#include "common/crypto/secret.hpp"

namespace adit::crypto {

// The numbers are those of MultiSignature on the chain and of cryptoType in key files.
enum class Scheme : std::uint8_t { kEd25519 = 0, kSr25519 = 1 };
using Signature = FixedBytes<64>;

// "ed25519", "sr25519"; static storage.
[[nodiscard]] std::string_view name(Scheme scheme);

class Keypair {
 public:
  [[nodiscard]] static Result<Keypair> from_seed(Scheme scheme, ByteView seed32);
  [[nodiscard]] static Result<Keypair> from_mnemonic(Scheme scheme, std::string_view phrase,
                                                     std::string_view password = "");
  [[nodiscard]] static Result<Keypair> from_uri(Scheme scheme, std::string_view uri);
  // sr25519: canonical scalar || nonce. ed25519: seed || public key.
  [[nodiscard]] static Result<Keypair> from_private_key(Scheme scheme, ByteView private_key64);

  [[nodiscard]] const AccountId& public_key() const { return public_key_; }
  [[nodiscard]] Scheme scheme() const { return scheme_; }
  [[nodiscard]] std::string ss58() const;
  [[nodiscard]] Signature sign(ByteView message, Rng& rng) const;
  // The 64 bytes that from_private_key takes.
  [[nodiscard]] ByteView private_key(SecretKeyAccess) const { return private_key_.view(); }

 private:
  Keypair(Scheme scheme, const AccountId& public_key, Secret private_key)
      : scheme_(scheme), public_key_(public_key), private_key_(std::move(private_key)) {}

  Scheme scheme_;
  AccountId public_key_;
  Secret private_key_;
};

[[nodiscard]] bool verify(Scheme scheme, const AccountId& public_key, ByteView message, ByteView signature);

}  // namespace adit::crypto
