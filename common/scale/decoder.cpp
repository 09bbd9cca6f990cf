// SPDX-License-Identifier: MIT
#include "common/scale/decoder.hpp"

#include "common/base/limits.hpp"

namespace adit::scale {

Result<ByteView> Decoder::raw(std::size_t size) {
  if (size > remaining()) {
    return invalid_argument("offset {}: expected {} bytes, {} left", offset_, size, remaining());
  }
  const ByteView view = bytes_.subspan(offset_, size);
  offset_ += size;
  return view;
}

template <class T>
Result<T> Decoder::integer() {
  ADIT_TRY(const ByteView view, raw(sizeof(T)));
  return load_le<T>(view.data());
}

Result<std::uint8_t> Decoder::u8() { return integer<std::uint8_t>(); }
Result<std::uint16_t> Decoder::u16() { return integer<std::uint16_t>(); }
Result<std::uint32_t> Decoder::u32() { return integer<std::uint32_t>(); }
Result<std::uint64_t> Decoder::u64() { return integer<std::uint64_t>(); }

Result<std::array<std::uint64_t, 2>> Decoder::u128() {
  ADIT_TRY(const ByteView view, raw(16));
  return std::array{load_le<std::uint64_t>(view.data()), load_le<std::uint64_t>(view.data() + 8)};
}

Result<bool> Decoder::boolean() {
  ADIT_TRY(const std::uint8_t value, u8());
  if (value > 1) {
    --offset_;
    return invalid_argument("offset {}: expected a boolean (0 or 1), got {}", offset_, value);
  }
  return value == 1;
}

Result<std::array<std::uint64_t, 2>> Decoder::compact_u128() {
  if (done()) return invalid_argument("offset {}: expected a compact integer, 0 bytes left", offset_);
  const std::size_t start = offset_;
  const std::uint8_t first = bytes_[offset_];
  const std::uint8_t form = first & 3;
  const bool wide = form == 3;
  // Forms 0, 1, 2 share their first byte with the value; form 3 gives the count of the bytes that follow.
  const std::size_t size = wide ? std::size_t{first} / 4 + 4 : std::size_t{1} << form;
  if (size > 16) {
    return invalid_argument("offset {}: compact integer of {} bytes, at most 16 expected", start, size);
  }
  if (size + (wide ? 1 : 0) > remaining()) {
    return invalid_argument("offset {}: compact integer of {} bytes, {} left", start, size, remaining());
  }
  FixedBytes<16> digits{};
  std::copy_n(bytes_.begin() + static_cast<std::ptrdiff_t>(start + (wide ? 1 : 0)), size, digits.begin());
  std::array value{load_le<std::uint64_t>(digits.data()), load_le<std::uint64_t>(digits.data() + 8)};
  bool shortest = true;
  if (wide) {
    shortest = digits[size - 1] != 0 && (size > 4 || value[0] >> 30 != 0);
  } else {
    value[0] >>= 2;
    shortest = form == 0 || (form == 1 && value[0] >> 6 != 0) || (form == 2 && value[0] >> 14 != 0);
  }
  if (!shortest) return invalid_argument("offset {}: compact integer is not in its shortest form", start);
  offset_ += size + (wide ? 1 : 0);
  return value;
}

Result<std::uint64_t> Decoder::compact() {
  const std::size_t start = offset_;
  ADIT_TRY(const auto value, compact_u128());
  if (value[1] != 0) {
    offset_ = start;
    return invalid_argument("offset {}: compact integer is wider than 64 bits", start);
  }
  return value[0];
}

Result<ByteView> Decoder::bytes() {
  const std::size_t start = offset_;
  ADIT_TRY(const std::uint64_t size, compact());
  if (size > remaining()) {
    const std::size_t left = remaining();
    offset_ = start;
    return invalid_argument("offset {}: length {} but {} bytes left", start, size, left);
  }
  return raw(static_cast<std::size_t>(size));
}

Result<std::size_t> Decoder::count(std::size_t item_bytes_min) {
  const std::size_t start = offset_;
  ADIT_TRY(const std::uint64_t items, compact());
  const std::size_t left = remaining();
  const bool fits = item_bytes_min == 0 || items <= left / item_bytes_min;
  if (items > limits::kScaleItemsMax || !fits) {
    offset_ = start;
    return invalid_argument("offset {}: count {} but {} bytes left and at most {} items allowed", start,
                            items, left, limits::kScaleItemsMax);
  }
  return static_cast<std::size_t>(items);
}

}  // namespace adit::scale
