// SPDX-License-Identifier: MIT
#include "common/protocol/btauth.hpp"

#include <gtest/gtest.h>
#include <sodium.h>

#include <nlohmann/json.hpp>
#include <string>

#include "common/base/files.hpp"
#include "common/crypto/hash.hpp"
#include "common/crypto/ss58.hpp"
#include "common/protocol/nonce_source.hpp"
#include "tests/support/fake_clock.hpp"

namespace adit::protocol {
namespace {

using crypto::Scheme;

struct Case {
  std::string name, method, target, payload;
  Bytes body;
  std::vector<Header> headers;
  std::uint64_t now_ns = 0;
  OpenPolicy policy;
  AccountId sender{};

  [[nodiscard]] CallBytes call() const { return {method, target, body}; }
  [[nodiscard]] Result<OpenedCall> open() const {
    return protocol::open(policy, headers, call(), now_ns);
  }
  std::string& value(std::string_view header) {
    for (auto& [key, text] : headers) {
      if (key == header) return text;
    }
    return headers.emplace_back(header, "").second;
  }
  void drop(std::string_view header) {
    std::erase_if(headers, [&](const Header& each) { return each.first == header; });
  }
};

// The four calls that Bittensor's SDK 11 accepts.
std::vector<Case> golden() {
  const auto bytes = read_file(std::string(ADIT_TEST_VECTORS) + "/btauth1.json", 1 << 20);
  std::vector<Case> out;
  for (const auto& each : nlohmann::json::parse(as_text(*bytes))) {
    Case one;
    one.name = each["name"];
    one.method = each["method"];
    one.target = each["target"];
    one.payload = each["payload"];
    one.body = *from_hex(each["body_hex"].get<std::string>());
    for (const auto& [key, value] : each["headers"].items()) one.headers.emplace_back(key, value);
    one.now_ns = each["now_ns"];
    one.sender = *crypto::ss58_decode(each["sdk_verify"].get<std::string>());
    one.policy.receiver =
        *crypto::ss58_decode(each["headers"]["X-Bittensor-Receiver"].get<std::string>());
    one.policy.scheme =
        each["headers"].contains("X-Bittensor-Crypto") ? Scheme::kEd25519 : Scheme::kSr25519;
    out.push_back(std::move(one));
  }
  return out;
}

TEST(Btauth, opens_the_sdk_vectors_and_rebuilds_their_payload) {
  const std::vector<Case> cases = golden();
  ASSERT_EQ(cases.size(), 4U);
  for (Case each : cases) {
    const auto opened = each.open();
    ASSERT_TRUE(opened) << each.name << ": " << opened.error().message;
    EXPECT_EQ(opened->sender, each.sender);
    EXPECT_EQ(std::to_string(opened->nonce), each.value("X-Bittensor-Nonce"));
    EXPECT_EQ(btauth_payload(each.policy.scheme, each.call(), each.value("X-Bittensor-Nonce"),
                             each.value("X-Bittensor-Hotkey"), each.value("X-Bittensor-Receiver")),
              each.payload);
  }
}

TEST(Btauth, seal_gives_the_sdk_bytes_for_ed25519) {
  OsRng rng;
  crypto::KeypairSigner alice(*crypto::Keypair::from_uri(Scheme::kEd25519, "//Alice"), rng);
  int checked = 0;
  for (Case each : golden()) {
    if (each.policy.scheme != Scheme::kEd25519) continue;
    const auto nonce = std::stoull(each.value("X-Bittensor-Nonce"));
    const auto sealed = seal(alice, each.policy.receiver, each.call(), nonce);
    ASSERT_TRUE(sealed);
    ASSERT_EQ(sealed->size(), each.headers.size());
    for (const auto& [key, value] : *sealed) {
      std::string wanted;
      for (const auto& [other, text] : each.headers) {
        if (other.size() == key.size() && strcasecmp(other.c_str(), key.c_str()) == 0)
          wanted = text;
      }
      EXPECT_EQ(value, wanted) << key;
    }
    ++checked;
  }
  EXPECT_EQ(checked, 2);
}

TEST(Btauth, refuses_a_change_of_any_byte) {
  for (const Case& original : golden()) {
    for (std::size_t h = 0; h < original.headers.size(); ++h) {
      for (const bool in_name : {false, true}) {
        const std::string& text = in_name ? original.headers[h].first : original.headers[h].second;
        for (std::size_t i = 0; i < text.size(); ++i) {
          for (int bit = 0; bit < 8; ++bit) {
            // Names compare without case: flipping bit 5 of a letter is no change.
            if (in_name && bit == 5 && std::isalpha(static_cast<unsigned char>(text[i])) != 0)
              continue;
            Case changed = original;
            std::string& target = in_name ? changed.headers[h].first : changed.headers[h].second;
            target[i] = static_cast<char>(target[i] ^ (1 << bit));
            EXPECT_FALSE(changed.open())
                << original.name << " " << text << " byte " << i << " bit " << bit;
          }
        }
      }
    }
    for (std::size_t i = 0; i < original.body.size(); ++i) {
      Case changed = original;
      changed.body[i] ^= 1;
      EXPECT_FALSE(changed.open()) << original.name << " body byte " << i;
    }
    Case longer = original;
    longer.body.push_back(0);
    EXPECT_FALSE(longer.open());
  }
}

TEST(Btauth, refuses_other_method_target_receiver_or_scheme) {
  for (const Case& original : golden()) {
    Case changed = original;
    changed.method = changed.method == "GET" ? "POST" : "GET";
    EXPECT_EQ(changed.open().error().code, ErrorCode::kUnauthenticated);
    changed = original;
    changed.target += "x";
    EXPECT_EQ(changed.open().error().code, ErrorCode::kUnauthenticated);
    changed = original;
    changed.policy.receiver[0] ^= 1;
    EXPECT_EQ(changed.open().error().code, ErrorCode::kPermissionDenied);
    changed = original;
    changed.policy.scheme =
        changed.policy.scheme == Scheme::kEd25519 ? Scheme::kSr25519 : Scheme::kEd25519;
    EXPECT_EQ(changed.open().error().code, ErrorCode::kInvalidArgument);
  }
}

TEST(Btauth, refuses_stale_and_future_nonces_at_the_border) {
  Case each = golden()[0];
  const std::uint64_t nonce = std::stoull(each.value("X-Bittensor-Nonce"));
  const auto code_at = [&](std::uint64_t now_ns) {
    each.now_ns = now_ns;
    const auto opened = each.open();
    return opened ? 0 : static_cast<int>(opened.error().code);
  };
  EXPECT_EQ(code_at(nonce + limits::kEnvelopeAgeNsMax), 0);
  EXPECT_EQ(code_at(nonce + limits::kEnvelopeAgeNsMax + 1),
            static_cast<int>(ErrorCode::kUnauthenticated));
  EXPECT_EQ(code_at(nonce - limits::kEnvelopeSkewNsMax), 0);
  EXPECT_EQ(code_at(nonce - limits::kEnvelopeSkewNsMax - 1),
            static_cast<int>(ErrorCode::kUnauthenticated));
}

TEST(Btauth, checks_receiver_before_freshness_before_signature) {
  Case each = golden()[0];
  each.value("X-Bittensor-Signature")[5] ^= 1;
  each.now_ns += 3600'000'000'000;
  each.policy.receiver[0] ^= 1;
  EXPECT_EQ(each.open().error().code, ErrorCode::kPermissionDenied);
  each.policy.receiver[0] ^= 1;
  EXPECT_NE(each.open().error().message.find("old"), std::string::npos);
}

TEST(Btauth, refuses_shapes_outside_the_strict_profile) {
  const auto refused = [](auto change, std::string_view wanted) {
    Case each = golden()[0];
    change(each);
    const auto opened = each.open();
    ASSERT_FALSE(opened) << wanted;
    EXPECT_EQ(opened.error().code, ErrorCode::kInvalidArgument);
    EXPECT_NE(opened.error().message.find(wanted), std::string::npos) << opened.error().message;
  };
  for (const char* needed : {"Version", "Hotkey", "Receiver", "Nonce", "Signature"}) {
    refused([&](Case& c) { c.drop(std::string("X-Bittensor-") + needed); }, "is missing");
  }
  refused([](Case& c) { c.headers.push_back(c.headers[0]); }, "occurs twice");
  refused(
      [](Case& c) { c.headers.emplace_back("x-BITTENSOR-nonce", c.value("X-Bittensor-Nonce")); },
      "occurs twice");
  refused([](Case& c) { c.headers.emplace_back("x-bittensor-extra", "1"); }, "unknown header");
  refused([](Case& c) { c.value("X-Bittensor-Version") = "2"; }, "version");
  refused([](Case& c) { c.value("X-Bittensor-Crypto") = "ed25519"; }, "pinned scheme");
  refused([](Case& c) { c.value("X-Bittensor-Crypto") = "sr25519"; }, "pinned scheme");
  refused([](Case& c) { c.value("X-Bittensor-Receiver") = "-"; }, "48");
  refused([](Case& c) { c.value("X-Bittensor-Hotkey").push_back('1'); }, "48");
  refused([](Case& c) { c.value("X-Bittensor-Hotkey")[20] = '0'; }, "no ss58");
  for (const char* nonce : {"", "-1", "+1", " 1", "1 ", "0x10", "1e9", "18446744073709551616",
                            "100000000000000000000", "000000000000000000001"}) {
    refused([&](Case& c) { c.value("X-Bittensor-Nonce") = nonce; }, "nonce");
  }
  refused([](Case& c) { c.value("X-Bittensor-Signature").erase(0, 2); }, "signature");
  refused([](Case& c) { c.value("X-Bittensor-Signature")[3] = 'A'; }, "signature");
  refused([](Case& c) { c.value("X-Bittensor-Signature").push_back('0'); }, "signature");
  refused([](Case& c) { c.value("X-Bittensor-Nonce") = std::string(100000, '1'); },
          "expected at most");
  Case reserved = golden()[0];
  reserved.headers.emplace_back("X-Bittensor-Drand-Round", "7");
  reserved.headers.emplace_back("user-agent", "anything");
  EXPECT_TRUE(reserved.open());
}

TEST(Btauth, refuses_a_wrapped_signature) {
  OsRng rng;
  const auto alice = crypto::Keypair::from_uri(Scheme::kEd25519, "//Alice");
  Case each = golden()[1];
  const crypto::Signature plain = alice->sign(as_bytes(each.payload), rng);
  each.value("X-Bittensor-Signature") = "0x" + to_hex(plain);
  ASSERT_TRUE(each.open());
  const std::string wrapped = "<Bytes>" + each.payload + "</Bytes>";
  each.value("X-Bittensor-Signature") = "0x" + to_hex(alice->sign(as_bytes(wrapped), rng));
  EXPECT_EQ(each.open().error().code, ErrorCode::kUnauthenticated);
}

// With the neutral element as public key, (s*B, s) fits every message: R + c*0 == s*B.
TEST(Btauth, refuses_weak_keys_that_fit_every_message) {
  ASSERT_GE(sodium_init(), 0);
  FixedBytes<32> s{};
  s[0] = 7;
  for (const Scheme scheme : {Scheme::kEd25519, Scheme::kSr25519}) {
    Case each = golden()[scheme == Scheme::kEd25519 ? 1 : 0];
    AccountId weak{};
    crypto::Signature forged{};
    if (scheme == Scheme::kEd25519) {
      weak[0] = 1;
      ASSERT_EQ(crypto_scalarmult_ed25519_base_noclamp(forged.data(), s.data()), 0);
    } else {
      ASSERT_EQ(crypto_scalarmult_ristretto255_base(forged.data(), s.data()), 0);
    }
    std::copy(s.begin(), s.end(), forged.begin() + 32);
    if (scheme == Scheme::kSr25519) forged[63] |= 0x80;
    each.value("X-Bittensor-Hotkey") = crypto::ss58_encode(weak);
    each.value("X-Bittensor-Signature") = "0x" + to_hex(forged);
    EXPECT_EQ(each.open().error().code, ErrorCode::kUnauthenticated);
  }
}

TEST(Btauth, seal_then_open_for_both_schemes) {
  OsRng rng;
  test::FakeClock clock(1'800'000'000'000'000'000);
  NonceSource nonces(clock);
  const AccountId bob = crypto::Keypair::from_uri(Scheme::kSr25519, "//Bob")->public_key();
  for (const Scheme scheme : {Scheme::kEd25519, Scheme::kSr25519}) {
    crypto::KeypairSigner signer(*crypto::Keypair::from_uri(scheme, "//Charlie"), rng);
    const Bytes body{1, 2, 3};
    const CallBytes call{"POST", "/adit.v1.Miner/Generate", body};
    const auto first = seal(signer, bob, call, nonces.next());
    const auto second = seal(signer, bob, call, nonces.next());
    const OpenPolicy policy{.receiver = bob, .scheme = scheme};
    const auto opened = open(policy, *first, call, clock.now_ns());
    ASSERT_TRUE(opened) << opened.error().message;
    EXPECT_EQ(opened->sender, signer.account());
    EXPECT_LT(opened->nonce, open(policy, *second, call, clock.now_ns())->nonce);
  }
}

}  // namespace
}  // namespace adit::protocol
