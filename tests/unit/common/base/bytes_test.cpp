// SPDX-License-Identifier: MIT
#include "common/base/bytes.hpp"

#include <gtest/gtest.h>

namespace adit {
namespace {

TEST(Bytes, hex_round_trips_every_byte) {
  Bytes all(256);
  for (std::size_t i = 0; i < all.size(); ++i) all[i] = static_cast<std::uint8_t>(i);
  const std::string text = to_hex(all);
  EXPECT_EQ(text.substr(0, 8), "00010203");
  EXPECT_EQ(from_hex(text).value(), all);
  EXPECT_EQ(from_hex("0x" + text).value(), all);
  EXPECT_EQ(from_hex("0xFFa0").value(), (Bytes{0xff, 0xa0}));
}

TEST(Bytes, from_hex_names_the_offset_of_what_is_wrong) {
  EXPECT_NE(from_hex("0x00zz").error().message.find("offset 2"), std::string::npos);
  EXPECT_NE(from_hex("abc").error().message.find("odd length 3"), std::string::npos);
  EXPECT_FALSE(fixed_from_hex<4>("0011223344"));
  EXPECT_EQ(fixed_from_hex<2>("0011").value(), (FixedBytes<2>{0, 0x11}));
}

TEST(Bytes, integers_are_little_endian) {
  Bytes out;
  append_le<std::uint32_t>(out, 0x01020304);
  EXPECT_EQ(out, (Bytes{4, 3, 2, 1}));
  EXPECT_EQ(load_le<std::uint32_t>(out.data()), 0x01020304u);
}

}  // namespace
}  // namespace adit
