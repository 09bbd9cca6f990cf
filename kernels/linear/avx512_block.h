// SPDX-License-Identifier: MIT
// kernels/linear/avx512_block.h
//
// The inner loops of the linear layer with AVX-512 VNNI, for avx512.cpp; its smaller pieces also for sparse_avx512.h.
//
// In       one or two neighbouring tiles, one to four tokens from `token` on.
// Shapes   dot[t][p][i]: 16 rows of tile i for token t and plane p (A16 has two planes, A8g32 one).
// Out      narrow_a8, narrow_a16: int32 sums, which the caller has proved to fit; wide: int64 sums.
// Source   kernels/NUMERICS.md, "Linear layer"
// Tests    tests/unit/kernels/linear_test.cpp
#pragma once

#include <cstddef>
#include <cstdint>

#include <immintrin.h>

#include "kernels/linear/paths.h"
#include "kernels/linear/tile.h"

namespace adit::kernels {
namespace {

// Accumulators stay in registers only if everything that works on them is inlined and unrolled.
#define ADIT_INLINE __attribute__((always_inline)) inline
#define ADIT_UNROLL _Pragma("GCC unroll 8")
// A line of an assembly loop.
#define ADIT_ASM(line) line "\n\t"

// How weights are called for. kOnce: they are read once and then not before all others, so that no cache behind the
// first should take them (one thread decodes int8 8 to 10 % faster so; Zen 5). kLater: after much else, so that the
// first should not.
enum class Reach { kOnce, kSoon, kLater };

// Weights to call for while a group is worked on: bytes [begin, end) of the same group of the tiles at `q`.
struct Ahead {
  const std::uint8_t* q = nullptr;
  int begin = 0;
  int end = 0;
  Reach reach = Reach::kSoon;
};

// What a block of tokens reads, from its first token on.
template <bool kU4>
struct Tokens {
  Tokens(const ActBuffer& act, int token)
      : stride(act.k_pad()),
        groups(act.groups()),
        pairs(act.pairs()),
        plane{act.hi(token), act.form() == ActForm::kA16 ? act.lo(token) : nullptr},
        start{kU4 ? act.sum_hi(token) : act.bias_hi(token),
              kU4 ? act.sum_lo(token) : act.bias_lo(token)},
        pair{act.pair_hi(token), act.pair_lo(token)},
        shift(act.shift(token)) {}

