// SPDX-License-Identifier: MIT
#include "common/chain/storage_key.hpp"

#include "common/crypto/hash.hpp"
#include "common/crypto/twox.hpp"

namespace adit::chain {
namespace {

Bytes hashed(Hasher hasher, ByteView part) {
  switch (hasher) {
    case Hasher::kBlake2_128:
      return to_bytes(crypto::blake2b_128(part));
    case Hasher::kBlake2_256:
      return to_bytes(crypto::blake2b_256(part));
    case Hasher::kBlake2_128Concat:
      return crypto::blake2_128_concat(part);
    case Hasher::kTwox128:
      return to_bytes(crypto::twox128(part));
    case Hasher::kTwox256: {
      Bytes out;
      for (std::uint64_t seed = 0; seed < 4; ++seed) append_le(out, crypto::xxh64(part, seed));
      return out;
    }
    case Hasher::kTwox64Concat:
      return crypto::twox64_concat(part);
    case Hasher::kIdentity:
      return to_bytes(part);
  }
  return {};
}

template <class T>
Bytes little_endian(T value) {
  Bytes out;
  append_le(out, value);
  return out;
}

}  // namespace

Bytes storage_prefix(std::string_view pallet, std::string_view item) {
  Bytes out = to_bytes(crypto::twox128(as_bytes(pallet)));
  append(out, crypto::twox128(as_bytes(item)));
  return out;
}

Result<Bytes> storage_key(const StorageEntry& entry, std::span<const Bytes> parts) {
  if (parts.size() > entry.hashers.size()) {
    return invalid_argument("storage {}.{} takes {} key parts, got {}", entry.prefix, entry.name,
                            entry.hashers.size(), parts.size());
  }
  Bytes out = storage_prefix(entry.prefix, entry.name);
  for (std::size_t i = 0; i < parts.size(); ++i) append(out, hashed(entry.hashers[i], parts[i]));
  return out;
}

Result<Bytes> storage_key(const Metadata& metadata, std::string_view pallet, std::string_view item,
                          std::span<const Bytes> parts) {
  ADIT_TRY(const StorageEntry* entry, metadata.storage(pallet, item));
  return storage_key(*entry, parts);
}

Bytes key_u16(std::uint16_t value) {
  return little_endian(value);
}
Bytes key_u32(std::uint32_t value) {
  return little_endian(value);
}
Bytes key_u64(std::uint64_t value) {
  return little_endian(value);
}

}  // namespace adit::chain
