// SPDX-License-Identifier: MIT
// common/scale/encoder.hpp
//
// Writes SCALE, the chain's binary form: little-endian integers, compact integers, length-prefixed bytes.
//
// Out      take() gives the bytes written so far and leaves the encoder empty.
// Errors   none: every value has an encoding.
// Threads  one thread per encoder.
// Source   docs.polkadot.com "SCALE codec"; compact: two low bits of the first byte give the form.
// Tests    tests/unit/common/scale/scale_test.cpp, tests/fuzz/scale_fuzz.cpp
#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>

#include "common/base/bytes.hpp"

namespace adit::scale {

class Encoder {
 public:
  void u8(std::uint8_t value) { out_.push_back(value); }
  void u16(std::uint16_t value) { append_le(out_, value); }
  void u32(std::uint32_t value) { append_le(out_, value); }
  void u64(std::uint64_t value) { append_le(out_, value); }
  void u128(std::uint64_t low, std::uint64_t high);
  // The shortest compact form of the value.
  void compact(std::uint64_t value);
  void compact_u128(std::uint64_t low, std::uint64_t high);
  void boolean(bool value) { u8(value ? 1 : 0); }
  // The bytes as they are: fixed-size arrays, account ids, already encoded values.
  void raw(ByteView bytes) { append(out_, bytes); }
  // Compact length, then the bytes: Vec<u8>, str, opaque calls.
  void bytes(ByteView bytes);

  [[nodiscard]] Bytes take() { return std::exchange(out_, {}); }
  [[nodiscard]] std::size_t size() const { return out_.size(); }

 private:
  Bytes out_;
};

}  // namespace adit::scale
