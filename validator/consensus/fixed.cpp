// SPDX-License-Identifier: MIT
#include "validator/consensus/fixed.hpp"

namespace adit::validator {
namespace {

constexpr UInt128 kI64F64Max = (UInt128{1} << 127) - 1;

UInt128 raw_i64f64(std::uint64_t value) {
  const UInt128 raw = static_cast<UInt128>(value) << 64;
  return raw > kI64F64Max ? kI64F64Max : raw;
}

}  // namespace

I32F32 exp_clamped(I32F32 x) {
  const std::int64_t one = I32F32::one().raw();
  const std::int64_t limit = 20 * one;
  const std::int64_t op = std::clamp(x.raw(), -limit, limit);
  if (op == 0) return I32F32::one();
  // e as I9F23, widened: what the chain returns for exactly 1.
  if (op == one) return I32F32::from_raw(std::int64_t{22802600} << 9);
  const Int128 size = op < 0 ? -op : op;
  Int128 result = size + one;
  Int128 term = size;
  for (int i = 2; i < 32; ++i) {
    term = (term * size) >> 32;
    term = term / i;
    result += term;
  }
  if (op < 0) result = (Int128{1} << 64) / result;
  return I32F32::from_raw(static_cast<std::int64_t>(result));
}

void I64F64Sum::add(std::uint64_t value) {
  const UInt128 raw = raw_i64f64(value);
  raw_ = raw > kI64F64Max - raw_ ? kI64F64Max : raw_ + raw;
}

I32F32 I64F64Sum::share_of(std::uint64_t part) const {
  if (raw_ == 0) return I32F32();
  // floor(part * 2^64 / sum) by long division: the dividend has 191 bits.
  const UInt128 dividend = raw_i64f64(part);
  UInt128 quotient = dividend / raw_;
  UInt128 rest = dividend % raw_;
  for (int bit = 0; bit < 64; ++bit) {
    // rest < raw_ < 2^127, so the shift loses nothing.
    rest <<= 1;
    quotient <<= 1;
    if (rest >= raw_) {
      rest -= raw_;
      quotient |= 1;
    }
  }
  const UInt128 cut = quotient >> 32;
  constexpr UInt128 most = std::numeric_limits<std::int64_t>::max();
  return I32F32::from_raw(static_cast<std::int64_t>(cut > most ? most : cut));
}

}  // namespace adit::validator
