// SPDX-License-Identifier: MIT
// common/crypto/keyfile.hpp
//
// Keys on disk as Bittensor's wallets keep them: one JSON object per file, unencrypted.
//
// In       a path; store_keyfile: a phrase that seed_from_mnemonic accepts.
//          privateKey: sr25519 64 bytes (scalar || nonce); ed25519 32 (seed), or 64 (seed || public key).
// Out      store_keyfile writes `path` with mode 0600 and `path` + "pub.txt"; missing folders are made with
//          mode 0700. cryptoType is written for ed25519 only: older readers take text fields only and read
//          its absence as sr25519.
// Errors   one line that names the file and the field, never a secret:
//          kInvalidArgument     not JSON, a bad field, fields that contradict each other
//          kFailedPrecondition  encrypted, or only a public key where a secret is needed
//          kAlreadyExists       store_keyfile and store_public never overwrite
//          and those of common/base/files.hpp
// Threads  any; the file system decides between two writers of one path.
// Source   opentensor/btwallet 4.0 keyfile.rs; precedence secretPhrase, secretSeed, privateKey. Unlike
//          there, the stored ss58Address, publicKey and accountId must be those of the secret.
// Tests    tests/unit/common/crypto/keyfile_test.cpp, tests/vectors/wallets, tests/fuzz/keyfile_fuzz.cpp
#pragma once

#include <filesystem>
#include <string_view>

#include "common/base/result.hpp"
#include "common/base/strong.hpp"
#include "common/crypto/keypair.hpp"

namespace adit::crypto {

struct WalletPaths {
  std::filesystem::path coldkey;
  std::filesystem::path coldkeypub;
  std::filesystem::path hotkey;
  std::filesystem::path hotkeypub;
};

// `dir` is the folder of all wallets, ~/.bittensor/wallets by custom.
[[nodiscard]] WalletPaths wallet_paths(const std::filesystem::path& dir, std::string_view wallet,
                                       std::string_view hotkey);

[[nodiscard]] Result<Keypair> load_keyfile(const std::filesystem::path& path);
// The account of a …pub.txt file, or of an unencrypted key file.
[[nodiscard]] Result<AccountId> load_public(const std::filesystem::path& path);

[[nodiscard]] Result<Keypair> store_keyfile(const std::filesystem::path& path, Scheme scheme,
                                            std::string_view phrase);
[[nodiscard]] Result<void> store_public(const std::filesystem::path& path, Scheme scheme,
                                        const AccountId& account);

// The content of a file, for those who have it already.
[[nodiscard]] Result<Keypair> parse_keyfile(ByteView content);
[[nodiscard]] Result<AccountId> parse_public(ByteView content);

}  // namespace adit::crypto
