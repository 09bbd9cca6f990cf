// SPDX-License-Identifier: MIT
#include "common/crypto/sr25519.hpp"

#include <gtest/gtest.h>

#include "common/crypto/keypair.hpp"
#include "tests/support/vectors.hpp"

namespace adit::crypto::sr25519 {
namespace {

Bytes bytes_of(const nlohmann::json& hex) { return from_hex(hex.get<std::string>()).value(); }
AccountId account_of(std::string_view hex) { return fixed_from_hex<32>(hex).value(); }

const AccountId kAlice = account_of("d43593c715fdd31c61141abd04a99fd6822c8558854ccde39a5684e7a56da27d");

// Signed by a real node's client (spec 438 localnet): a transfer by //Alice.
TEST(Sr25519, verifies_an_extrinsic_of_a_real_chain) {
  const std::string genesis = "d642ae29c636817637b3b869e776516dda61f0dab7550f6992ce3aac24d62728";
  const Bytes payload =
      from_hex("0503008eaf04151687736326c9fea17e25fc5287613693c912909cb226aa4794f26a4802286bee00000000"
               "b601000001000000" + genesis + genesis + "00").value();
  ASSERT_EQ(payload.size(), 116u);
  const Bytes signature =
      from_hex("d6be92c2fdb49f3d9df549938ce21c849792a40d5e89bb066604d0c80b8ce164"
               "5a7db054b85dc13dec75d6bcce7fd710f5ae67f168152c68816da86efc98678e").value();
  EXPECT_TRUE(verify(kAlice, payload, signature));
}

// Signed by polkadot.js over the payload of set_mechanism_weights.
TEST(Sr25519, verifies_a_set_weights_payload) {
  const Bytes payload =
      from_hex("07770100000c0000010002000cffff00800100000000000000000000000000b601000001000000"
               "d642ae29c636817637b3b869e776516dda61f0dab7550f6992ce3aac24d62728"
               "d642ae29c636817637b3b869e776516dda61f0dab7550f6992ce3aac24d6272800").value();
  const Bytes signature =
      from_hex("94b3032db3c08601f0287668a4d415583550e5cac1c452f52f63847e5b141b52"
               "41745f2a4c9217f9f76ff7cfd988db658da5684a86e3354fb2e4668e5f447d8e").value();
  EXPECT_TRUE(verify(kAlice, payload, signature));
}

TEST(Sr25519, verifies_a_signature_of_the_bittensor_sdk) {
  const auto v = test::load_vectors("sr25519-sig.json");
  EXPECT_TRUE(verify(account_of(v["public_key"].get<std::string>()), bytes_of(v["message_hex"]),
                     bytes_of(v["signature"])));
}

TEST(Sr25519, signs_what_it_verifies_with_fresh_bytes_each_time) {
  const Keypair alice = Keypair::from_uri(Scheme::kSr25519, "//Alice").value();
  OsRng rng;
  for (const std::size_t size : {0u, 1u, 31u, 165u, 166u, 167u, 1000u}) {
    Bytes message(size);
    rng.fill(message);
    const Signature a = alice.sign(message, rng);
    const Signature b = alice.sign(message, rng);
    EXPECT_NE(a, b);
    EXPECT_TRUE(verify(kAlice, message, a));
    EXPECT_TRUE(verify(kAlice, message, b));
  }
}

TEST(Sr25519, a_broken_rng_does_not_repeat_the_nonce_for_another_message) {
  struct StuckRng final : Rng {
    void fill(std::span<std::uint8_t> out) override { std::ranges::fill(out, std::uint8_t{0}); }
  } rng;
  const Keypair alice = Keypair::from_uri(Scheme::kSr25519, "//Alice").value();
  const Signature a = alice.sign(as_bytes("one"), rng);
  const Signature b = alice.sign(as_bytes("two"), rng);
  EXPECT_FALSE(std::equal(a.begin(), a.begin() + 32, b.begin()));
}

class Sr25519Strict : public ::testing::Test {
 protected:
  const Keypair alice_ = Keypair::from_uri(Scheme::kSr25519, "//Alice").value();
  SeededRng rng_{11};
  const Bytes message_ = to_bytes(as_bytes("the message"));
  const Signature signature_ = alice_.sign(message_, rng_);
};

TEST_F(Sr25519Strict, any_changed_bit_is_refused) {
  ASSERT_TRUE(verify(kAlice, message_, signature_));
  for (std::size_t bit = 0; bit < 8 * signature_.size(); ++bit) {
    Signature bad = signature_;
    bad[bit / 8] ^= static_cast<std::uint8_t>(1u << (bit % 8));
    EXPECT_FALSE(verify(kAlice, message_, bad)) << bit;
  }
  for (std::size_t bit = 0; bit < 8 * message_.size(); ++bit) {
    Bytes bad = message_;
    bad[bit / 8] ^= static_cast<std::uint8_t>(1u << (bit % 8));
    EXPECT_FALSE(verify(kAlice, bad, signature_)) << bit;
  }
  for (std::size_t bit = 0; bit < 8 * kAlice.size(); ++bit) {
    AccountId bad = kAlice;
    bad[bit / 8] ^= static_cast<std::uint8_t>(1u << (bit % 8));
    EXPECT_FALSE(verify(bad, message_, signature_)) << bit;
  }
}

TEST_F(Sr25519Strict, wrong_lengths_are_refused) {
  EXPECT_FALSE(verify(kAlice, message_, {}));
  EXPECT_FALSE(verify(kAlice, message_, ByteView(signature_).first(63)));
  Bytes longer = to_bytes(signature_);
  longer.push_back(0);
  EXPECT_FALSE(verify(kAlice, message_, longer));
}

TEST_F(Sr25519Strict, s_plus_the_group_order_is_refused) {
  const Bytes order = from_hex("edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010").value();
  Signature bad = signature_;
  bad[63] &= 0x7f;
  unsigned carry = 0;
  for (std::size_t i = 0; i < 32; ++i) {
    carry += bad[32 + i] + unsigned{order[i]};
    bad[32 + i] = static_cast<std::uint8_t>(carry);
    carry >>= 8;
  }
  ASSERT_EQ(bad[63] & 0x80, 0);
  bad[63] |= 0x80;
  EXPECT_FALSE(verify(kAlice, message_, bad));
}

TEST_F(Sr25519Strict, identity_key_is_refused) {
  // With A = 0 the equation is R = s B for every message: s = 1, R = B would always pass.
  Bytes forged = from_hex("e2f2ae0a6abc4e71a884a961c500515f58e30b6aa582dd8db6a65945e08d2d76").value();
  forged.push_back(1);
  forged.resize(64);
  forged[63] = 0x80;
  const AccountId identity{};
  EXPECT_FALSE(is_public_key(identity));
  EXPECT_FALSE(verify(identity, message_, forged));
}

// RFC 9496, appendix A.2: encodings that no group element has.
TEST(Sr25519Keys, bad_encodings_are_refused) {
  for (const char* hex : {
           "00ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
           "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
           "f3ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
           "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
           "0100000000000000000000000000000000000000000000000000000000000000",
           "01ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
           "ed57ffd8c914fb201471d1c3d245ce3c746fcbe63a3679d51b6a516ebebe0e20",
           "26948d35ca62e643e26a83177332e6b6afeb9d08e4268b650f1f5bbd8d81d371",
       }) {
    EXPECT_FALSE(is_public_key(account_of(hex))) << hex;
    EXPECT_FALSE(derive_soft_public(account_of(hex), {})) << hex;
  }
  EXPECT_TRUE(is_public_key(kAlice));
}

TEST(Sr25519Keys, soft_derivation_agrees_on_both_sides) {
  const Keypair parent = Keypair::from_uri(Scheme::kSr25519, "//Alice").value();
  const Secret key = Secret::copy_of(parent.private_key(SecretKeyAccess{}));
  ChainCode code{};
  for (std::uint8_t i = 0; i < 20; ++i) {
    code[0] = i;
    EXPECT_EQ(public_key_of(derive_soft(key, code)), derive_soft_public(kAlice, code).value());
  }
}

TEST(Sr25519Keys, private_keys_must_be_canonical_and_not_zero) {
  Bytes key = from_hex("ecd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010").value();
  key.resize(64);
  EXPECT_TRUE(is_private_key(key));
  key[0] = 0xed;
  EXPECT_FALSE(is_private_key(key));
  key[0] = 0xee;
  EXPECT_FALSE(is_private_key(key));
  EXPECT_FALSE(is_private_key(Bytes(64)));
  EXPECT_FALSE(is_private_key(Bytes(64, 0xff)));
  EXPECT_FALSE(is_private_key(Bytes(63, 1)));
}

}  // namespace
}  // namespace adit::crypto::sr25519
