// SPDX-License-Identifier: MIT
// kernels/linear/avx512_panel.h
//
// The linear layer with AVX-512 VNNI for whole panels of tokens (panel.h) and two tiles, scales of 32 columns. The loop
// over the groups is avx512_panel_a16.h or avx512_panel_a8.h; here is what goes before and after it.
//
// In       the tokens of a panel from `token`, its first, on; two neighbouring tiles from `index` on, of those that
//          Panels::begin was told of.
// Out      Panels::run takes a block on, and writes the results of the one before: their conversion to floats waits for
//          sums, and would keep the next block's multiplications waiting. finish writes the last one's.
// Exact    A16: int32 sums of each plane, proved to fit (block_fits). A8g32: proved, or as follows (panel_holds).
//          A group's product p = s * dot + o * sum fits int32 (Cauchy-Schwarz on a group). Let S = sum p * 2^shift over
//          at most 128 groups. `low` is S modulo 2^32; `high` adds up floor(p 2^shift / 2^25) in int16, whose
//          wrap-around on the way is harmless as |S| < 2^39. So 0 <= S - 2^25 high < 128 * 2^25 = 2^32, and low tells
//          which of these numbers it is.
//          u4: codes - 7 makes a group's dot fit int16 ([-7, 8] * [-128, 127] * 32), and so one instruction
//          multiplies it with s and the group's sum of X with o + 7 s, if these fit int16 too (raised_fit).
// Threads  an object belongs to one thread.
// Source   kernels/NUMERICS.md, "Linear layer"
// Tests    tests/unit/kernels/linear_panels_test.cpp
#pragma once

#include <cstddef>
#include <cstdint>
#include <type_traits>

#include <immintrin.h>

#include "kernels/linear/avx512_block.h"
#include "kernels/linear/avx512_panel_a16.h"
#include "kernels/linear/avx512_panel_a8.h"
#include "kernels/linear/panel.h"

namespace adit::kernels {
namespace {

// Fewer tokens do not pay for codes as bytes.
constexpr int kBytesFrom = 8;
// Groups whose sum `low` and `high` tell exactly.
constexpr int kSplitGroups = 128;

// Sums of 16 rows in int64, the first eight rows apart.
struct RowSums {
  __m512i first;
  __m512i second;
};

// S of its low 32 bits and what `high` says of it (see above).
inline RowSums join_split(__m512i low, __m512i high) {
  const __m512i above = _mm512_sub_epi32(low, _mm512_slli_epi32(high, kPanelHighBits));
  const auto half = [](__m256i h, __m256i a) {
    return _mm512_add_epi64(_mm512_slli_epi64(_mm512_cvtepi32_epi64(h), kPanelHighBits), _mm512_cvtepu32_epi64(a));
  };
  return {half(_mm512_castsi512_si256(high), _mm512_castsi512_si256(above)),
          half(_mm512_extracti64x4_epi64(high, 1), _mm512_extracti64x4_epi64(above, 1))};
}

// float(S), rounded once: S = 2^16 * upper + lower, both exact as floats (|S| < 2^39), goes through one fma.
ADIT_INLINE __m512 split_to_float(__m512i low, __m512i high) {
  const __m512i above = _mm512_sub_epi32(low, _mm512_slli_epi32(high, kPanelHighBits));
  const __m512i upper = _mm512_add_epi32(_mm512_slli_epi32(high, kPanelHighBits - 16), _mm512_srli_epi32(above, 16));
  const __m512i lower = _mm512_and_si512(low, _mm512_set1_epi32(0xffff));
  return _mm512_fmadd_ps(_mm512_cvtepi32_ps(upper), _mm512_set1_ps(65536.0f), _mm512_cvtepi32_ps(lower));
}

// Whether a group's product always fits int32, and the sums of tokens [begin, end) are below 2^38.5.
inline bool panel_holds(const LinearCall& call, int begin, int end) {
  constexpr std::uint64_t kGroupSquares = std::uint64_t{kGroup} * 127 * 127;
  bool holds = kGroupSquares <= call.sq_limit;
  for (int token = begin; token < end; ++token) holds &= call.act->sq_hi(token) >> 15 <= call.sq_limit;
  return holds;
}

template <bool kForm, int kPlanes>
class Panels {
 public:
  static constexpr bool kU4 = kForm;
  static constexpr int kTiles = 2;
  static constexpr int kTokens = kPanelTokens<kPlanes>;

  static constexpr bool kIsBytes = kU4 && kPlanes == 1;
  // Of a tile, what its blocks read.
  static constexpr int kGroupBytes = kIsBytes ? static_cast<int>(sizeof(ByteGroup)) : kU4 ? 256 : 512;

  // Whether any block may be run.
  static bool serves(const LinearCall& call) {
    if (kIsBytes && (call.act->n() < kBytesFrom || kTiles * call.act->groups() > ByteTiles::kGroupsMost)) return false;
    return !kU4 || call.weights->raised_fit;
  }

  // Before blocks of tiles [first, last).
  void begin(const LinearCall& call, int first, int last) {
    if constexpr (kIsBytes) bytes_.widen(*call.weights, call.act->groups(), first, last);
  }

  // Whether run may take a block of `tiles` tiles and tokens [token, token + count).
  bool takes(const LinearCall& call, int tiles, int token, int count) {
    if (tiles != kTiles || count != kTokens) return false;
    if (token != seen_) {
      seen_ = token;
      fits_ = block_fits(call, token, token + count);
      holds_ = kPlanes == 1 && panel_holds(call, token, token + count);
    }
    return fits_ || holds_;
  }

