// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>
#include <rapidcheck.h>

#include "common/base/rng.hpp"
#include "common/scale/decoder.hpp"
#include "common/scale/encoder.hpp"

namespace adit::scale {
namespace {

std::string compact_hex(std::uint64_t value) {
  Encoder encoder;
  encoder.compact(value);
  return to_hex(encoder.take());
}

// Bytes printed by compactToU8a of @polkadot/util 14.0.3.
TEST(Compact, edge_values_have_the_known_bytes) {
  const std::vector<std::pair<std::uint64_t, std::string>> cases = {
      {0, "00"},
      {1, "04"},
      {42, "a8"},
      {63, "fc"},
      {64, "0101"},
      {69, "1501"},
      {300, "b104"},
      {16383, "fdff"},
      {16384, "02000100"},
      {65535, "feff0300"},
      {1073741823, "feffffff"},
      {1073741824, "0300000040"},
      {4294967295, "03ffffffff"},
      {4294967296, "070000000001"},
      {100000000000000, "0b00407a10f35a"},
      {72057594037927935, "0fffffffffffffff"},
      {72057594037927936, "130000000000000001"},
      {18446744073709551615u, "13ffffffffffffffff"},
  };
  for (const auto& [value, hex] : cases) {
    EXPECT_EQ(compact_hex(value), hex);
    const Bytes bytes = from_hex(hex).value();
    Decoder decoder(bytes);
    EXPECT_EQ(decoder.compact().value(), value) << hex;
    EXPECT_TRUE(decoder.done());
  }
}

TEST(Compact, refuses_every_longer_form_of_a_value) {
  for (const char* hex : {"0100", "fd00", "02000000", "feff0000", "0300000000", "03ffffff3f", "070000000000",
                          "0700000040" "00", "13ffffffffffffff00", "330000000000000000000000000000" "0000"}) {
    const Bytes bytes = from_hex(hex).value();
    Decoder decoder(bytes);
    const auto got = decoder.compact_u128();
    ASSERT_FALSE(got) << hex;
    EXPECT_NE(got.error().message.find("offset 0"), std::string::npos);
    EXPECT_EQ(decoder.offset(), 0u);
  }
}

TEST(Compact, refuses_what_is_too_wide) {
  Encoder encoder;
  encoder.compact_u128(0, 1);
  const Bytes wide = encoder.take();
  Decoder decoder(wide);
  EXPECT_NE(decoder.compact().error().message.find("wider than 64 bits"), std::string::npos);
  EXPECT_EQ(decoder.offset(), 0u);
  EXPECT_EQ(decoder.compact_u128().value(), (std::array<std::uint64_t, 2>{0, 1}));
  Bytes huge(70, 0xff);
  Decoder huge_decoder(huge);
  EXPECT_NE(huge_decoder.compact_u128().error().message.find("67 bytes"), std::string::npos);
}

TEST(Decoder, says_offset_and_what_is_missing) {
  const Bytes bytes = from_hex("0102030405").value();
  Decoder decoder(bytes);
  ASSERT_TRUE(decoder.u32());
  EXPECT_EQ(decoder.u16().error().message, "offset 4: expected 2 bytes, 1 left");
  EXPECT_EQ(decoder.offset(), 4u);
  EXPECT_EQ(decoder.boolean().error().message, "offset 4: expected a boolean (0 or 1), got 5");
  EXPECT_EQ(decoder.u8().value(), 5);
  EXPECT_TRUE(decoder.done());
  EXPECT_FALSE(decoder.compact());
  EXPECT_FALSE(decoder.bytes());
  EXPECT_TRUE(decoder.raw(0));
}

TEST(Decoder, a_length_that_lies_moves_nothing) {
  const Bytes bytes = from_hex("10aabb").value();
  Decoder decoder(bytes);
  EXPECT_EQ(decoder.bytes().error().message, "offset 0: length 4 but 2 bytes left");
  EXPECT_EQ(decoder.offset(), 0u);
  EXPECT_FALSE(decoder.count(1));
  EXPECT_EQ(decoder.count().value(), 4u);
  // A count near 2^64 with big items must not overflow the check.
  const Bytes huge = from_hex("13ffffffffffffffff00").value();
  Decoder huge_decoder(huge);
  EXPECT_FALSE(huge_decoder.count(16));
  EXPECT_FALSE(huge_decoder.count());
  EXPECT_FALSE(huge_decoder.bytes());
}

// One value of each kind, driven by a seed so that a failure is repeated by its number.
void encode_some(SeededRng& rng, Encoder& encoder, std::vector<std::pair<int, Bytes>>& written) {
  const int kind = static_cast<int>(rng.below(7));
  const std::uint64_t value = rng.next() >> rng.below(64);
  Bytes payload(rng.below(80));
  rng.fill(payload);
  Encoder one;
  if (kind == 0) one.u8(static_cast<std::uint8_t>(value));
  if (kind == 1) one.u16(static_cast<std::uint16_t>(value));
  if (kind == 2) one.u32(static_cast<std::uint32_t>(value));
  if (kind == 3) one.u128(value, ~value);
  if (kind == 4) one.compact(value);
  if (kind == 5) one.bytes(payload);
  if (kind == 6) one.compact_u128(value, value >> 7);
  Bytes bytes = one.take();
  encoder.raw(bytes);
  written.emplace_back(kind, std::move(bytes));
}

Bytes decode_one(Decoder& decoder, int kind) {
  Encoder again;
  if (kind == 0) again.u8(decoder.u8().value());
  if (kind == 1) again.u16(decoder.u16().value());
  if (kind == 2) again.u32(decoder.u32().value());
  if (kind == 3) {
    const auto v = decoder.u128().value();
    again.u128(v[0], v[1]);
  }
  if (kind == 4) again.compact(decoder.compact().value());
  if (kind == 5) again.bytes(decoder.bytes().value());
  if (kind == 6) {
    const auto v = decoder.compact_u128().value();
    again.compact_u128(v[0], v[1]);
  }
  return again.take();
}

TEST(Scale, decode_of_encode_is_the_value) {
  EXPECT_TRUE(rc::check("sequences of values", [](std::uint64_t seed) {
    SeededRng rng(seed);
    Encoder encoder;
    std::vector<std::pair<int, Bytes>> written;
    for (std::uint64_t i = rng.below(20); i > 0; --i) encode_some(rng, encoder, written);
    const std::size_t size = encoder.size();
    const Bytes bytes = encoder.take();
    RC_ASSERT(bytes.size() == size);
    Decoder decoder(bytes);
    for (const auto& [kind, expected] : written) RC_ASSERT(decode_one(decoder, kind) == expected);
    RC_ASSERT(decoder.done());
  }));
  EXPECT_TRUE(rc::check("compact", [](std::uint64_t value, std::uint8_t shift) {
    value >>= shift % 64;
    const Bytes bytes = from_hex(compact_hex(value)).value();
    Decoder decoder(bytes);
    RC_ASSERT(decoder.compact().value() == value);
    // Every strict prefix is refused.
    for (std::size_t n = 0; n < bytes.size(); ++n) {
      RC_ASSERT(!Decoder(ByteView(bytes).first(n)).compact());
    }
  }));
}

}  // namespace
}  // namespace adit::scale