  std::ptrdiff_t stride;
  std::ptrdiff_t groups;
  std::ptrdiff_t pairs;
  const std::int8_t* plane[2];
  // Group sums (u4), or what takes the codes' +128 away (int8).
  const std::int32_t* start[2];
  const std::int32_t* pair[2];
  const std::int32_t* shift;
};

// Four bytes, or one int32, to every lane. Written out: GCC 12 folds it into the multiplication, once for each.
ADIT_INLINE __m512i broadcast(const void* four) {
  struct Four {
    std::uint8_t bytes[4];
  };
  __m512i lanes;
  __asm__("vpbroadcastd %1, %0" : "=v"(lanes) : "m"(*static_cast<const Four*>(four)));
  return lanes;
}

ADIT_INLINE __m512i load_scales(const Tile& tile, int group) {
  return _mm512_cvtepu16_epi32(
      _mm256_loadu_si256(reinterpret_cast<const __m256i*>(tile.s + scales_at(tile, group))));
}

ADIT_INLINE __m512i load_offsets(const Tile& tile, int group) {
  return _mm512_cvtepi16_epi32(
      _mm256_loadu_si256(reinterpret_cast<const __m256i*>(tile.o + scales_at(tile, group))));
}

// The offsets that go with codes less kPanelCentre.
ADIT_INLINE __m512i raised_offsets(const Tile& tile, int group, __m512i s) {
  return _mm512_add_epi32(load_offsets(tile, group), _mm512_mullo_epi32(s, _mm512_set1_epi32(kPanelCentre)));
}

// Codes of columns 8j .. 8j + 3 and 8j + 4 .. 8j + 7 of a group.
template <bool kU4>
ADIT_INLINE void load_codes(const Tile& tile, int group, int j, __m512i& even, __m512i& odd) {
  if (kU4) {
    const __m512i low = _mm512_set1_epi8(15);
    const __m512i both = _mm512_loadu_si512(tile.q + std::ptrdiff_t{group} * 256 + 64 * j);
    even = _mm512_and_si512(both, low);
    odd = _mm512_and_si512(_mm512_srli_epi16(both, 4), low);
  } else {
    const std::uint8_t* q = tile.q + std::ptrdiff_t{group} * 512 + 128 * j;
    even = _mm512_loadu_si512(q);
    odd = _mm512_loadu_si512(q + 64);
  }
}

template <bool kU4>
ADIT_INLINE void prefetch(std::ptrdiff_t group, const Ahead& ahead) {
  constexpr std::ptrdiff_t kGroupBytes = kU4 ? 256 : 512;
  const std::uint8_t* q = ahead.q + group * kGroupBytes;
  for (int line = ahead.begin; line < ahead.end; line += 64) {
    const char* const at = reinterpret_cast<const char*>(q + line);
    ahead.reach == Reach::kOnce ? _mm_prefetch(at, _MM_HINT_NTA) : _mm_prefetch(at, _MM_HINT_T0);
  }
}

template <bool kU4, int kTiles, int kTokens, int kPlanes>
ADIT_INLINE void dot_group(const Tile* tiles, const Tokens<kU4>& x, int group,
                           const Ahead& ahead, __m512i (&dot)[kTokens][kPlanes][kTiles]) {
  ADIT_UNROLL for (int t = 0; t < kTokens; ++t) {
    ADIT_UNROLL for (int p = 0; p < kPlanes; ++p) {
      const __m512i start =
          kU4 ? _mm512_setzero_si512() : broadcast(x.start[p] + t * x.groups + group);
      ADIT_UNROLL for (int i = 0; i < kTiles; ++i) dot[t][p][i] = start;
    }
  }
  ADIT_UNROLL for (int j = 0; j < kGroup / 8; ++j) {
    __m512i even[kTiles];
    __m512i odd[kTiles];
    ADIT_UNROLL for (int i = 0; i < kTiles; ++i) {
      load_codes<kU4>(tiles[i], group, j, even[i], odd[i]);
    }
    ADIT_UNROLL for (int t = 0; t < kTokens; ++t) {
      ADIT_UNROLL for (int p = 0; p < kPlanes; ++p) {
        const std::int8_t* at = x.plane[p] + t * x.stride + group * kGroup + 8 * j;
        const __m512i low = broadcast(at);
        ADIT_UNROLL for (int i = 0; i < kTiles; ++i) {
          dot[t][p][i] = _mm512_dpbusd_epi32(dot[t][p][i], even[i], low);
        }
        const __m512i high = broadcast(at + 4);
        ADIT_UNROLL for (int i = 0; i < kTiles; ++i) {
          dot[t][p][i] = _mm512_dpbusd_epi32(dot[t][p][i], odd[i], high);
        }
      }
    }
  }
  for (int i = 0; i < kTiles; ++i) prefetch<kU4>(i * x.groups + group, ahead);
}

inline void store_rows(const LinearCall& call, const Tile& tile, int index, int token, __m512 acc) {
  __m512 y = _mm512_mul_ps(_mm512_mul_ps(acc, _mm512_loadu_ps(tile.rs)),
                           _mm512_set1_ps(call.act->scale(token)));
  if (tile.bias != nullptr) y = _mm512_add_ps(y, _mm512_loadu_ps(tile.bias));
  float* out = call.y + static_cast<std::size_t>(token) * call.ldy + index * kTileRows;
  if (tile.rows == kTileRows) {
    _mm512_storeu_ps(out, y);
    return;
  }
  _mm512_mask_storeu_ps(out, static_cast<__mmask16>((1u << tile.rows) - 1u), y);
}

// Neighbouring tokens.
template <int kTokens>
ADIT_INLINE void store_rows(const LinearCall& call, const Tile& tile, int index, int token,
                            const __m512 (&acc)[kTokens]) {
  if (tile.rows != kTileRows || tile.bias != nullptr) {
    for (int t = 0; t < kTokens; ++t) store_rows(call, tile, index, token + t, acc[t]);
    return;
  }
  const __m512 rs = _mm512_loadu_ps(tile.rs);
  float* out = call.y + static_cast<std::size_t>(token) * call.ldy + index * kTileRows;
  ADIT_UNROLL for (int t = 0; t < kTokens; ++t) {
    const __m512 y = _mm512_mul_ps(_mm512_mul_ps(acc[t], rs), _mm512_set1_ps(call.act->scale(token + t)));
    _mm512_storeu_ps(out + static_cast<std::size_t>(t) * call.ldy, y);
  }
}

inline __m512 join(__m256 low, __m256 high) {
  return _mm512_insertf32x8(_mm512_castps256_ps512(low), high, 1);
}

// float(256 * hi + lo) of 16 rows, rounded once: it is 2^16 * upper + lower, both exact as floats.
inline __m512 planes_to_float(__m512i hi, __m512i lo) {
  const __m512i byte = _mm512_set1_epi32(0xff);
  const __m512i middle = _mm512_add_epi32(_mm512_and_si512(hi, byte), _mm512_srai_epi32(lo, 8));
  const __m512i upper = _mm512_add_epi32(_mm512_srai_epi32(hi, 8), _mm512_srai_epi32(middle, 8));
  const __m512i high_byte = _mm512_slli_epi32(_mm512_and_si512(middle, byte), 8);
  const __m512i lower = _mm512_or_si512(high_byte, _mm512_and_si512(lo, byte));
  return _mm512_fmadd_ps(_mm512_cvtepi32_ps(upper), _mm512_set1_ps(65536.0f), _mm512_cvtepi32_ps(lower));
}

template <bool kU4, int kTiles, int kTokens>
void narrow_a8(const LinearCall& call, const Tile* tiles, int index, int token, const Ahead& ahead) {
  const Tokens<kU4> x(*call.act, token);
  __m512i acc[kTokens][kTiles];
  ADIT_UNROLL for (int t = 0; t < kTokens; ++t) {
    ADIT_UNROLL for (int i = 0; i < kTiles; ++i) acc[t][i] = _mm512_setzero_si512();
  }
  for (int group = 0; group < x.groups; ++group) {
    __m512i dot[kTokens][1][kTiles];
    dot_group<kU4, kTiles, kTokens, 1>(tiles, x, group, ahead, dot);
    ADIT_UNROLL for (int i = 0; i < kTiles; ++i) {
      const __m512i s = load_scales(tiles[i], group);
      const __m512i o = kU4 ? load_offsets(tiles[i], group) : _mm512_setzero_si512();
      ADIT_UNROLL for (int t = 0; t < kTokens; ++t) {
        const std::ptrdiff_t cell = t * x.groups + group;
        __m512i part = _mm512_mullo_epi32(dot[t][0][i], s);
        if (kU4) {
          part = _mm512_add_epi32(part, _mm512_mullo_epi32(o, broadcast(x.start[0] + cell)));
        }
        acc[t][i] = _mm512_add_epi32(acc[t][i], _mm512_sllv_epi32(part, broadcast(x.shift + cell)));
      }
    }
  }
  ADIT_UNROLL for (int t = 0; t < kTokens; ++t) {
    ADIT_UNROLL for (int i = 0; i < kTiles; ++i) {
      store_rows(call, tiles[i], index + i, token + t, _mm512_cvtepi32_ps(acc[t][i]));
    }
  }
}

// Offsets of two neighbouring groups as the int16 halves of an int32, as ActBuffer::pair_hi has the sums.
ADIT_INLINE __m512i load_offset_pair(const Tile& tile, int group, bool whole) {
  const __m512i high = whole ? _mm512_slli_epi32(load_offsets(tile, group + 1), 16)
                             : _mm512_setzero_si512();
  return _mm512_mask_blend_epi16(0xaaaaaaaa, load_offsets(tile, group), high);
}

template <bool kU4, int kTiles, int kTokens>
ADIT_INLINE void add_a16_group(const Tile* tiles, const Tokens<kU4>& x, int group,
                               const Ahead& ahead, __m512i (&acc)[kTokens][2][kTiles]) {
  __m512i dot[kTokens][2][kTiles];
  dot_group<kU4, kTiles, kTokens, 2>(tiles, x, group, ahead, dot);
  ADIT_UNROLL for (int i = 0; i < kTiles; ++i) {
    const __m512i s = load_scales(tiles[i], group);
    ADIT_UNROLL for (int t = 0; t < kTokens; ++t) {
      ADIT_UNROLL for (int p = 0; p < 2; ++p) {
        acc[t][p][i] = _mm512_add_epi32(acc[t][p][i], _mm512_mullo_epi32(dot[t][p][i], s));
      }
    }
  }
}

template <bool kU4, int kTiles, int kTokens>
void narrow_a16(const LinearCall& call, const Tile* tiles, int index, int token, const Ahead& ahead) {
  const Tokens<kU4> x(*call.act, token);
  __m512i acc[kTokens][2][kTiles];
  ADIT_UNROLL for (int t = 0; t < kTokens; ++t) {
    ADIT_UNROLL for (int i = 0; i < kTiles; ++i) acc[t][0][i] = acc[t][1][i] = _mm512_setzero_si512();
  }
  for (int group = 0; group < x.groups; ++group) {
    add_a16_group<kU4, kTiles, kTokens>(tiles, x, group, ahead, acc);
    // The u4 offsets come in by pairs of groups.
    if (!kU4 || group % 2 != 0) continue;
    ADIT_UNROLL for (int i = 0; i < kTiles; ++i) {
      const __m512i o = load_offset_pair(tiles[i], group, group + 1 < x.groups);
      ADIT_UNROLL for (int t = 0; t < kTokens; ++t) {
        ADIT_UNROLL for (int p = 0; p < 2; ++p) {
          acc[t][p][i] = _mm512_dpwssd_epi32(acc[t][p][i], o,
                                             broadcast(x.pair[p] + t * x.pairs + group / 2));
        }
      }
    }
  }
  ADIT_UNROLL for (int t = 0; t < kTokens; ++t) {
    ADIT_UNROLL for (int i = 0; i < kTiles; ++i) {
      store_rows(call, tiles[i], index + i, token + t, planes_to_float(acc[t][0][i], acc[t][1][i]));
    }
  }
}

// int64 sums of 16 rows, even and odd ones apart.
struct WideSums {
  __m512i even;
  __m512i odd;
  ADIT_INLINE void add(__m512i a, __m512i b, __m512i b_odd) {
    even = _mm512_add_epi64(even, _mm512_mul_epi32(a, b));
    odd = _mm512_add_epi64(odd, _mm512_mul_epi32(_mm512_srli_epi64(a, 32), b_odd));
  }
  __m512 value() const {
    const __m512i order = _mm512_setr_epi32(0, 8, 1, 9, 2, 10, 3, 11, 4, 12, 5, 13, 6, 14, 7, 15);
    return _mm512_permutexvar_ps(order, join(_mm512_cvtepi64_ps(even), _mm512_cvtepi64_ps(odd)));
  }
};

// A group's own sum of code * X fits int32 (32 * 128 * 32639), its products with s and o do not.
template <bool kU4, int kPlanes, int kTiles, int kTokens>
void wide(const LinearCall& call, const Tile* tiles, int index, int token, const Ahead& ahead) {
  const Tokens<kU4> x(*call.act, token);
  WideSums acc[kTokens][kTiles];
  ADIT_UNROLL for (int t = 0; t < kTokens; ++t) {
    ADIT_UNROLL for (int i = 0; i < kTiles; ++i) {
      acc[t][i] = WideSums{_mm512_setzero_si512(), _mm512_setzero_si512()};
    }
  }
  for (int group = 0; group < x.groups; ++group) {
    __m512i dot[kTokens][kPlanes][kTiles];
    dot_group<kU4, kTiles, kTokens, kPlanes>(tiles, x, group, ahead, dot);
    ADIT_UNROLL for (int i = 0; i < kTiles; ++i) {
      const __m512i s = load_scales(tiles[i], group);
      const __m512i s_odd = _mm512_srli_epi64(s, 32);
      const __m512i o = kU4 ? load_offsets(tiles[i], group) : s;
      const __m512i o_odd = _mm512_srli_epi64(o, 32);
      ADIT_UNROLL for (int t = 0; t < kTokens; ++t) {
        const std::ptrdiff_t cell = t * x.groups + group;
        const __m512i shift = broadcast(x.shift + cell);
        const auto whole = [&](const __m512i& hi, const __m512i& lo) {
          return kPlanes == 2 ? _mm512_add_epi32(_mm512_slli_epi32(hi, 8), lo)
                              : _mm512_sllv_epi32(hi, shift);
        };
        acc[t][i].add(whole(dot[t][0][i], dot[t][kPlanes - 1][i]), s, s_odd);
        if (!kU4) continue;
        const __m512i sum = whole(broadcast(x.start[0] + cell), broadcast(x.start[1] + cell));
        acc[t][i].even = _mm512_add_epi64(acc[t][i].even, _mm512_mul_epi32(sum, o));
        acc[t][i].odd = _mm512_add_epi64(acc[t][i].odd, _mm512_mul_epi32(sum, o_odd));
      }
    }
  }
  ADIT_UNROLL for (int t = 0; t < kTokens; ++t) {
    ADIT_UNROLL for (int i = 0; i < kTiles; ++i) {
      store_rows(call, tiles[i], index + i, token + t, acc[t][i].value());
    }
  }
}

}  // namespace
}  // namespace adit::kernels