  // A block that it takes, asked just before.
  void run(const LinearCall& call, int index, int token, const Ahead& ahead) {
    Block& block = blocks_[turn_];
    for (int i = 0; i < kTiles; ++i) set_tile<kU4>(*call.weights, index + i, block.tile[i]);
    block.index = index;
    block.token = token;
    block.kind = Kind::kNarrow;
    if constexpr (kPlanes == 2) {
      loop_a16<kU4>(loop_of(call, block, call.act->panel_a16(token), 0, call.act->groups(), ahead), block.sums);
    } else if (fits_) {
      loop_a8<kU4, true>(loop_of(call, block, call.act->panel_a8(token), 0, call.act->groups(), ahead), block.sums);
    } else {
      split(call, block, ahead);
    }
    if (due_) write(call, blocks_[1 - turn_]);
    turn_ = 1 - turn_;
    due_ = true;
  }

  // Writes the results of the last block.
  void finish(const LinearCall& call) {
    if (due_) write(call, blocks_[1 - turn_]);
    due_ = false;
  }

 private:
  enum class Kind { kNarrow, kSplit, kSegments };
  struct Block {
    Tile tile[2];
    int index;
    int token;
    Kind kind;
    __m512i sums[12];
    // kSegments: the sums of the groups before.
    RowSums before[kPlanes == 1 ? 2 * kTokens : 1];
  };

  template <class Group>
  PanelLoop loop_of(const LinearCall& call, const Block& block, const Group* x, int begin, int end,
                    const Ahead& ahead) const {
    constexpr std::ptrdiff_t kStored = kU4 ? 256 : 512;
    const std::ptrdiff_t tile_bytes = call.act->groups() * kStored;
    const std::ptrdiff_t from = begin * kStored;
    PanelLoop loop{};
    loop.x = x + begin;
    loop.groups = end - begin;
    (ahead.reach == Reach::kLater ? loop.later : loop.soon) = ahead.end - ahead.begin;
    for (int i = 0; i < 2; ++i) {
      const Tile& tile = block.tile[i];
      if constexpr (kIsBytes) {
        loop.q[i] = bytes_.at(block.index + i)[begin].q[0];
      } else {
        loop.q[i] = tile.q + from;
      }
      loop.s[i] = tile.s + scales_at(tile, begin);
      loop.o[i] = kU4 ? tile.o + scales_at(tile, begin) : nullptr;
      loop.ahead[i] = ahead.q == nullptr ? tile.q : ahead.q + ahead.begin + i * tile_bytes + from;
    }
    return loop;
  }

  void split(const LinearCall& call, Block& block, const Ahead& ahead) const {
    const PanelGroup<1>* const x = call.act->panel_a8(block.token);
    const int groups = call.act->groups();
    block.kind = Kind::kSplit;
    for (int begin = 0;; begin += kSplitGroups) {
      const int end = groups - begin <= kSplitGroups ? groups : begin + kSplitGroups;
      loop_a8<kU4, false>(loop_of(call, block, x, begin, end, ahead), block.sums);
      if (end == groups) return;
      for (int cell = 0; cell < 2 * kTokens; ++cell) block.before[cell] = segment_sums(block, cell);
      block.kind = Kind::kSegments;
    }
  }

  // A cell: token cell / 2 and tile cell % 2.
  ADIT_INLINE static __m512i high(const Block& block, int cell) {
    const __m512i both = block.sums[2 * kTokens + cell / 2];
    return _mm512_srai_epi32(cell % 2 == 0 ? _mm512_slli_epi32(both, 16) : both, 16);
  }
  // kSegments: with the segments before.
  static RowSums segment_sums(const Block& block, int cell) {
    RowSums sums = join_split(block.sums[cell], high(block, cell));
    if (block.kind == Kind::kSegments) {
      sums.first = _mm512_add_epi64(sums.first, block.before[cell].first);
      sums.second = _mm512_add_epi64(sums.second, block.before[cell].second);
    }
    return sums;
  }

  template <Kind kKind>
  ADIT_INLINE static __m512 value(const Block& block, int cell) {
    if constexpr (kPlanes == 2) return planes_to_float(block.sums[cell], block.sums[2 * kTokens + cell]);
    if constexpr (kKind == Kind::kNarrow) return _mm512_cvtepi32_ps(block.sums[cell]);
    if constexpr (kKind == Kind::kSplit) return split_to_float(block.sums[cell], high(block, cell));
    const RowSums sums = segment_sums(block, cell);
    return join(_mm512_cvtepi64_ps(sums.first), _mm512_cvtepi64_ps(sums.second));
  }

  template <Kind kKind>
  static void write_as(const LinearCall& call, const Block& block) {
    ADIT_UNROLL for (int i = 0; i < kTiles; ++i) {
      __m512 values[kTokens];
      ADIT_UNROLL for (int t = 0; t < kTokens; ++t) values[t] = value<kKind>(block, 2 * t + i);
      store_rows(call, block.tile[i], block.index + i, block.token, values);
    }
  }
  static void write(const LinearCall& call, const Block& block) {
    switch (block.kind) {
      case Kind::kNarrow:
        write_as<Kind::kNarrow>(call, block);
        break;
      case Kind::kSplit:
        write_as<Kind::kSplit>(call, block);
        break;
      case Kind::kSegments:
        write_as<Kind::kSegments>(call, block);
        break;
    }
  }

  struct None {};
  std::conditional_t<kIsBytes, ByteTiles, None> bytes_;
  Block blocks_[2];
  int turn_ = 0;
  bool due_ = false;
  // The tokens last asked about, and their sums: whether int32 holds them, whether the split sums do.
  int seen_ = -1;
  bool fits_ = false;
  bool holds_ = false;
};

}  // namespace
}  // namespace adit::kernels
