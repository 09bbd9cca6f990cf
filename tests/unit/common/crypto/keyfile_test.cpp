// SPDX-License-Identifier: MIT
#include "common/crypto/keyfile.hpp"

#include <sys/stat.h>

#include <filesystem>
#include <string>

#include <gtest/gtest.h>

#include "common/base/files.hpp"
#include "tests/support/temp_dir.hpp"

namespace adit::crypto {
namespace {

const std::filesystem::path kWallets = std::filesystem::path(ADIT_TEST_VECTORS) / "wallets";
const std::string kPhrase = "bottom drive obey lake curtain smoke basket hold race lonely fit walk";
const std::string kAddress = "5DfhGyQdFobKM8NsWvEeAKk5EQQgYe9AydgJ7rMB6E1EqRzV";
const std::string kSeed = "0xfac7959dbfe72f052e5a0c3c8d6530f202b02fd8f9f5ca3580ec8deb7797479e";
const std::string kPrivate =
    "0x05d65584630d16cd4af6d0bec10f34bb504a5dcb62dba2122d49f5a663763d0a"
    "fd190cce74df356432b410bd64682309d6dedb27c76845daf388557cbac3ca34";
// ed25519, same phrase.
const std::string kEdAddress = "5DFJF7tY4bpbpcKPJcBTQaKuCDEPCpiz8TRjpmLeTtweqmXL";

std::string error_of(std::string_view content) {
  const auto pair = parse_keyfile(as_bytes(content));
  return pair ? "accepted" : pair.error().message;
}

TEST(WalletPaths, follow_bittensor_s_layout) {
  const WalletPaths paths = wallet_paths("/w", "default", "hk1");
  EXPECT_EQ(paths.coldkey, "/w/default/coldkey");
  EXPECT_EQ(paths.coldkeypub, "/w/default/coldkeypub.txt");
  EXPECT_EQ(paths.hotkey, "/w/default/hotkeys/hk1");
  EXPECT_EQ(paths.hotkeypub, "/w/default/hotkeys/hk1pub.txt");
}

TEST(Keyfile, loads_wallets_of_two_versions_of_btwallet) {
  for (const char* wallet : {"vec", "nocrypto"}) {
    const WalletPaths paths = wallet_paths(kWallets, wallet, "hk");
    const auto pair = load_keyfile(paths.hotkey);
    ASSERT_TRUE(pair) << pair.error().message;
    EXPECT_EQ(pair->ss58(), kAddress);
    EXPECT_EQ(pair->scheme(), Scheme::kSr25519);
    EXPECT_EQ(load_public(paths.hotkeypub).value(), pair->public_key());
    EXPECT_EQ(load_public(paths.hotkey).value(), pair->public_key());
    EXPECT_EQ(to_hex(load_public(paths.coldkeypub).value()),
              "e4359ad3e2716c539a1d663ebd0a51bdc5c98a12e663bb4c4402db47828c9446");
  }
}

TEST(Keyfile, loads_an_ed25519_wallet_of_btwallet) {
  const WalletPaths paths = wallet_paths(kWallets, "ed", "hk");
  const auto pair = load_keyfile(paths.hotkey);
  ASSERT_TRUE(pair) << pair.error().message;
  EXPECT_EQ(pair->scheme(), Scheme::kEd25519);
  EXPECT_EQ(pair->ss58(), "5DFJF7tY4bpbpcKPJcBTQaKuCDEPCpiz8TRjpmLeTtweqmXL");
  EXPECT_EQ(load_public(paths.hotkey).value(), pair->public_key());
  EXPECT_EQ(load_public(paths.coldkeypub).value(), pair->public_key());
}

TEST(Keyfile, refuses_encrypted_files_by_name) {
  const auto coldkey = load_keyfile(kWallets / "vec" / "coldkey");
  ASSERT_FALSE(coldkey);
  EXPECT_EQ(coldkey.error().code, ErrorCode::kFailedPrecondition);
  EXPECT_EQ(coldkey.error().message,
            (kWallets / "vec" / "coldkey").string() +
                ": encrypted ($NACL...); only key files without a password can be read");
  EXPECT_NE(error_of("$ANSIBLE_VAULT;1.1;AES256\n00").find("($ANSIBLE_VAULT...)"), std::string::npos);
  EXPECT_NE(error_of("gAAAAABlabc").find("(gAAAAA...)"), std::string::npos);
}

TEST(Keyfile, every_form_of_the_secret_gives_the_key) {
  const std::string address = R"("ss58Address":")" + kAddress + "\"";
  for (const std::string& content : {
           "{\"secretPhrase\":\"" + kPhrase + "\"}",
           "{\"secretSeed\":\"" + kSeed + "\"," + address + "}",
           "{\"privateKey\":\"" + kPrivate + "\"," + address + "}",
           "{\"privateKey\":\"" + kPrivate + "\",\" ss58Address\":\"" + kAddress + "\"}",
           "{\"secretPhrase\":null,\"secretSeed\":\"" + kSeed + "\",\"cryptoType\":\"1\"}",
           "\n  {\"secretSeed\":\"" + kSeed.substr(2) + "\",\"cryptoType\":1}\n",
           kSeed,
           kSeed.substr(2) + "\n",
           kPrivate,
           kPhrase + "\n",
       }) {
    const auto pair = parse_keyfile(as_bytes(content));
    ASSERT_TRUE(pair) << content << pair.error().message;
    EXPECT_EQ(pair->ss58(), kAddress);
  }
}

TEST(Keyfile, the_scheme_comes_from_crypto_type_or_else_from_the_address) {
  const std::string phrase = "{\"secretPhrase\":\"" + kPhrase + "\"";
  for (const std::string& content : {phrase + ",\"cryptoType\":0}", phrase + ",\"cryptoType\":\"0\"}",
                                     phrase + ",\"ss58Address\":\"" + kEdAddress + "\"}",
                                     "{\"privateKey\":\"" + kSeed + "\",\"cryptoType\":0}"}) {
    const auto pair = parse_keyfile(as_bytes(content));
    ASSERT_TRUE(pair) << pair.error().message;
    EXPECT_EQ(pair->scheme(), Scheme::kEd25519);
    EXPECT_EQ(pair->ss58(), kEdAddress);
  }
  const std::string both = ",\"cryptoType\":1,\"ss58Address\":\"" + kEdAddress + "\"}";
  EXPECT_EQ(error_of(phrase + both).substr(0, 15), "ss58Address: is");
}

TEST(Keyfile, names_the_field_that_is_wrong) {
  const std::string alice = "5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY";
  const std::string seed = "{\"secretSeed\":\"" + kSeed + "\",";
  EXPECT_EQ(error_of(seed + "\"ss58Address\":\"" + alice + "\"}"),
            "ss58Address: is " + alice + ", but the other fields give " + kAddress);
  EXPECT_EQ(error_of(seed + "\"publicKey\":\"0x" + std::string(64, '1') + "\"}").substr(0, 13),
            "publicKey: is");
  EXPECT_EQ(error_of(seed + "\"accountId\":\"0x" + std::string(64, '1') + "\"}").substr(0, 13),
            "accountId: is");
  EXPECT_EQ(error_of(seed + "\"ss58Address\":\"abc\"}"),
            "ss58Address: address: expected 48 characters, got 3");
  EXPECT_EQ(error_of(seed + "\"cryptoType\":2}"), "cryptoType: expected 0 (ed25519) or 1 (sr25519)");
  EXPECT_EQ(error_of(seed + "\"cryptoType\":true}"), "cryptoType: expected 0 (ed25519) or 1 (sr25519)");
  EXPECT_EQ(error_of(R"({"secretSeed":7})"), "secretSeed: expected text, got number");
  EXPECT_EQ(error_of(R"({"secretSeed":"0x12"})"), "secretSeed: expected 64 hex digits, got 2");
  EXPECT_EQ(error_of(R"({"privateKey":"0x)" + std::string(127, '1') + "x\"}"),
            "privateKey: character at offset 129 is not hex");
  EXPECT_EQ(error_of("{\"privateKey\":\"" + kSeed + "\"}"),
            "privateKey: private key: expected 64 bytes, got 32");
  EXPECT_EQ(error_of(R"({"privateKey":")" + std::string(128, 'f') + "\"}"),
            "privateKey: private key: the scalar is zero or not in canonical form");
  EXPECT_EQ(error_of(R"({"secretPhrase":"bottom drive obeyy lake curtain smoke )"
                     R"(basket hold race lonely fit walk"})"),
            "secretPhrase: mnemonic: word 3 is not in the English BIP-39 list");
  EXPECT_EQ(error_of(R"({"secretPhrase":""})"),
            "secretPhrase: mnemonic: expected 12, 15, 18, 21 or 24 words, got 0");
}

