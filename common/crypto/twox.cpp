// SPDX-License-Identifier: MIT
#include "common/crypto/twox.hpp"

#include <cstring>

#include <xxhash.h>

#include "common/crypto/hash.hpp"

namespace adit::crypto {

std::uint64_t xxh64(ByteView data, std::uint64_t seed) { return XXH64(data.data(), data.size(), seed); }

FixedBytes<16> twox128(ByteView data) {
  FixedBytes<16> out;
  for (std::uint64_t seed = 0; seed < 2; ++seed) {
    const std::uint64_t half = xxh64(data, seed);
    std::memcpy(out.data() + 8 * seed, &half, sizeof(half));
  }
  return out;
}

Bytes twox64_concat(ByteView key) {
  Bytes out;
  append_le(out, xxh64(key, 0));
  append(out, key);
  return out;
}

Bytes blake2_128_concat(ByteView key) {
  Bytes out = to_bytes(blake2b_128(key));
  append(out, key);
  return out;
}

}  // namespace adit::crypto
