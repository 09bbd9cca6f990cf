// SPDX-License-Identifier: MIT
// kernels/linear/avx512_byte_tiles.h
//
// Tiles of u4 as the A8g32 panels read them: codes as bytes, and a group's scales beside its offsets. To take a nibble
// out costs as much as half a multiplication: worth doing once for many tokens.
//
// In       tiles whose s and o + 7 s fit int16 (LinearWeights::raised_fit).
// Shapes   ByteGroup[tile][group]
// Threads  an object belongs to one thread.
// Tests    tests/unit/kernels/linear_panels_test.cpp
#pragma once

#include <cstddef>
#include <cstdint>

#include <immintrin.h>

#include "kernels/linear/avx512_block.h"
#include "kernels/linear/panel.h"

namespace adit::kernels {
namespace {

struct alignas(64) ByteGroup {
  // [four columns][16 rows x 4], 0..15.
  std::uint8_t q[kGroup / 4][64];
  // The lower int16: s; the upper one: o + 7 s.
  std::int32_t s[kTileRows];
};

class ByteTiles {
 public:
  // Groups of all tiles together: two tiles of 20 480 columns.
  static constexpr int kGroupsMost = 1280;

  // Tiles [first, last); (last - first) * groups <= kGroupsMost.
  void widen(const LinearWeights& weights, int groups, int first, int last) {
    first_ = first;
    groups_ = groups;
    for (int index = first; index < last; ++index) {
      Tile tile;
      set_tile<true>(weights, index, tile);
      for (int group = 0; group < groups; ++group) widen(tile, group, at(index)[group]);
    }
  }

  const ByteGroup* at(int index) const { return memory_ + std::ptrdiff_t{index - first_} * groups_; }

 private:
  ByteGroup* at(int index) { return memory_ + std::ptrdiff_t{index - first_} * groups_; }

  ADIT_INLINE static void widen(const Tile& tile, int group, ByteGroup& to) {
    ADIT_UNROLL for (int j = 0; j < kGroup / 8; ++j) {
      __m512i even, odd;
      load_codes<true>(tile, group, j, even, odd);
      _mm512_store_si512(to.q[2 * j], even);
      _mm512_store_si512(to.q[2 * j + 1], odd);
    }
    const __m512i s = load_scales(tile, group);
    const __m512i upper = _mm512_slli_epi32(raised_offsets(tile, group, s), 16);
    _mm512_store_si512(to.s, _mm512_or_si512(s, upper));
  }

  ByteGroup memory_[kGroupsMost];
  int first_ = 0;
  int groups_ = 0;
};

}  // namespace
}  // namespace adit::kernels
