// SPDX-License-Identifier: MIT
// common/crypto/mnemonic.hpp
//
// BIP-39 English phrases, and the seed that the chain makes of them.
//
// In       phrase: 12, 15, 18, 21 or 24 lower-case words with white space between; the last one carries the
//          checksum. password: optional, part of the seed.
// Out      the 32-byte seed. Not BIP-39's own seed: PBKDF2 runs over the entropy, not over the words.
// Errors   kInvalidArgument naming the count, the number of the unknown word, or the checksum; a word is
//          never shown, since it is part of a secret.
// Threads  any.
// Source   BIP-39; paritytech/substrate-bip39:
//          PBKDF2-HMAC-SHA512(entropy, "mnemonic" + password, 2048)[0..32]
// Tests    tests/unit/common/crypto/mnemonic_test.cpp
#pragma once

#include <string>
#include <string_view>

#include "common/base/result.hpp"
#include "common/base/rng.hpp"
#include "common/crypto/secret.hpp"

namespace adit::crypto {

[[nodiscard]] Result<Secret> seed_from_mnemonic(std::string_view phrase, std::string_view password = "");

// The 16 to 32 bytes that a phrase stands for.
[[nodiscard]] Result<Secret> entropy_of_mnemonic(std::string_view phrase);

// A new phrase; `words` is 12, 15, 18, 21 or 24 (another count is a bug and aborts). The caller shows it
// to its owner and wipes it.
[[nodiscard]] std::string make_mnemonic(Rng& rng, int words = 12);

// The phrase of 16, 20, 24, 28 or 32 bytes of entropy (another size aborts).
[[nodiscard]] std::string mnemonic_of_entropy(ByteView entropy);

}  // namespace adit::crypto
