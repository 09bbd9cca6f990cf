// SPDX-License-Identifier: MIT
#include "common/chain/extrinsic.hpp"

#include "common/base/rng.hpp"
#include "tests/unit/common/chain/vectors.hpp"

namespace adit::chain {
namespace {

const char* const kGenesis = "d642ae29c636817637b3b869e776516dda61f0dab7550f6992ce3aac24d62728";
const char* const kCallA = "07770100000c0000010002000cffff008001000000000000000000";
const char* const kSignatureB =
    "5f9f8e467669599b725a3138b20512a54d374df5e443747fb8a109673ea2111069a694a4d11f08731ffb06219614ceb7dc9dfe"
    "f0"
    "a4d03ae952264b9e68cbf605";

SigningContext context() {
  SigningContext c{.spec_version = 438, .transaction_version = 1, .genesis = account(kGenesis)};
  c.era_hash = c.genesis;
  return c;
}

crypto::KeypairSigner& ed25519_alice() {
  static OsRng rng;
  static crypto::KeypairSigner signer(*crypto::Keypair::from_uri(crypto::Scheme::kEd25519, "//Alice"), rng);
  return signer;
}

// Computed with polkadot.js.
TEST(Era, equals_polkadot_js) {
  const std::vector<std::tuple<std::uint64_t, std::uint64_t, const char*>> eras = {
      {1000, 128, "8606"},  {1000, 64, "8502"},     {42, 64, "a502"},
      {5, 8, "5200"},       {1000000, 128, "0604"}, {20000, 32768, "4e9c"},
      {1000, 4096, "8b3e"}, {1000, 65536, "ef03"},  {3, 4, "3100"}};
  for (const auto& [current, period, bytes] : eras) {
    EXPECT_EQ(to_hex(Era::mortal(period, current).encode()), bytes) << current << " " << period;
  }
  EXPECT_EQ(to_hex(Era::immortal().encode()), "00");
}

TEST(Era, equals_bittensor_core) {
  for (const auto& words : byte_lines("era")) {
    const Era era = Era::mortal(std::stoull(words[2]), std::stoull(words[1]));
    EXPECT_EQ(to_hex(era.encode()), words[3]) << words[1] << " " << words[2];
    const Bytes bytes = hex(words[3]);
    scale::Decoder in(bytes);
    EXPECT_EQ(ok(Era::decode(in)), era);
  }
}

TEST(Era, is_born_and_dies) {
  const Era era = Era::mortal(64, 1000);
  EXPECT_EQ(era.birth(1000), 1000u);
  EXPECT_EQ(era.birth(1063), 1000u);
  EXPECT_EQ(era.birth(1064), 1064u);
  EXPECT_EQ(era.death(1010), std::optional<BlockNumber>(1064));
  EXPECT_EQ(era.birth(3), 40u);  // a block before the first birth
  EXPECT_EQ(Era::immortal().birth(77), 0u);
  EXPECT_FALSE(Era::immortal().death(77).has_value());
  const Bytes beyond = hex("f1ff");  // period 4, phase 4095
  scale::Decoder late(beyond);
  EXPECT_FALSE(Era::decode(late).has_value());
}

TEST(Extrinsic, extension_bytes_equal_bittensor_core) {
  for (const auto& words : byte_lines("parts")) {
    SigningContext c{.spec_version = 461, .transaction_version = 1};
    c.genesis.fill(0x11);
    c.era_hash.fill(0x22);
    c.era = Era::mortal(64, 1000);
    c.nonce = static_cast<std::uint32_t>(std::stoul(words[1]));
    EXPECT_EQ(to_hex(ok(signing_payload(spec461(), {}, c))), words[2] + words[3]) << words[1];
  }
}

// A: immortal; B: era 128 at block 1000, nonce 300. Made with polkadot.js; ed25519 is deterministic.
TEST(Extrinsic, signs_what_polkadot_js_signs) {
  EXPECT_EQ(to_hex(ok(signing_payload(spec461(), hex(kCallA), context()))),
            std::string(kCallA) + "00000000b601000001000000" + kGenesis + kGenesis + "00");
  const Bytes a = ok(sign_extrinsic(spec461(), hex(kCallA), context(), ed25519_alice()));
  EXPECT_EQ(to_hex(a),
            "0902840088dc3417d5058ec4b4503e0c12ea1a0a89be200fe98922423d4334014fa6b0ee0025465334e5ee8284a93d"
            "8136fd024f85"
            "4e775aad62fb43fc5b948c9b0de53220e05d88f4a2f98c884884d6f0bac59cd772ec1f275299a60af4b802d97897db"
            "0a00000000"
            "07770100000c0000010002000cffff008001000000000000000000");
  EXPECT_EQ(to_hex(extrinsic_hash(a)), "a691c041387bd754ec4c6120db640225cb57b6720cc3f876e4582e718fd2c29d");

  SigningContext c = context();
  c.era = Era::mortal(128, 1000);
  c.era_hash.fill(0x11);
  c.nonce = 300;
  const Bytes b = ok(sign_extrinsic(spec461(), hex(kCallA), c, ed25519_alice()));
  EXPECT_EQ(to_hex(b), "1102840088dc3417d5058ec4b4503e0c12ea1a0a89be200fe98922423d4334014fa6b0ee00" +
                           std::string(kSignatureB) + "8606b1040000" + kCallA);
  EXPECT_EQ(to_hex(extrinsic_hash(b)), "b87c89f358f33df61d2832eb3cf2b7a2eec8e07d5ca43f92c2652bdda48f175a");
}

// From a real node at spec 438: a transfer of //Alice, sr25519.
TEST(Extrinsic, verifies_a_real_node_s_extrinsic) {
  const Bytes xt =
      hex("39028400d43593c715fdd31c61141abd04a99fd6822c8558854ccde39a5684e7a56da27d01d6be92c2fdb49f3d9df549"
          "938ce21c849"
          "792a40d5e89bb066604d0c80b8ce1645a7db054b85dc13dec75d6bcce7fd710f5ae67f168152c68816da86efc98678e0"
          "00000000503"
          "008eaf04151687736326c9fea17e25fc5287613693c912909cb226aa4794f26a4802286bee");
  EXPECT_EQ(to_hex(extrinsic_hash(xt)), "ba6160fd8243c810c04e8b507877a8df77052764f183eb19ca7ebd1eaab8bdb4");
  const DecodedExtrinsic decoded_xt = ok(decode_extrinsic(spec461(), xt));
  EXPECT_EQ(decoded_xt.signer, alice());
  EXPECT_EQ(decoded_xt.scheme, crypto::Scheme::kSr25519);
  EXPECT_EQ(decoded_xt.era, Era::immortal());
  EXPECT_EQ(decoded_xt.nonce, 0u);
  EXPECT_EQ(to_hex(decoded_xt.call).substr(0, 6), "050300");
  EXPECT_TRUE(ok(verify_extrinsic(spec461(), decoded_xt, context())));
  SigningContext other = context();
  other.spec_version = 439;
  EXPECT_FALSE(ok(verify_extrinsic(spec461(), decoded_xt, other)));
  DecodedExtrinsic replayed = decoded_xt;
  replayed.nonce = 1;
  EXPECT_FALSE(ok(verify_extrinsic(spec461(), replayed, context())));
}

TEST(Extrinsic, long_payloads_are_signed_as_their_hash) {
  EXPECT_EQ(signing_message(Bytes(256, 1)).size(), 256u);
  EXPECT_EQ(signing_message(Bytes(257, 1)).size(), 32u);
  const Bytes call = byte_vector("call", "set_mechanism_weights_long");
  const Bytes xt = ok(sign_extrinsic(spec461(), call, context(), ed25519_alice()));
  const DecodedExtrinsic back = ok(decode_extrinsic(spec461(), xt));
  EXPECT_EQ(back.call, call);
  EXPECT_TRUE(ok(verify_extrinsic(spec461(), back, context())));
}

TEST(Extrinsic, every_changed_bit_is_noticed) {
  SigningContext c = context();
  c.era = Era::mortal(64, 1000);
  c.nonce = 70;
  c.tip = 3;
  const Bytes xt = ok(sign_extrinsic(spec461(), hex(kCallA), c, ed25519_alice()));
  ASSERT_TRUE(ok(verify_extrinsic(spec461(), ok(decode_extrinsic(spec461(), xt)), c)));
  for (std::size_t bit = 0; bit < xt.size() * 8; ++bit) {
    Bytes bad = xt;
    bad[bit / 8] = static_cast<std::uint8_t>(bad[bit / 8] ^ 1u << bit % 8);
    const auto back = decode_extrinsic(spec461(), bad);
    if (!back) continue;
    EXPECT_FALSE(ok(verify_extrinsic(spec461(), *back, c))) << "bit " << bit;
  }
}

TEST(Extrinsic, refuses_broken_bytes) {
  const Bytes xt = ok(sign_extrinsic(spec461(), hex(kCallA), context(), ed25519_alice()));
  for (std::size_t size = 0; size < xt.size(); ++size) {
    EXPECT_FALSE(decode_extrinsic(spec461(), ByteView(xt).first(size)).has_value()) << size;
  }
  EXPECT_EQ(decode_extrinsic(spec461(), hex("280402000b00000000")).error().code,
            ErrorCode::kInvalidArgument);
  EXPECT_EQ(decode_extrinsic(spec461(), hex("1004000000")).error().message,
            "extrinsic: offset 1: an extrinsic without a signature");
  EXPECT_EQ(decode_extrinsic(spec461(), hex("1045000000")).error().message,
            "extrinsic: offset 1: version 45, expected 84");
}

// The metadata with one extension renamed: one that carries bytes must stop us, one that is empty need not.
TEST(Extrinsic, refuses_unknown_extensions_that_carry_something) {
  const auto renamed = [](std::string_view from, std::string_view to) {
    Bytes blob = vector_bytes("spec461-v15.scale");
    const std::string_view text = as_text(blob);
    const std::size_t at = text.rfind(from);
    EXPECT_NE(at, std::string_view::npos);
    std::copy(to.begin(), to.end(), blob.begin() + static_cast<std::ptrdiff_t>(at));
    return decoded(blob);
  };
  const auto refused =
      signing_payload(renamed("CheckMetadataHash", "CheckSomethingNew"), hex(kCallA), context());
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().code, ErrorCode::kUnimplemented);
  EXPECT_EQ(refused.error().message,
            "transaction extension CheckSomethingNew is not known and not empty: refusing to sign");
  EXPECT_TRUE(
      signing_payload(renamed("DrandPriority", "DrandAnything"), hex(kCallA), context()).has_value());
  const Metadata v14 = decoded(vector_bytes("spec461-v14.scale"));
  EXPECT_EQ(ok(signing_payload(v14, hex(kCallA), context())),
            ok(signing_payload(spec461(), hex(kCallA), context())));
}

}  // namespace
}  // namespace adit::chain
