// SPDX-License-Identifier: MIT
#include "common/scale/encoder.hpp"

namespace adit::scale {

void Encoder::u128(std::uint64_t low, std::uint64_t high) {
  u64(low);
  u64(high);
}

void Encoder::compact(std::uint64_t value) {
  if (value < (std::uint64_t{1} << 6)) return u8(static_cast<std::uint8_t>(value << 2));
  if (value < (std::uint64_t{1} << 14)) return u16(static_cast<std::uint16_t>(value << 2 | 1));
  if (value < (std::uint64_t{1} << 30)) return u32(static_cast<std::uint32_t>(value << 2 | 2));
  compact_u128(value, 0);
}

void Encoder::compact_u128(std::uint64_t low, std::uint64_t high) {
  if (high == 0 && low < (std::uint64_t{1} << 30)) return compact(low);
  Bytes digits;
  append_le(digits, low);
  append_le(digits, high);
  while (digits.size() > 4 && digits.back() == 0) digits.pop_back();
  u8(static_cast<std::uint8_t>((digits.size() - 4) << 2 | 3));
  raw(digits);
}

void Encoder::bytes(ByteView bytes) {
  compact(bytes.size());
  raw(bytes);
}

}  // namespace adit::scale
