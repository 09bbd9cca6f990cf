// SPDX-License-Identifier: MIT
// common/chain/storage_key.hpp
//
// Where the chain keeps a value: twox128(pallet) || twox128(item) || each key part, hashed as the metadata
// says.
//
// In       parts: the SCALE encodings of the key parts, in order; fewer than the item has give the prefix
// of
//          all keys that begin with them.
// Out      key bytes.
// Errors   kInvalidArgument  more parts than the item has; kNotFound  no such item.
// Threads  pure; any thread.
// Source   docs.polkadot.com "Storage data structures"; hashers in common/crypto/twox.hpp
// Tests    tests/unit/common/chain/storage_key_test.cpp
#pragma once

#include <span>
#include <string_view>

#include "common/base/bytes.hpp"
#include "common/base/result.hpp"
#include "common/chain/metadata.hpp"

namespace adit::chain {

[[nodiscard]] Bytes storage_prefix(std::string_view pallet, std::string_view item);
[[nodiscard]] Result<Bytes> storage_key(const StorageEntry& entry, std::span<const Bytes> parts = {});
[[nodiscard]] Result<Bytes> storage_key(const Metadata& metadata, std::string_view pallet,
                                        std::string_view item, std::span<const Bytes> parts = {});

// Key parts: integers are little-endian, accounts as they are.
[[nodiscard]] Bytes key_u16(std::uint16_t value);
[[nodiscard]] Bytes key_u32(std::uint32_t value);
[[nodiscard]] Bytes key_u64(std::uint64_t value);

}  // namespace adit::chain
