// SPDX-License-Identifier: MIT
#include "common/crypto/keypair.hpp"

#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "common/crypto/signer.hpp"
#include "common/crypto/ss58.hpp"
#include "tests/support/vectors.hpp"

namespace adit::crypto {
namespace {

constexpr std::string_view kBtwalletPhrase =
    "old leopard transfer rib spatial phone calm indicate online fire caution review";

Scheme scheme_of(const nlohmann::json& text) {
  return text == "ed25519" ? Scheme::kEd25519 : Scheme::kSr25519;
}
Bytes bytes_of(const nlohmann::json& hex) { return from_hex(hex.get<std::string>()).value(); }

TEST(Keypair, uris_give_the_keys_that_polkadot_js_gives) {
  const auto cases = test::load_vectors("keys-polkadot.json")["derive"];
  ASSERT_GT(cases.size(), 40u);
  for (const auto& v : cases) {
    const auto pair = Keypair::from_uri(scheme_of(v["scheme"]), v["uri"].get<std::string>());
    ASSERT_TRUE(pair) << v["uri"] << pair.error().message;
    EXPECT_EQ(to_hex(pair->public_key()), v["public_key"]) << v["uri"];
    EXPECT_EQ(pair->ss58(), v["address"]) << v["uri"];
    EXPECT_EQ(pair->scheme(), scheme_of(v["scheme"]));
  }
}

// Of btwallet's own tests, and of subtensor's development accounts.
TEST(Keypair, addresses_of_the_wallet_s_own_tests) {
  const std::string phrase(kBtwalletPhrase);
  const std::vector<std::pair<std::string, std::string>> cases = {
      {phrase, "5HDvhV6WDCjCKyrXqGQSDYqQAzkzabNhctmiDYEqgBC66BsX"},
      {phrase + "//Alice", "5FEiH8iuDUw271xbqWTWuB6WrDjv5dnCeDX1CyHubAniXDNN"},
      {phrase + "/Alice", "5GNXbA46ma5dg19GXdiKi5JH3mnkZ8Yea3bBtZAvj7t99P9i"},
      {"//Alice//stash", "5GNJqTPyNqANBkUVMN1LPPrxXnFouWXoe2wNSmmEoLctxiZY"},
      {"//42", "5Ckt3gjwpdWMWAsc8jKng97ADm8ApCQrWcsmb3jZSVcvEncr"},
      {"//0//1", "5Cr4pXhwGbmjQpWw86zYcym5QiixA9XEyMujtiFmHLMNE1wB"},
      {"/Alice", "5GvKEoc787uDV8etY1AM8vF385edu2iyqD1WfCjDugzLUiAL"},
  };
  for (const auto& [uri, address] : cases) {
    EXPECT_EQ(Keypair::from_uri(Scheme::kSr25519, uri).value().ss58(), address) << uri;
  }
  EXPECT_EQ(Keypair::from_uri(Scheme::kEd25519, "//Bob").value().ss58(),
            "5GoNkf6WdbxCFnPdAnYYQyCjAKPJgLNxXwPjwTh6DGg6gN3E");
}

TEST(Keypair, private_keys_have_schnorrkel_s_bytes) {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"//Alice",
       "33a6f3093f158a7109f679410bef1a0c54168145e0cecb4df006c1c2fffb1f09"
       "925a225d97aa00682d6a59b95b18780c10d7032336e88f3442b42361f4a66011"},
      {"abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon about",
       "2ec306fc1c5bc2f0e3a2c7a6ec6014ca4a0823a7d7d42ad5e9d7f376a1c36c0d"
       "14a2ddb1ef1df4adba49f3a4d8c0f6205117907265f09a53ccf07a4e8616dfd8"},
      {std::string(kBtwalletPhrase),
       "1f1995bdf3a17b60626a26cfe6f564b337d46056b7a1281b64c649d592ccda0a"
       "9cffd34d9fb01cae1fba61aeed184c817442a2186d5172416729a4b54dd4b84e"},
  };
  for (const auto& [uri, hex] : cases) {
    const Keypair pair = Keypair::from_uri(Scheme::kSr25519, uri).value();
    EXPECT_EQ(to_hex(pair.private_key(SecretKeyAccess{})), hex) << uri;
    const Keypair again = Keypair::from_private_key(Scheme::kSr25519, from_hex(hex).value()).value();
    EXPECT_EQ(again.public_key(), pair.public_key());
  }
}

