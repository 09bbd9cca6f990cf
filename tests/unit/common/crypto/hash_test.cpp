// SPDX-License-Identifier: MIT
#include "common/crypto/hash.hpp"

#include <gtest/gtest.h>

#include "common/base/rng.hpp"
#include "common/crypto/twox.hpp"

namespace adit::crypto {
namespace {

// RFC 7693 appendix A (512), the chain's check values (128, 256), FIPS 180-4 examples.
TEST(Hash, digests_equal_published_values) {
  EXPECT_EQ(to_hex(blake2b_256({})), "0e5751c026e543b2e8ab2eb06099daa1d1e5df47778f7787faab45cdf12fe3a8");
  EXPECT_EQ(to_hex(blake2b_128(as_bytes("abc"))), "cf4ab791c62b8d2b2109c90275287816");
  EXPECT_EQ(to_hex(blake2b_512(as_bytes("abc"))),
            "ba80a53f981c4d0d6a2797b69f12f6e94c212f14685ac4b74b12bb6fdbffa2d1"
            "7d87c5392aab792dc252d5de4533cc9518d38aa8dbf1925ab92386edd4009923");
  EXPECT_EQ(to_hex(sha256(as_bytes("abc"))),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(to_hex(sha512(as_bytes("abc"))),
            "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a"
            "2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f");
}

// Computed with Python 3.11 hashlib.blake2b(data, digest_size=32, person=...).
TEST(PersonalHash, equals_an_independent_implementation) {
  EXPECT_EQ(to_hex(b2("adit1.seed", {})),
            "12eb3baf2d50e2ef527ed75e166cdc6841021c14c90a934ebac15d7c9316e2a3");
  EXPECT_EQ(to_hex(b2("adit1.req", as_bytes("abc"))),
            "fa0bf00fe1cd8d735d8bf66e20b89c37e83ea552302700a9b867e89c7ec99e7a");
  Bytes all(256);
  for (std::size_t i = 0; i < all.size(); ++i) all[i] = static_cast<std::uint8_t>(i);
  EXPECT_EQ(to_hex(b2("0123456789abcdef", all)),
            "45fe2def9e86392bae7dd97df24c919aa156d4df4de42acb4124dd3b79c6cb0b");
}

TEST(PersonalHash, empty_personal_is_plain_blake2b) {
  EXPECT_EQ(b2("", as_bytes("x")), blake2b_256(as_bytes("x")));
}

TEST(PersonalHash, pieces_give_what_the_whole_gives) {
  SeededRng rng(7);
  Bytes data(1000);
  rng.fill(data);
  for (const std::size_t cut : {0u, 1u, 127u, 128u, 129u, 256u, 999u, 1000u}) {
    PersonalHash hash("adit1.test");
    hash.update(ByteView(data).first(cut));
    PersonalHash copy = hash;
    EXPECT_EQ(hash.update(ByteView(data).subspan(cut)).finish(), b2("adit1.test", data)) << cut;
    EXPECT_EQ(copy.update(ByteView(data).subspan(cut)).finish(), b2("adit1.test", data)) << cut;
  }
}

TEST(PersonalHash, misuse_aborts) {
  EXPECT_DEATH(static_cast<void>(b2("seventeen bytes!!", {})), "padded");
  EXPECT_DEATH(
      {
        PersonalHash hash("x");
        static_cast<void>(hash.finish());
        static_cast<void>(hash.finish());
      },
      "final");
}

TEST(Twox, equals_the_chain_s_check_values) {
  EXPECT_EQ(xxh64({}, 0), 0xef46db3751d8e999u);
  EXPECT_EQ(to_hex(twox64_concat({})), "99e9d85137db46ef");
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"SubtensorModule", "658faa385070e074c85bf6b568cf0555"},
      {"System", "26aa394eea5630e07c48ae0c9558cef7"},
      {"Drand", "a285cdb66e8b8524ea70b1693c7b1e05"},
      {"Commitments", "ca407206ec1ab726b2636c4b145ac287"},
      {"Timestamp", "f0c365c3cf59d671eb72da0e7a4113c4"},
      {"AdminUtils", "b8c7f96c134ebb49eb7e77df71f098ad"},
      {"Sudo", "5c0d1176a568c1f92944340dbfed9e9c"},
      {"Balances", "c2261276cc9d1f8598ea4b6a74b15c2f"},
      {"MevShield", "9e94fc9ecf3c8d51c7baba39080fb433"},
      {"Swap", "746cc6d1e9dbcf1d03868e492c1d836e"},
      {"Uids", "aab1b4e78e1ea8305462ee53b3686dc8"},
      {"Weights", "a1e7036061f484bc3048a64b64e35ec4"},
      {"LastMechansimStepBlock", "90a5927434316ff88c68f65cd390bb70"},
  };
  for (const auto& [text, hex] : cases) EXPECT_EQ(to_hex(twox128(as_bytes(text))), hex) << text;
}

TEST(Twox, concat_forms_keep_the_key) {
  const Bytes key = from_hex("0100abcdef").value();
  const Bytes twox = twox64_concat(key);
  ASSERT_EQ(twox.size(), 8 + key.size());
  EXPECT_EQ(Bytes(twox.begin() + 8, twox.end()), key);
  const Bytes blake = blake2_128_concat(key);
  ASSERT_EQ(blake.size(), 16 + key.size());
  EXPECT_EQ(Bytes(blake.begin() + 16, blake.end()), key);
  EXPECT_EQ(to_hex(ByteView(blake).first(16)), to_hex(blake2b_128(key)));
}

}  // namespace
}  // namespace adit::crypto
