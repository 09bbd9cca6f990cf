// SPDX-License-Identifier: MIT
// common/crypto/keyfile_json.hpp
//
// The JSON object inside a key file, as typed fields. Used by keyfile.cpp only.
//
// Out      an absent or null field is empty. Secrets lie in guarded memory; the texts that the JSON reader
//          made of a well-formed file are wiped.
// Errors   kInvalidArgument naming the field, or the byte at which the text stops being JSON.
// Threads  pure; any thread.
// Tests    tests/unit/common/crypto/keyfile_test.cpp, tests/fuzz/keyfile_fuzz.cpp
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "common/base/result.hpp"
#include "common/base/strong.hpp"
#include "common/crypto/keypair.hpp"

namespace adit::crypto {

struct KeyfileFields {
  std::optional<Scheme> scheme;
  std::optional<Secret> phrase;
  std::optional<Secret> seed;
  std::optional<Secret> private_key;
  std::optional<AccountId> public_key;
  std::optional<AccountId> account_id;
  std::optional<AccountId> address;
};

[[nodiscard]] Result<KeyfileFields> parse_keyfile_json(std::string_view text);

// The text of a key file (with a secret) or of a public file. The caller wipes it.
[[nodiscard]] std::string keyfile_text(const Keypair& pair, std::string_view phrase, ByteView seed);
[[nodiscard]] std::string public_text(Scheme scheme, const AccountId& account);

}  // namespace adit::crypto
