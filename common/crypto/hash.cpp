// SPDX-License-Identifier: MIT
#include "common/crypto/hash.hpp"

#include <algorithm>

#include <sodium.h>

#include "common/base/check.hpp"
#include "common/crypto/sodium_init.hpp"

namespace adit::crypto {
namespace {

using State = crypto_generichash_blake2b_state;

template <std::size_t N>
FixedBytes<N> blake2b(ByteView data) {
  ensure_sodium();
  FixedBytes<N> out;
  ADIT_CHECK(crypto_generichash_blake2b(out.data(), N, data.data(), data.size(), nullptr, 0) == 0);
  return out;
}

State* state_of(FixedBytes<384>& bytes) { return reinterpret_cast<State*>(bytes.data()); }

}  // namespace

FixedBytes<16> blake2b_128(ByteView data) { return blake2b<16>(data); }
Hash256 blake2b_256(ByteView data) { return blake2b<32>(data); }
FixedBytes<64> blake2b_512(ByteView data) { return blake2b<64>(data); }

Hash256 sha256(ByteView data) {
  Hash256 out;
  crypto_hash_sha256(out.data(), data.data(), data.size());
  return out;
}

FixedBytes<64> sha512(ByteView data) {
  FixedBytes<64> out;
  crypto_hash_sha512(out.data(), data.data(), data.size());
  return out;
}

PersonalHash::PersonalHash(std::string_view personal) {
  static_assert(sizeof(State) <= sizeof(state_) && alignof(State) <= alignof(PersonalHash));
  ensure_sodium();
  FixedBytes<crypto_generichash_blake2b_PERSONALBYTES> padded{};
  ADIT_CHECK(personal.size() <= padded.size());
  std::ranges::copy(personal, padded.begin());
  const int failed = crypto_generichash_blake2b_init_salt_personal(
      state_of(state_), nullptr, 0, sizeof(Hash256), nullptr, padded.data());
  ADIT_CHECK(failed == 0);
}

PersonalHash& PersonalHash::update(ByteView data) {
  ADIT_CHECK(crypto_generichash_blake2b_update(state_of(state_), data.data(), data.size()) == 0);
  return *this;
}

Hash256 PersonalHash::finish() {
  Hash256 out;
  ADIT_CHECK(crypto_generichash_blake2b_final(state_of(state_), out.data(), out.size()) == 0);
  return out;
}

Hash256 b2(std::string_view personal, ByteView data) { return PersonalHash(personal).update(data).finish(); }

}  // namespace adit::crypto
