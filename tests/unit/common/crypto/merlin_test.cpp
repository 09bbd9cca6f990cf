// SPDX-License-Identifier: MIT
#include "common/crypto/merlin.hpp"

#include <gtest/gtest.h>

#include "common/crypto/keccak.hpp"

namespace adit::crypto {
namespace {

// KeccakF-1600-IntermediateValues.txt of the Keccak team: the zero state permuted once and twice.
TEST(Keccak, permutes_the_zero_state_as_published) {
  std::array<std::uint64_t, 25> lanes{};
  keccak_f1600(lanes);
  EXPECT_EQ(lanes[0], 0xf1258f7940e1dde7u);
  EXPECT_EQ(lanes[1], 0x84d5ccf933c0478au);
  EXPECT_EQ(lanes[24], 0xeaf1ff7b5ceca249u);
  keccak_f1600(lanes);
  EXPECT_EQ(lanes[0], 0x2d5c954df96ecb3cu);
  EXPECT_EQ(lanes[24], 0x20d06cd26a8fbf5cu);
}

// The test vector of the merlin crate.
TEST(Merlin, gives_the_published_challenge) {
  Transcript transcript("test protocol");
  transcript.append("some label", as_bytes("some data"));
  Hash256 challenge{};
  transcript.challenge("challenge", challenge);
  EXPECT_EQ(to_hex(challenge), "d5a21972d0d5fe320c0d263fac7fffb8145aa640af6e9bca177c03c7efcf0615");
}

Hash256 challenge_of(std::string_view label, ByteView message) {
  Transcript transcript("test");
  transcript.append(label, message);
  Hash256 out{};
  transcript.challenge("c", out);
  return out;
}

TEST(Merlin, label_and_message_are_kept_apart) {
  EXPECT_NE(challenge_of("ab", as_bytes("c")), challenge_of("a", as_bytes("bc")));
  EXPECT_NE(challenge_of("", as_bytes("abc")), challenge_of("abc", {}));
}

TEST(Merlin, messages_that_cross_the_rate_differ_in_every_byte) {
  Bytes message(400);
  const Hash256 before = challenge_of("m", message);
  for (std::size_t i = 0; i < message.size(); ++i) {
    message[i] = 1;
    EXPECT_NE(challenge_of("m", message), before) << i;
    message[i] = 0;
  }
}

TEST(Merlin, witness_depends_on_secret_and_randomness_and_moves_nothing) {
  Transcript transcript("test");
  Hash256 a{}, b{}, c{}, d{};
  transcript.witness("w", as_bytes("secret"), as_bytes("random"), a);
  transcript.witness("w", as_bytes("secret"), as_bytes("random"), b);
  transcript.witness("w", as_bytes("secreu"), as_bytes("random"), c);
  transcript.witness("w", as_bytes("secret"), as_bytes("randon"), d);
  EXPECT_EQ(a, b);
  EXPECT_NE(a, c);
  EXPECT_NE(a, d);
  Transcript untouched("test");
  Hash256 x{}, y{};
  transcript.challenge("c", x);
  untouched.challenge("c", y);
  EXPECT_EQ(x, y);
}

}  // namespace
}  // namespace adit::crypto
