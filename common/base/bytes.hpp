// SPDX-License-Identifier: MIT
// common/base/bytes.hpp
//
// Byte containers used everywhere, and conversions to and from text.
//
// Out      Bytes owns, ByteView borrows, FixedBytes<N> is a value of exactly N bytes (compares by content).
// Errors   from_hex: kInvalidArgument naming the offset of the first bad character or the odd length.
// Threads  plain values.
// Tests    tests/unit/common/base/bytes_test.cpp
#pragma once

#include <array>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/result.hpp"

namespace adit {

using Bytes = std::vector<std::uint8_t>;
using ByteView = std::span<const std::uint8_t>;
template <std::size_t N>
using FixedBytes = std::array<std::uint8_t, N>;
using Hash256 = FixedBytes<32>;

// The bytes of a text, borrowed.
[[nodiscard]] inline ByteView as_bytes(std::string_view text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}
// The text of some bytes, borrowed.
[[nodiscard]] inline std::string_view as_text(ByteView bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}
[[nodiscard]] inline Bytes to_bytes(ByteView view) { return {view.begin(), view.end()}; }
inline void append(Bytes& out, ByteView more) { out.insert(out.end(), more.begin(), more.end()); }

// Little-endian integers, for formats that say so.
template <class T>
void append_le(Bytes& out, T value) {
  for (std::size_t i = 0; i < sizeof(T); ++i) {
    out.push_back(static_cast<std::uint8_t>(static_cast<std::uint64_t>(value) >> (8 * i)));
  }
}
template <class T>
[[nodiscard]] T load_le(const std::uint8_t* from) {
  T value;
  std::memcpy(&value, from, sizeof(T));  // every supported host is little-endian (static_assert in bytes.cpp)
  return value;
}

// Lower-case, without "0x".
[[nodiscard]] std::string to_hex(ByteView bytes);
// Accepts an optional "0x" and both cases.
[[nodiscard]] Result<Bytes> from_hex(std::string_view text);
// As from_hex, for exactly N bytes.
template <std::size_t N>
[[nodiscard]] Result<FixedBytes<N>> fixed_from_hex(std::string_view text) {
  ADIT_TRY(const Bytes bytes, from_hex(text));
  if (bytes.size() != N) return invalid_argument("expected {} bytes of hex, got {}", N, bytes.size());
  FixedBytes<N> out;
  std::memcpy(out.data(), bytes.data(), N);
  return out;
}

}  // namespace adit