TEST(Keyfile, what_is_no_key_file_is_refused_without_being_quoted) {
  EXPECT_EQ(error_of(""), "empty file");
  EXPECT_EQ(error_of(" \n"), "empty file");
  EXPECT_EQ(error_of("{}"),
            "no secretPhrase, secretSeed or privateKey: the file holds a public key only");
  EXPECT_EQ(error_of("hunter2"), "neither a JSON object, nor 64 or 128 hex digits, nor a mnemonic");
  EXPECT_EQ(error_of("[1]"), "neither a JSON object, nor 64 or 128 hex digits, nor a mnemonic");
  const std::string cut = R"({"secretSeed":"hunter2)";
  EXPECT_EQ(error_of(cut), "not JSON: stopped at byte " + std::to_string(cut.size() + 1));
  EXPECT_EQ(error_of("{\"a\":" + std::string(30000, '[')).substr(0, 9), "not JSON:");
  EXPECT_EQ(error_of(R"({"secretPhrase":"hunter2 hunter2"})").find("hunter2"), std::string::npos);
  EXPECT_EQ(parse_public(as_bytes("{}")).error().message,
            "expected one of the fields ss58Address, publicKey, accountId");
  EXPECT_FALSE(parse_public(as_bytes("[]")));
}

TEST(Keyfile, load_names_the_file) {
  const test::TempDir dir;
  const auto path = dir.path() / "hk";
  EXPECT_EQ(load_keyfile(path).error().code, ErrorCode::kNotFound);
  EXPECT_NE(load_keyfile(path).error().message.find(path.string()), std::string::npos);
  ASSERT_TRUE(write_file_atomic(path, as_bytes(R"({"secretSeed":7})")));
  EXPECT_EQ(load_keyfile(path).error().message, path.string() + ": secretSeed: expected text, got number");
  ASSERT_TRUE(write_file_atomic(path, Bytes(100000, '{')));
  EXPECT_EQ(load_keyfile(path).error().code, ErrorCode::kResourceExhausted);
  EXPECT_FALSE(load_keyfile(dir.path()));
}

