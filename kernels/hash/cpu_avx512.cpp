// SPDX-License-Identifier: MIT
#include <immintrin.h>

#include "kernels/hash/blake2b.h"

namespace adit::kernels::blake2b {
namespace {

struct EightLanes {
  using Reg = __m512i;
  static constexpr int kLanes = 8;
  static Reg set(std::uint64_t value) { return _mm512_set1_epi64(static_cast<long long>(value)); }
  static Reg add(Reg a, Reg b) { return _mm512_add_epi64(a, b); }
  static Reg xor_(Reg a, Reg b) { return _mm512_xor_si512(a, b); }
  template <int R>
  static Reg rot(Reg a) {
    return _mm512_ror_epi64(a, R);
  }
  static void load_block(Reg (&m)[16], const std::uint8_t* const* row, std::size_t offset) {
    for (int half = 0; half < 2; ++half) {
      __m512i r[8];
      for (int lane = 0; lane < 8; ++lane) {
        r[lane] = _mm512_loadu_si512(row[lane] + offset + static_cast<std::size_t>(half) * 64);
      }
      transpose(r, m + half * 8);
    }
  }

 private:
  // 8 x 8 words: out[j] lane i = in[i] lane j.
  static void transpose(const __m512i* in, __m512i* out) {
    __m512i a[8];
    for (int i = 0; i < 4; ++i) {
      a[2 * i] = _mm512_unpacklo_epi64(in[2 * i], in[2 * i + 1]);
      a[2 * i + 1] = _mm512_unpackhi_epi64(in[2 * i], in[2 * i + 1]);
    }
    const __m512i c0 = _mm512_shuffle_i64x2(a[0], a[2], 0x88);
    const __m512i c1 = _mm512_shuffle_i64x2(a[1], a[3], 0x88);
    const __m512i c2 = _mm512_shuffle_i64x2(a[0], a[2], 0xdd);
    const __m512i c3 = _mm512_shuffle_i64x2(a[1], a[3], 0xdd);
    const __m512i c4 = _mm512_shuffle_i64x2(a[4], a[6], 0x88);
    const __m512i c5 = _mm512_shuffle_i64x2(a[5], a[7], 0x88);
    const __m512i c6 = _mm512_shuffle_i64x2(a[4], a[6], 0xdd);
    const __m512i c7 = _mm512_shuffle_i64x2(a[5], a[7], 0xdd);
    out[0] = _mm512_shuffle_i64x2(c0, c4, 0x88);
    out[4] = _mm512_shuffle_i64x2(c0, c4, 0xdd);
    out[1] = _mm512_shuffle_i64x2(c1, c5, 0x88);
    out[5] = _mm512_shuffle_i64x2(c1, c5, 0xdd);
    out[2] = _mm512_shuffle_i64x2(c2, c6, 0x88);
    out[6] = _mm512_shuffle_i64x2(c2, c6, 0xdd);
    out[3] = _mm512_shuffle_i64x2(c3, c7, 0x88);
    out[7] = _mm512_shuffle_i64x2(c3, c7, 0xdd);
  }
};

// Two sets of eight lanes side by side, so that no addition waits for the one before it.
struct SixteenLanes {
  struct Reg {
    __m512i low;
    __m512i high;
  };
  static constexpr int kLanes = 16;
  static Reg set(std::uint64_t value) { return {EightLanes::set(value), EightLanes::set(value)}; }
  static Reg add(Reg a, Reg b) { return {EightLanes::add(a.low, b.low), EightLanes::add(a.high, b.high)}; }
  static Reg xor_(Reg a, Reg b) { return {EightLanes::xor_(a.low, b.low), EightLanes::xor_(a.high, b.high)}; }
  template <int R>
  static Reg rot(Reg a) {
    return {EightLanes::rot<R>(a.low), EightLanes::rot<R>(a.high)};
  }
  static void load_block(Reg (&m)[16], const std::uint8_t* const* row, std::size_t offset) {
    __m512i low[16];
    __m512i high[16];
    EightLanes::load_block(low, row, offset);
    EightLanes::load_block(high, row + 8, offset);
    for (int i = 0; i < 16; ++i) m[i] = {low[i], high[i]};
  }
};

}  // namespace

void hash_lanes_16_avx512(const Personal& personal, const std::uint8_t* const* row,
                          std::size_t row_bytes, std::uint8_t* const* out) {
  hash_lanes<SixteenLanes>(personal, row, row_bytes, out);
}

void hash_lanes_8_avx512(const Personal& personal, const std::uint8_t* const* row,
                         std::size_t row_bytes, std::uint8_t* const* out) {
  hash_lanes<EightLanes>(personal, row, row_bytes, out);
}

}  // namespace adit::kernels::blake2b
