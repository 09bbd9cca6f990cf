// SPDX-License-Identifier: MIT
// validator/consensus/fixed.hpp
//
// The chain's fixed-point numbers: I32F32 (64 bits, 32 of them after the point) and what the epoch needs of
// I64F64. Every operation gives the same bits on every machine.
//
// Out      sums, differences and products saturate; a product is rounded down, a quotient towards zero;
//          a quotient by zero or one that does not fit is 0.
// Units    raw() counts 2^-32.
// Errors   none: every operation is total.
// Threads  plain values.
// Source   the rules of substrate-fixed v0.6.0 as the chain's epoch uses them.
// Tests    tests/unit/validator/consensus/fixed_test.cpp
#pragma once

#include <algorithm>
#include <compare>
#include <cstdint>
#include <limits>

namespace adit::validator {

__extension__ typedef __int128 Int128;
__extension__ typedef unsigned __int128 UInt128;

class I32F32 {
 public:
  constexpr I32F32() = default;
  [[nodiscard]] static constexpr I32F32 from_raw(std::int64_t raw) { return I32F32(raw); }
  [[nodiscard]] static constexpr I32F32 from_int(std::int64_t value) {
    return saturate(static_cast<Int128>(value) * (Int128{1} << 32));
  }
  // value / 65535, the chain's reading of a u16 share.
  [[nodiscard]] static constexpr I32F32 share(std::uint16_t value) {
    return from_int(value) / from_int(65535);
  }
  [[nodiscard]] static constexpr I32F32 one() { return I32F32(std::int64_t{1} << 32); }
  [[nodiscard]] static constexpr I32F32 half() { return I32F32(std::int64_t{1} << 31); }

  [[nodiscard]] constexpr std::int64_t raw() const { return raw_; }
  [[nodiscard]] constexpr bool is_zero() const { return raw_ == 0; }
  [[nodiscard]] constexpr bool is_positive() const { return raw_ > 0; }
  // floor(this * 65535), clamped to u16.
  [[nodiscard]] constexpr std::uint16_t to_share() const {
    const std::int64_t value = (*this * from_int(65535)).raw_ >> 32;
    return static_cast<std::uint16_t>(std::clamp<std::int64_t>(value, 0, 65535));
  }
  // floor(this * amount), clamped to u64 (computed in I96F32).
  [[nodiscard]] constexpr std::uint64_t of_amount(std::uint64_t amount) const {
    if (raw_ <= 0) return 0;
    const UInt128 value = (static_cast<UInt128>(raw_) * amount) >> 32;
    constexpr std::uint64_t most = std::numeric_limits<std::uint64_t>::max();
    return value > most ? most : static_cast<std::uint64_t>(value);
  }

  friend constexpr auto operator<=>(I32F32, I32F32) = default;
  friend constexpr I32F32 operator+(I32F32 a, I32F32 b) { return saturate(Int128{a.raw_} + b.raw_); }
  friend constexpr I32F32 operator-(I32F32 a, I32F32 b) { return saturate(Int128{a.raw_} - b.raw_); }
  friend constexpr I32F32 operator*(I32F32 a, I32F32 b) {
    return saturate((Int128{a.raw_} * b.raw_) >> 32);
  }
  friend constexpr I32F32 operator/(I32F32 a, I32F32 b) {
    if (b.raw_ == 0) return I32F32();
    const Int128 quotient = Int128{a.raw_} * (Int128{1} << 32) / b.raw_;
    if (quotient > std::numeric_limits<std::int64_t>::max() ||
        quotient < std::numeric_limits<std::int64_t>::min()) {
      return I32F32();
    }
    return I32F32(static_cast<std::int64_t>(quotient));
  }
  constexpr I32F32& operator+=(I32F32 other) { return *this = *this + other; }

 private:
  explicit constexpr I32F32(std::int64_t raw) : raw_(raw) {}
  static constexpr I32F32 saturate(Int128 raw) {
    constexpr Int128 low = std::numeric_limits<std::int64_t>::min();
    constexpr Int128 high = std::numeric_limits<std::int64_t>::max();
    return I32F32(static_cast<std::int64_t>(std::clamp(raw, low, high)));
  }

  std::int64_t raw_ = 0;
};

// e^x for x clamped to [-20, 20]: the chain's Taylor sum of 32 terms.
[[nodiscard]] I32F32 exp_clamped(I32F32 x);

// part / whole, both whole numbers of any size taken through I64F64 (which saturates at 2^63 - 2^-64) and cut
// to I32F32; 0 when whole is 0.
class I64F64Sum {
 public:
  void add(std::uint64_t value);
  [[nodiscard]] bool is_zero() const { return raw_ == 0; }
  [[nodiscard]] I32F32 share_of(std::uint64_t part) const;

 private:
  // raw I64F64, never negative
  UInt128 raw_ = 0;
};

}  // namespace adit::validator
