// SPDX-License-Identifier: MIT
// common/crypto/ss58.hpp
//
// Addresses: base58(0x2a || public key || checksum), network prefix 42, always 48 characters.
//
// Errors   ss58_decode: kInvalidArgument saying which of length, character (with its offset), prefix or
//          checksum is wrong. The length is checked before anything else is done with the text.
// Threads  pure; any thread.
// Source   docs.polkadot.com "SS58 address format": checksum = blake2b-512("SS58PRE" || payload)[0..2]
// Tests    tests/unit/common/crypto/ss58_test.cpp
#pragma once

#include <string>
#include <string_view>

#include "common/base/result.hpp"
#include "common/base/strong.hpp"

namespace adit::crypto {

[[nodiscard]] std::string ss58_encode(const AccountId& account);
[[nodiscard]] Result<AccountId> ss58_decode(std::string_view text);

}  // namespace adit::crypto
