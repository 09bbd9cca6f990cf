// SPDX-License-Identifier: MIT
#include "common/crypto/sr25519.hpp"

#include <algorithm>

#include <sodium.h>

#include "common/base/check.hpp"
#include "common/crypto/merlin.hpp"
#include "common/crypto/sodium_init.hpp"

namespace adit::crypto::sr25519 {
namespace {

constexpr std::uint8_t kMark = 0x80;

// The group order 2^252 + 27742317777372353535851937790883648493, little-endian.
constexpr FixedBytes<32> kOrder = {0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7,
                                   0xa2, 0xde, 0xf9, 0xde, 0x14, 0,    0,    0,    0,    0,    0,
                                   0,    0,    0,    0,    0,    0,    0,    0,    0,    0x10};

// scalar < order, in constant time: the borrow of scalar - order.
bool is_canonical(const std::uint8_t* scalar) {
  unsigned borrow = 0;
  for (std::size_t i = 0; i < 32; ++i) borrow = (unsigned{scalar[i]} - kOrder[i] - borrow) >> 31;
  return borrow == 1;
}

bool is_canonical_nonzero(const std::uint8_t* scalar) {
  return is_canonical(scalar) && sodium_is_zero(scalar, 32) == 0;
}

Transcript signing_transcript(ByteView message) {
  Transcript transcript("SigningContext");
  transcript.append("", as_bytes("substrate"));
  transcript.append("sign-bytes", message);
  return transcript;
}

FixedBytes<32> challenge_scalar(Transcript& transcript, std::string_view label) {
  Wiped<64> wide;
  transcript.challenge(label, wide.bytes);
  FixedBytes<32> out;
  crypto_core_ristretto255_scalar_reduce(out.data(), wide.data());
  return out;
}

Transcript soft_transcript(const AccountId& public_key, const ChainCode& code) {
  Transcript transcript("SchnorrRistrettoHDKD");
  transcript.append("sign-bytes", {});
  transcript.append("chain-code", code);
  transcript.append("public-key", public_key);
  return transcript;
}

}  // namespace

Secret expand(ByteView mini_secret32) {
  ADIT_CHECK(mini_secret32.size() == 32);
  ensure_sodium();
  Secret key(64);
  std::uint8_t* h = key.bytes().data();
  crypto_hash_sha512(h, mini_secret32.data(), mini_secret32.size());
  h[0] &= 248;
  h[31] = static_cast<std::uint8_t>((h[31] & 63) | 64);
  // Divided by the cofactor 8, the clamped value is a canonical scalar.
  for (std::size_t i = 0; i < 32; ++i) {
    const unsigned above = i + 1 < 32 ? h[i + 1] : 0u;
    h[i] = static_cast<std::uint8_t>(h[i] >> 3 | above << 5);
  }
  return key;
}

bool is_private_key(ByteView private_key64) {
  return private_key64.size() == 64 && is_canonical_nonzero(private_key64.data());
}

AccountId public_key_of(const Secret& private_key) {
  ADIT_CHECK(is_private_key(private_key.view()));
  ensure_sodium();
  AccountId out;
  ADIT_CHECK(crypto_scalarmult_ristretto255_base(out.data(), private_key.view().data()) == 0);
  return out;
}

bool is_public_key(const AccountId& public_key) {
  return crypto_core_ristretto255_is_valid_point(public_key.data()) == 1 &&
         sodium_is_zero(public_key.data(), public_key.size()) == 0;
}

Secret derive_hard(const Secret& private_key, const ChainCode& code) {
  Transcript transcript("SchnorrRistrettoHDKD");
  transcript.append("sign-bytes", {});
  transcript.append("chain-code", code);
  transcript.append("secret-key", private_key.view().first(32));
  Wiped<32> mini_secret;
  transcript.challenge("HDKD-hard", mini_secret.bytes);
  return expand(mini_secret.bytes);
}

Secret derive_soft(const Secret& private_key, const ChainCode& code) {
  Transcript transcript = soft_transcript(public_key_of(private_key), code);
  const FixedBytes<32> shift = challenge_scalar(transcript, "HDKD-scalar");
  Secret out(64);
  crypto_core_ristretto255_scalar_add(out.bytes().data(), private_key.view().data(), shift.data());
  // The nonce seed is not part of the key's identity; here it follows from the parent's secret alone, so that
  // the same path gives the same 64 bytes each time.
  transcript.witness("HDKD-nonce", private_key.view(), {}, out.bytes().last(32));
  return out;
}

std::optional<AccountId> derive_soft_public(const AccountId& public_key, const ChainCode& code) {
  if (!is_public_key(public_key)) return std::nullopt;
  Transcript transcript = soft_transcript(public_key, code);
  const FixedBytes<32> shift = challenge_scalar(transcript, "HDKD-scalar");
  AccountId moved;
  AccountId out;
  if (crypto_scalarmult_ristretto255_base(moved.data(), shift.data()) != 0) return std::nullopt;
  if (crypto_core_ristretto255_add(out.data(), public_key.data(), moved.data()) != 0) return std::nullopt;
  return out;
}

FixedBytes<64> sign(const Secret& private_key, const AccountId& public_key, ByteView message, Rng& rng) {
  ensure_sodium();
  Transcript transcript = signing_transcript(message);
  transcript.append("proto-name", as_bytes("Schnorr-sig"));
  transcript.append("sign:pk", public_key);

  // r depends on the key's nonce seed, the message and fresh randomness: any one of them being unknown to
  // others is enough.
  Wiped<32> random;
  rng.fill(random.bytes);
  Wiped<64> wide;
  transcript.witness("signing", private_key.view().last(32), random.bytes, wide.bytes);
  Wiped<32> r;
  crypto_core_ristretto255_scalar_reduce(r.data(), wide.data());

  FixedBytes<64> out;
  ADIT_CHECK(crypto_scalarmult_ristretto255_base(out.data(), r.data()) == 0);
  transcript.append("sign:R", ByteView(out).first(32));
  const FixedBytes<32> k = challenge_scalar(transcript, "sign:c");
  Wiped<32> product;
  crypto_core_ristretto255_scalar_mul(product.data(), k.data(), private_key.view().data());
  crypto_core_ristretto255_scalar_add(out.data() + 32, product.data(), r.data());
  out[63] |= kMark;
  return out;
}

bool verify(const AccountId& public_key, ByteView message, ByteView signature) {
  if (signature.size() != 64 || (signature[63] & kMark) == 0) return false;
  ensure_sodium();
  FixedBytes<32> s;
  std::ranges::copy(signature.last(32), s.begin());
  s[31] &= static_cast<std::uint8_t>(~kMark);
  if (!is_canonical_nonzero(s.data()) || !is_public_key(public_key)) return false;

  Transcript transcript = signing_transcript(message);
  transcript.append("proto-name", as_bytes("Schnorr-sig"));
  transcript.append("sign:pk", public_key);
  transcript.append("sign:R", signature.first(32));
  const FixedBytes<32> k = challenge_scalar(transcript, "sign:c");

  // R must be the one encoding of s B - k A.
  FixedBytes<32> sb;
  FixedBytes<32> ka;
  FixedBytes<32> expected;
  if (crypto_scalarmult_ristretto255_base(sb.data(), s.data()) != 0) return false;
  if (crypto_scalarmult_ristretto255(ka.data(), k.data(), public_key.data()) != 0) return false;
  if (crypto_core_ristretto255_sub(expected.data(), sb.data(), ka.data()) != 0) return false;
  return std::ranges::equal(expected, signature.first(32));
}

}  // namespace adit::crypto::sr25519
