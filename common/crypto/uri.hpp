// SPDX-License-Identifier: MIT
// common/crypto/uri.hpp
//
// Takes a secret URI apart: [phrase or 0x + 64 hex]{//hard | /soft}[///password].
//
// Out      views into the text that was given; junction codes as chain codes.
// Errors   kInvalidArgument naming the number of the bad junction; never shows the text.
// Threads  pure; any thread.
// Source   polkadot-sdk substrate/primitives/core/src/crypto.rs: SecretUri, DeriveJunction
// Tests    tests/unit/common/crypto/keypair_test.cpp
#pragma once

#include <string_view>
#include <vector>

#include "common/base/bytes.hpp"
#include "common/base/result.hpp"

namespace adit::crypto {

struct Junction {
  bool hard = true;
  FixedBytes<32> code{};
};

struct SecretUri {
  std::string_view phrase;
  std::vector<Junction> path;
  std::string_view password;
};

[[nodiscard]] Result<SecretUri> parse_secret_uri(std::string_view uri);

}  // namespace adit::crypto
