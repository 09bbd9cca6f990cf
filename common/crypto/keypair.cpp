// SPDX-License-Identifier: MIT
#include "common/crypto/keypair.hpp"

#include <algorithm>

#include "common/crypto/ed25519.hpp"
#include "common/crypto/mnemonic.hpp"
#include "common/crypto/sr25519.hpp"
#include "common/crypto/ss58.hpp"
#include "common/crypto/uri.hpp"

namespace adit::crypto {
namespace {

// Printed in the documentation of every Substrate chain; worth nothing, and the root of //Alice.
constexpr std::string_view kDevelopmentPhrase =
    "bottom drive obey lake curtain smoke basket hold race lonely fit walk";

Secret private_key_of_seed(Scheme scheme, ByteView seed32) {
  return scheme == Scheme::kSr25519 ? sr25519::expand(seed32) : ed25519::from_seed(seed32);
}

AccountId public_key_of(Scheme scheme, const Secret& private_key) {
  return scheme == Scheme::kSr25519 ? sr25519::public_key_of(private_key)
                                    : ed25519::public_key_of(private_key);
}

// The seed of a URI's first part: "0x" and 64 hex digits, or a phrase.
Result<Secret> seed_of(std::string_view phrase, std::string_view password) {
  if (!phrase.starts_with("0x")) {
    return seed_from_mnemonic(phrase.empty() ? kDevelopmentPhrase : phrase, password);
  }
  auto seed = secret_from_hex(phrase, 32);
  if (!seed) return tl::unexpected(seed.error().context("seed"));
  return seed;
}

Result<Secret> derive(Scheme scheme, const Secret& key, const Junction& junction, std::size_t number) {
  if (scheme == Scheme::kSr25519) {
    if (junction.hard) return sr25519::derive_hard(key, junction.code);
    return sr25519::derive_soft(key, junction.code);
  }
  if (!junction.hard) {
    return invalid_argument("key path: junction {} is soft (/); ed25519 has only hard ones (//)", number);
  }
  return ed25519::derive_hard(key, junction.code);
}

}  // namespace

std::string_view name(Scheme scheme) {
  switch (scheme) {
    case Scheme::kEd25519: return "ed25519";
    case Scheme::kSr25519: return "sr25519";
  }
  return "unknown";
}

Result<Keypair> Keypair::from_seed(Scheme scheme, ByteView seed32) {
  if (seed32.size() != 32) return invalid_argument("seed: expected 32 bytes, got {}", seed32.size());
  Secret key = private_key_of_seed(scheme, seed32);
  const AccountId public_key = public_key_of(scheme, key);
  return Keypair(scheme, public_key, std::move(key));
}

Result<Keypair> Keypair::from_mnemonic(Scheme scheme, std::string_view phrase, std::string_view password) {
  ADIT_TRY(const Secret seed, seed_from_mnemonic(phrase, password));
  return from_seed(scheme, seed.view());
}

Result<Keypair> Keypair::from_uri(Scheme scheme, std::string_view uri) {
  ADIT_TRY(const SecretUri parts, parse_secret_uri(uri));
  ADIT_TRY(const Secret seed, seed_of(parts.phrase, parts.password));
  Secret key = private_key_of_seed(scheme, seed.view());
  for (std::size_t i = 0; i < parts.path.size(); ++i) {
    ADIT_TRY(key, derive(scheme, key, parts.path[i], i + 1));
  }
  const AccountId public_key = public_key_of(scheme, key);
  return Keypair(scheme, public_key, std::move(key));
}

Result<Keypair> Keypair::from_private_key(Scheme scheme, ByteView private_key64) {
  if (private_key64.size() != 64) {
    return invalid_argument("private key: expected 64 bytes, got {}", private_key64.size());
  }
  if (scheme == Scheme::kEd25519) {
    ADIT_TRY(Keypair pair, from_seed(scheme, private_key64.first(32)));
    if (!std::ranges::equal(pair.public_key(), private_key64.last(32))) {
      return invalid_argument("private key: its second half is not the public key of its first");
    }
    return pair;
  }
  if (!sr25519::is_private_key(private_key64)) {
    return invalid_argument("private key: the scalar is zero or not in canonical form");
  }
  Secret key = Secret::copy_of(private_key64);
  const AccountId public_key = sr25519::public_key_of(key);
  return Keypair(scheme, public_key, std::move(key));
}

std::string Keypair::ss58() const { return ss58_encode(public_key_); }

Signature Keypair::sign(ByteView message, Rng& rng) const {
  if (scheme_ == Scheme::kEd25519) return ed25519::sign(private_key_, message);
  return sr25519::sign(private_key_, public_key_, message, rng);
}

bool verify(Scheme scheme, const AccountId& public_key, ByteView message, ByteView signature) {
  switch (scheme) {
    case Scheme::kEd25519: return ed25519::verify(public_key, message, signature);
    case Scheme::kSr25519: return sr25519::verify(public_key, message, signature);
  }
  return false;
}

}  // namespace adit::crypto
