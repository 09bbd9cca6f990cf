// SPDX-License-Identifier: MIT
// validator/localnet/codec.hpp
//
// SCALE of the plain C++ types that the local chain keeps in storage, events and call arguments.
//
// In       bool, integers of 1 to 8 bytes, byte arrays, Wide (u128), vectors, pairs and tuples of these.
// Out      encoded(value); decoded<T>(bytes) wants exactly one value.
// Errors   decoded: as scale::Decoder, and kInvalidArgument when bytes are left over.
// Threads  pure; any thread.
// Tests    tests/unit/validator/localnet/state_test.cpp
#pragma once

#include <array>
#include <cstdint>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include "common/base/bytes.hpp"
#include "common/scale/decoder.hpp"
#include "common/scale/encoder.hpp"

namespace adit::validator {

// An unsigned integer of 128 bits, {low, high}.
using Wide = std::array<std::uint64_t, 2>;

template <class T>
struct IsVector : std::false_type {};
template <class T>
struct IsVector<std::vector<T>> : std::true_type {};
template <class T>
struct IsBytes : std::false_type {};
template <std::size_t N>
struct IsBytes<std::array<std::uint8_t, N>> : std::true_type {};

template <class T>
void encode_to(scale::Encoder& out, const T& value) {
  if constexpr (std::is_same_v<T, bool>) {
    out.boolean(value);
  } else if constexpr (std::is_integral_v<T>) {
    Bytes bytes;
    append_le(bytes, value);
    out.raw(bytes);
  } else if constexpr (std::is_same_v<T, Wide>) {
    out.u128(value[0], value[1]);
  } else if constexpr (IsBytes<T>::value) {
    out.raw(value);
  } else if constexpr (IsVector<T>::value) {
    out.compact(value.size());
    for (auto&& item : value) encode_to<typename T::value_type>(out, item);
  } else {
    std::apply([&](const auto&... items) { (encode_to(out, items), ...); }, value);
  }
}

template <class T>
Result<T> decode_from(scale::Decoder& in);

template <class T>
Result<void> decode_into(scale::Decoder& in, T& out) {
  ADIT_TRY(out, decode_from<T>(in));
  return {};
}

template <class T>
Result<T> decode_from(scale::Decoder& in) {
  if constexpr (std::is_same_v<T, bool>) {
    return in.boolean();
  } else if constexpr (std::is_integral_v<T>) {
    ADIT_TRY(const ByteView bytes, in.raw(sizeof(T)));
    return load_le<T>(bytes.data());
  } else if constexpr (std::is_same_v<T, Wide>) {
    return in.u128();
  } else if constexpr (IsBytes<T>::value) {
    return in.fixed<std::tuple_size_v<T>>();
  } else if constexpr (IsVector<T>::value) {
    ADIT_TRY(const std::size_t count, in.count(1));
    T out;
    out.reserve(count);
    for (std::size_t i = 0; i < count; ++i) {
      ADIT_TRY(auto item, decode_from<typename T::value_type>(in));
      out.push_back(std::move(item));
    }
    return out;
  } else {
    T out;
    Result<void> done;
    std::apply([&](auto&... items) { ((done = done ? decode_into(in, items) : done), ...); }, out);
    if (!done) return tl::unexpected<Error>(done.error());
    return out;
  }
}

template <class... Ts>
[[nodiscard]] Bytes encoded(const Ts&... values) {
  scale::Encoder out;
  (encode_to(out, values), ...);
  return out.take();
}

template <class T>
[[nodiscard]] Result<T> decoded(ByteView bytes) {
  scale::Decoder in(bytes);
  ADIT_TRY(T value, decode_from<T>(in));
  if (!in.done()) return invalid_argument("offset {}: {} bytes left over", in.offset(), in.remaining());
  return value;
}

}  // namespace adit::validator
