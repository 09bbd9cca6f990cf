// SPDX-License-Identifier: MIT
#include <algorithm>
#include <bit>

#include "common/chain/extrinsic.hpp"

namespace adit::chain {
namespace {

constexpr std::uint64_t kPeriodMin = 4;
constexpr std::uint64_t kPeriodMax = 65536;

// Phases of long periods are kept in steps of this many blocks.
std::uint64_t quantum(std::uint64_t period) {
  return std::max<std::uint64_t>(period >> 12, 1);
}

}  // namespace

Era Era::mortal(std::uint64_t period, BlockNumber current) {
  const std::uint64_t rounded = std::bit_ceil(std::clamp(period, kPeriodMin, kPeriodMax));
  const std::uint64_t step = quantum(rounded);
  return Era{rounded, current % rounded / step * step};
}

Bytes Era::encode() const {
  if (period == 0) return {0};
  const auto log2 = static_cast<std::uint64_t>(std::countr_zero(period));
  const std::uint64_t value = std::clamp<std::uint64_t>(log2 - 1, 1, 15) | (phase / quantum(period)) << 4;
  Bytes out;
  append_le(out, static_cast<std::uint16_t>(value));
  return out;
}

Result<Era> Era::decode(scale::Decoder& in) {
  const std::size_t at = in.offset();
  ADIT_TRY(const std::uint8_t first, in.u8());
  if (first == 0) return Era::immortal();
  ADIT_TRY(const std::uint8_t second, in.u8());
  const std::uint64_t value = first | std::uint64_t{second} << 8;
  Era era;
  era.period = std::uint64_t{2} << (value % 16);
  era.phase = (value >> 4) * quantum(era.period);
  if (era.period < kPeriodMin || era.phase >= era.period) {
    return invalid_argument("offset {}: era {:02x}{:02x}", at, first, second);
  }
  return era;
}

BlockNumber Era::birth(BlockNumber current) const {
  if (period == 0) return 0;
  return (std::max(current, phase) - phase) / period * period + phase;
}

std::optional<BlockNumber> Era::death(BlockNumber current) const {
  if (period == 0) return std::nullopt;
  return birth(current) + period;
}

}  // namespace adit::chain