TEST(Keypair, seed_phrase_and_uri_agree) {
  const Bytes mini = from_hex("e5be9a5092b81bca64be81d212e7f2f9eba183bb7a90954f7b76361f6edb5c0a").value();
  EXPECT_EQ(Keypair::from_seed(Scheme::kSr25519, mini).value().ss58(),
            "5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY");
  for (const Scheme scheme : {Scheme::kEd25519, Scheme::kSr25519}) {
    EXPECT_EQ(Keypair::from_mnemonic(scheme, kBtwalletPhrase).value().public_key(),
              Keypair::from_uri(scheme, kBtwalletPhrase).value().public_key());
    EXPECT_NE(Keypair::from_mnemonic(scheme, kBtwalletPhrase, "secret").value().public_key(),
              Keypair::from_mnemonic(scheme, kBtwalletPhrase).value().public_key());
  }
}

TEST(Keypair, bad_input_is_named_without_being_shown) {
  const auto message = [](std::string_view uri, Scheme scheme = Scheme::kSr25519) {
    const auto pair = Keypair::from_uri(scheme, uri);
    return pair ? std::string("accepted") : pair.error().message;
  };
  EXPECT_EQ(message("//Alice//"), "key path: junction 2 is empty");
  EXPECT_EQ(message("//Alice/soft", Scheme::kEd25519),
            "key path: junction 2 is soft (/); ed25519 has only hard ones (//)");
  EXPECT_EQ(message("0x1234"), "seed: expected 64 hex digits, got 4");
  EXPECT_EQ(message("0x" + std::string(63, '1') + "g"), "seed: character at offset 65 is not hex");
  EXPECT_EQ(message(std::string(5000, 'a')), "secret URI: 5000 bytes, at most 4096 expected");
  std::string deep;
  for (int i = 0; i < 65; ++i) deep += "//1";
  EXPECT_EQ(message(deep), "key path: more than 64 junctions");
  EXPECT_EQ(message("hunter2"), "mnemonic: expected 12, 15, 18, 21 or 24 words, got 1");
  EXPECT_EQ(Keypair::from_seed(Scheme::kSr25519, Bytes(31)).error().message,
            "seed: expected 32 bytes, got 31");
  EXPECT_FALSE(Keypair::from_private_key(Scheme::kSr25519, Bytes(64)));
  EXPECT_FALSE(Keypair::from_private_key(Scheme::kEd25519, Bytes(64)));
  EXPECT_FALSE(Keypair::from_private_key(Scheme::kEd25519, Bytes(32)));
}

TEST(Verify, accepts_signatures_of_polkadot_js) {
  const auto cases = test::load_vectors("keys-polkadot.json")["signatures"];
  ASSERT_EQ(cases.size(), 10u);
  for (const auto& v : cases) {
    const AccountId account = fixed_from_hex<32>(v["public_key"].get<std::string>()).value();
    EXPECT_TRUE(verify(scheme_of(v["scheme"]), account, bytes_of(v["message"]), bytes_of(v["signature"])));
    const Scheme other = v["scheme"] == "ed25519" ? Scheme::kSr25519 : Scheme::kEd25519;
    EXPECT_FALSE(verify(other, account, bytes_of(v["message"]), bytes_of(v["signature"])));
  }
}

TEST(Verify, accepts_requests_signed_by_the_bittensor_sdk) {
  const auto cases = test::load_vectors("btauth1.json");
  ASSERT_EQ(cases.size(), 4u);
  for (const auto& v : cases) {
    const auto& headers = v["headers"];
    const Scheme scheme = headers.contains("X-Bittensor-Crypto") ? Scheme::kEd25519 : Scheme::kSr25519;
    const AccountId sender = ss58_decode(headers["X-Bittensor-Hotkey"].get<std::string>()).value();
    const Bytes signature = bytes_of(headers["X-Bittensor-Signature"]);
    Bytes payload = bytes_of(v["payload_hex"]);
    EXPECT_TRUE(verify(scheme, sender, payload, signature)) << v["name"];
    payload.back() ^= 1;
    EXPECT_FALSE(verify(scheme, sender, payload, signature)) << v["name"];
  }
}