class StoredKeyfile : public ::testing::TestWithParam<Scheme> {};

TEST_P(StoredKeyfile, comes_back_and_is_private) {
  const test::TempDir dir;
  const WalletPaths paths = wallet_paths(dir.path() / "wallets", "w", "hk");
  const auto stored = store_keyfile(paths.hotkey, GetParam(), "  " + kPhrase + "\n");
  ASSERT_TRUE(stored) << stored.error().message;
  EXPECT_EQ(stored->public_key(), Keypair::from_mnemonic(GetParam(), kPhrase).value().public_key());
  const auto loaded = load_keyfile(paths.hotkey);
  ASSERT_TRUE(loaded) << loaded.error().message;
  EXPECT_EQ(loaded->public_key(), stored->public_key());
  EXPECT_EQ(loaded->scheme(), GetParam());
  EXPECT_EQ(load_public(paths.hotkeypub).value(), stored->public_key());

  struct stat info{};
  ASSERT_EQ(stat(paths.hotkey.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777u, 0600u);
  ASSERT_EQ(stat(paths.hotkey.parent_path().c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777u, 0700u);

  const std::string text(as_text(read_file(paths.hotkey, 1 << 16).value()));
  EXPECT_NE(text.find("\"" + kPhrase + "\""), std::string::npos);
  EXPECT_NE(text.find("\"secretSeed\":\"" + kSeed + "\""), std::string::npos);
  EXPECT_EQ(text.find("cryptoType") == std::string::npos, GetParam() == Scheme::kSr25519);
  const std::string& key = GetParam() == Scheme::kSr25519 ? kPrivate : kSeed;
  EXPECT_NE(text.find("\"privateKey\":\"" + key + "\""), std::string::npos);
}

TEST_P(StoredKeyfile, is_never_overwritten) {
  const test::TempDir dir;
  const auto path = dir.path() / "coldkey";
  ASSERT_TRUE(store_keyfile(path, GetParam(), kPhrase));
  const Bytes before = read_file(path, 1 << 16).value();
  const auto again = store_keyfile(path, GetParam(), kPhrase);
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().code, ErrorCode::kAlreadyExists);
  EXPECT_EQ(read_file(path, 1 << 16).value(), before);
  std::filesystem::remove(path);
  EXPECT_FALSE(store_keyfile(path, GetParam(), kPhrase)) << "the public file is still there";
}

TEST_P(StoredKeyfile, a_bad_phrase_leaves_nothing_behind) {
  const test::TempDir dir;
  EXPECT_FALSE(store_keyfile(dir.path() / "w" / "hk", GetParam(), kPhrase + " walk"));
  EXPECT_TRUE(std::filesystem::is_empty(dir.path()));
}

INSTANTIATE_TEST_SUITE_P(Schemes, StoredKeyfile, ::testing::Values(Scheme::kEd25519, Scheme::kSr25519),
                         [](const auto& chosen) { return std::string(name(chosen.param)); });

}  // namespace
}  // namespace adit::crypto
