// SPDX-License-Identifier: MIT
#include "common/crypto/ed25519.hpp"

#include <algorithm>

#include <sodium.h>

#include "common/base/check.hpp"
#include "common/crypto/sodium_init.hpp"

namespace adit::crypto::ed25519 {

Secret from_seed(ByteView seed32) {
  ADIT_CHECK(seed32.size() == crypto_sign_SEEDBYTES);
  ensure_sodium();
  Secret key(crypto_sign_SECRETKEYBYTES);
  AccountId public_key;
  ADIT_CHECK(crypto_sign_seed_keypair(public_key.data(), key.bytes().data(), seed32.data()) == 0);
  return key;
}

AccountId public_key_of(const Secret& private_key) {
  AccountId out;
  std::ranges::copy(private_key.view().last(32), out.begin());
  return out;
}

Secret derive_hard(const Secret& private_key, const FixedBytes<32>& code) {
  // SCALE of ("Ed25519HDKD", seed, code): the text carries its compact length, the arrays none.
  constexpr std::string_view kDomain = "Ed25519HDKD";
  const std::uint8_t length = kDomain.size() << 2;
  ensure_sodium();
  crypto_generichash_blake2b_state state;
  crypto_generichash_blake2b_init(&state, nullptr, 0, 32);
  crypto_generichash_blake2b_update(&state, &length, 1);
  crypto_generichash_blake2b_update(&state, as_bytes(kDomain).data(), kDomain.size());
  crypto_generichash_blake2b_update(&state, private_key.view().data(), 32);
  crypto_generichash_blake2b_update(&state, code.data(), code.size());
  Wiped<32> seed;
  crypto_generichash_blake2b_final(&state, seed.data(), 32);
  sodium_memzero(&state, sizeof(state));
  return from_seed(seed.bytes);
}

FixedBytes<64> sign(const Secret& private_key, ByteView message) {
  FixedBytes<64> out;
  ADIT_CHECK(crypto_sign_detached(out.data(), nullptr, message.data(), message.size(),
                                  private_key.view().data()) == 0);
  return out;
}

bool verify(const AccountId& public_key, ByteView message, ByteView signature) {
  if (signature.size() != crypto_sign_BYTES) return false;
  ensure_sodium();
  return crypto_sign_verify_detached(signature.data(), message.data(), message.size(),
                                     public_key.data()) == 0;
}

}  // namespace adit::crypto::ed25519