TEST(Ed25519, signs_the_bytes_that_others_sign) {
  OsRng rng;
  const Keypair alice = Keypair::from_uri(Scheme::kEd25519, "//Alice").value();
  // set_mechanism_weights by //Alice, immortal, spec 438 (polkadot.js).
  const Bytes payload =
      from_hex("07770100000c0000010002000cffff00800100000000000000000000000000b601000001000000"
               "d642ae29c636817637b3b869e776516dda61f0dab7550f6992ce3aac24d62728"
               "d642ae29c636817637b3b869e776516dda61f0dab7550f6992ce3aac24d6272800").value();
  EXPECT_EQ(to_hex(alice.sign(payload, rng)),
            "25465334e5ee8284a93d8136fd024f854e775aad62fb43fc5b948c9b0de53220"
            "e05d88f4a2f98c884884d6f0bac59cd772ec1f275299a60af4b802d97897db0a");
  for (const auto& v : test::load_vectors("btauth1.json")) {
    if (!v["headers"].contains("X-Bittensor-Crypto")) continue;
    EXPECT_EQ("0x" + to_hex(alice.sign(bytes_of(v["payload_hex"]), rng)),
              v["headers"]["X-Bittensor-Signature"]);
  }
}

TEST(Ed25519, any_changed_bit_is_refused) {
  OsRng rng;
  const Keypair bob = Keypair::from_uri(Scheme::kEd25519, "//Bob").value();
  const Bytes message = to_bytes(as_bytes("payload"));
  const Signature good = bob.sign(message, rng);
  ASSERT_TRUE(verify(Scheme::kEd25519, bob.public_key(), message, good));
  for (std::size_t bit = 0; bit < 8 * good.size(); ++bit) {
    Signature bad = good;
    bad[bit / 8] ^= static_cast<std::uint8_t>(1u << (bit % 8));
    EXPECT_FALSE(verify(Scheme::kEd25519, bob.public_key(), message, bad)) << bit;
  }
  for (std::size_t bit = 0; bit < 8 * message.size(); ++bit) {
    Bytes bad = message;
    bad[bit / 8] ^= static_cast<std::uint8_t>(1u << (bit % 8));
    EXPECT_FALSE(verify(Scheme::kEd25519, bob.public_key(), bad, good)) << bit;
  }
  for (std::size_t bit = 0; bit < 256; ++bit) {
    AccountId bad = bob.public_key();
    bad[bit / 8] ^= static_cast<std::uint8_t>(1u << (bit % 8));
    EXPECT_FALSE(verify(Scheme::kEd25519, bad, message, good)) << bit;
  }
  EXPECT_FALSE(verify(Scheme::kEd25519, bob.public_key(), message, ByteView(good).first(63)));
}

TEST(Ed25519, small_order_keys_are_refused) {
  // With A of order 1 or 2, R = identity and s = 0 satisfy the equation for (almost) any message.
  for (const char* hex : {"0100000000000000000000000000000000000000000000000000000000000000",
                          "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
                          "0000000000000000000000000000000000000000000000000000000000000000",
                          "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a"}) {
    Signature forged{};
    forged[0] = 1;
    for (const char* text : {"a", "b", "c", "d", "e", "f", "g", "h"}) {
      EXPECT_FALSE(verify(Scheme::kEd25519, fixed_from_hex<32>(hex).value(), as_bytes(text), forged)) << hex;
    }
  }
}

TEST(KeypairSigner, signs_from_several_threads) {
  SeededRng rng(3);
  KeypairSigner signer(Keypair::from_uri(Scheme::kSr25519, "//Alice").value(), rng);
  std::vector<Signature> signatures(16);
  {
    std::vector<std::jthread> threads;
    for (Signature& slot : signatures) {
      threads.emplace_back([&] { slot = signer.sign(as_bytes("hello")).value(); });
    }
  }
  for (const Signature& signature : signatures) {
    EXPECT_TRUE(verify(signer.scheme(), signer.account(), as_bytes("hello"), signature));
  }
}

}  // namespace
}  // namespace adit::crypto
