// SPDX-License-Identifier: MIT
// SCALE: the first bytes choose which reads to make on the rest. Whatever a read accepts must encode back to
// exactly the bytes it consumed, and a refused read must consume nothing.
#include <algorithm>
#include <cstdint>
#include <cstdlib>

#include "common/scale/decoder.hpp"
#include "common/scale/encoder.hpp"

namespace {

using adit::ByteView;
using adit::scale::Decoder;
using adit::scale::Encoder;

// True when the read was accepted.
bool read_and_write(Decoder& in, Encoder& out, unsigned kind) {
  const auto simple = [&](auto value, auto write) {
    if (value) write(*value);
    return value.has_value();
  };
  switch (kind % 10) {
    case 0: return simple(in.u8(), [&](auto v) { out.u8(v); });
    case 1: return simple(in.u16(), [&](auto v) { out.u16(v); });
    case 2: return simple(in.u32(), [&](auto v) { out.u32(v); });
    case 3: return simple(in.u64(), [&](auto v) { out.u64(v); });
    case 4: return simple(in.u128(), [&](auto v) { out.u128(v[0], v[1]); });
    case 5: return simple(in.compact(), [&](auto v) { out.compact(v); });
    case 6: return simple(in.compact_u128(), [&](auto v) { out.compact_u128(v[0], v[1]); });
    case 7: return simple(in.boolean(), [&](auto v) { out.boolean(v); });
    case 8: return simple(in.bytes(), [&](auto v) { out.bytes(v); });
    default: return simple(in.count(kind / 10), [&](auto v) { out.compact(v); });
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const ByteView input(data, size);
  const std::size_t program = std::min<std::size_t>(size, 16);
  const ByteView bytes = input.subspan(program);
  Decoder decoder(bytes);
  for (std::size_t i = 0; i < program; ++i) {
    const std::size_t before = decoder.offset();
    Encoder encoder;
    const bool accepted = read_and_write(decoder, encoder, data[i]);
    const std::size_t consumed = decoder.offset() - before;
    const adit::Bytes again = encoder.take();
    if (!std::ranges::equal(again, bytes.subspan(before, consumed))) std::abort();
    if (!accepted && consumed != 0) std::abort();
  }
  return 0;
}
