// SPDX-License-Identifier: MIT
// common/scale/decoder.hpp
//
// Reads SCALE from bytes that anyone may have made: never past the end, never a crash, one meaning per input.
//
// In       borrowed bytes; they outlive the decoder and every ByteView it gives out.
// Errors   kInvalidArgument  "offset N: …": too few bytes, a boolean that is not 0 or 1, a compact integer
//          that is not in its shortest form or too wide. A failed read moves nothing.
// Threads  one thread per decoder.
// Source   docs.polkadot.com "SCALE codec"; non-shortest compacts are refused as parity-scale-codec does.
// Tests    tests/unit/common/scale/scale_test.cpp, tests/fuzz/scale_fuzz.cpp
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>

#include "common/base/bytes.hpp"
#include "common/base/result.hpp"

namespace adit::scale {

class Decoder {
 public:
  explicit Decoder(ByteView bytes) : bytes_(bytes) {}

  [[nodiscard]] Result<std::uint8_t> u8();
  [[nodiscard]] Result<std::uint16_t> u16();
  [[nodiscard]] Result<std::uint32_t> u32();
  [[nodiscard]] Result<std::uint64_t> u64();
  // {low, high}
  [[nodiscard]] Result<std::array<std::uint64_t, 2>> u128();
  // A compact integer of at most 64 bits.
  [[nodiscard]] Result<std::uint64_t> compact();
  // A compact integer of at most 128 bits: {low, high}.
  [[nodiscard]] Result<std::array<std::uint64_t, 2>> compact_u128();
  [[nodiscard]] Result<bool> boolean();
  [[nodiscard]] Result<ByteView> raw(std::size_t size);
  // Compact length, then that many bytes.
  [[nodiscard]] Result<ByteView> bytes();
  // The item count in front of a sequence; refused when the bytes left cannot hold that many items of at
  // least `item_bytes_min` bytes, or when it is over limits::kScaleItemsMax.
  [[nodiscard]] Result<std::size_t> count(std::size_t item_bytes_min = 0);
  template <std::size_t N>
  [[nodiscard]] Result<FixedBytes<N>> fixed() {
    ADIT_TRY(const ByteView view, raw(N));
    FixedBytes<N> out;
    std::copy(view.begin(), view.end(), out.begin());
    return out;
  }

  [[nodiscard]] std::size_t offset() const { return offset_; }
  [[nodiscard]] std::size_t remaining() const { return bytes_.size() - offset_; }
  [[nodiscard]] bool done() const { return remaining() == 0; }

 private:
  template <class T>
  Result<T> integer();

  ByteView bytes_;
  std::size_t offset_ = 0;
};

}  // namespace adit::scale
