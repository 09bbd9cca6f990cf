// SPDX-License-Identifier: MIT
// kernels/linear/avx512_spans.h
//
// The inner loops of the linear layer with AVX-512 VNNI for scales that more than 32 columns share: a span of groups
// of activations goes into the same sums before anything is multiplied with a scale.
//
// In       as avx512_block.h; span: groups of 32 that share a scale.
// Exact    int32 sums where narrow is proved, for any span; else int64 sums of spans of up to 128 columns, whose own
//          sums fit int32 (128 * 128 * 32639). The codes' +128 is taken away, and offsets come in, once a span.
// Source   kernels/NUMERICS.md, "Linear layer"
// Tests    tests/unit/kernels/linear_test.cpp
#pragma once

#include <cstddef>
#include <cstdint>

#include <immintrin.h>

#include "kernels/linear/avx512_block.h"

namespace adit::kernels {
namespace {

// Sums of activations before each group, of a block of tokens from its first on.
struct SumsBefore {
  SumsBefore(const ActBuffer& act, int token)
      : stride(act.groups() + 1), plane{act.before_hi(token), act.before_lo(token)} {}
  ADIT_INLINE std::int32_t of(int t, int p, int begin, int end) const {
    const std::int32_t* at = plane[p] + t * stride;
    return at[end] - at[begin];
  }
  std::ptrdiff_t stride;
  const std::int32_t* plane[2];
};

// Four columns of a group of one tile: `j` of 0..7.
template <bool kU4>
ADIT_INLINE __m512i load_four(const Tile& tile, int group, int j) {
  if (!kU4) return _mm512_loadu_si512(tile.q + std::ptrdiff_t{group} * 512 + 64 * j);
  const __m512i both = _mm512_loadu_si512(tile.q + std::ptrdiff_t{group} * 256 + 64 * (j / 2));
  return _mm512_and_si512(j % 2 == 0 ? both : _mm512_srli_epi16(both, 4), _mm512_set1_epi8(15));
}

// Adds the products of a group to sums[token][plane][tile].
template <bool kU4, int kPlanes, int kTiles, int kTokens>
ADIT_INLINE void add_products(const Tile* tiles, const Tokens<kU4>& x, int group,
                              __m512i (&sums)[kTokens][kPlanes][kTiles]) {
  ADIT_UNROLL for (int j = 0; j < kGroup / 4; ++j) {
    __m512i codes[kTiles];
    ADIT_UNROLL for (int i = 0; i < kTiles; ++i) codes[i] = load_four<kU4>(tiles[i], group, j);
    ADIT_UNROLL for (int t = 0; t < kTokens; ++t) {
      ADIT_UNROLL for (int p = 0; p < kPlanes; ++p) {
        const __m512i four = broadcast(x.plane[p] + t * x.stride + group * kGroup + 4 * j);
        ADIT_UNROLL for (int i = 0; i < kTiles; ++i) {
          sums[t][p][i] = _mm512_dpbusd_epi32(sums[t][p][i], codes[i], four);
        }
      }
    }
  }
}

template <int kPlanes, int kTiles, int kTokens>
ADIT_INLINE void clear(__m512i (&sums)[kTokens][kPlanes][kTiles]) {
  ADIT_UNROLL for (int t = 0; t < kTokens; ++t) {
    ADIT_UNROLL for (int p = 0; p < kPlanes; ++p) {
      ADIT_UNROLL for (int i = 0; i < kTiles; ++i) sums[t][p][i] = _mm512_setzero_si512();
    }
  }
}

// Products of codes and X over groups [begin, end); of A8g32 each group's shifted by the token's shift.
template <bool kU4, int kPlanes, int kTiles, int kTokens>
ADIT_INLINE void dot_span(const Tile* tiles, const Tokens<kU4>& x, int begin, int end, const Ahead& ahead,
                          __m512i (&dot)[kTokens][kPlanes][kTiles]) {
  clear<kPlanes, kTiles, kTokens>(dot);
  for (int group = begin; group < end; ++group) {
    if (kPlanes == 2) {
      add_products<kU4, kPlanes, kTiles, kTokens>(tiles, x, group, dot);
    } else {
      __m512i part[kTokens][kPlanes][kTiles];
      clear<kPlanes, kTiles, kTokens>(part);
      add_products<kU4, kPlanes, kTiles, kTokens>(tiles, x, group, part);
      ADIT_UNROLL for (int t = 0; t < kTokens; ++t) {
        const __m512i shift = broadcast(x.shift + t * x.groups + group);
        ADIT_UNROLL for (int i = 0; i < kTiles; ++i) {
          dot[t][0][i] = _mm512_add_epi32(dot[t][0][i], _mm512_sllv_epi32(part[t][0][i], shift));
        }
      }
    }
    for (int i = 0; i < kTiles; ++i) prefetch<kU4>(i * x.groups + group, ahead);
  }
}

// int32 sums: s * dot + o * sum, for int8 s * (dot - 128 sum).
template <bool kU4>
ADIT_INLINE __m512i scaled(__m512i dot, std::int32_t sum, __m512i s, __m512i o) {
  if (kU4) {
    return _mm512_add_epi32(_mm512_mullo_epi32(dot, s), _mm512_mullo_epi32(o, _mm512_set1_epi32(sum)));
  }
  const auto raised = static_cast<std::int32_t>(128u * static_cast<std::uint32_t>(sum));
  return _mm512_mullo_epi32(_mm512_sub_epi32(dot, _mm512_set1_epi32(raised)), s);
}

template <bool kU4, int kPlanes, int kTiles, int kTokens>
void narrow_spans(const LinearCall& call, const Tile* tiles, int index, int token, const Ahead& ahead,
                  int span) {
  const Tokens<kU4> x(*call.act, token);
  const SumsBefore sums(*call.act, token);
  const int groups = static_cast<int>(x.groups);
  __m512i acc[kTokens][kPlanes][kTiles];
  clear<kPlanes, kTiles, kTokens>(acc);
  for (int begin = 0; begin < groups; begin += span) {
    const int end = groups - begin < span ? groups : begin + span;
    __m512i dot[kTokens][kPlanes][kTiles];
    dot_span<kU4, kPlanes, kTiles, kTokens>(tiles, x, begin, end, ahead, dot);
    ADIT_UNROLL for (int i = 0; i < kTiles; ++i) {
      const __m512i s = load_scales(tiles[i], begin);
      const __m512i o = kU4 ? load_offsets(tiles[i], begin) : s;
      ADIT_UNROLL for (int t = 0; t < kTokens; ++t) {
        ADIT_UNROLL for (int p = 0; p < kPlanes; ++p) {
          acc[t][p][i] = _mm512_add_epi32(acc[t][p][i],
                                          scaled<kU4>(dot[t][p][i], sums.of(t, p, begin, end), s, o));
        }
      }
    }
  }
  ADIT_UNROLL for (int t = 0; t < kTokens; ++t) {
    ADIT_UNROLL for (int i = 0; i < kTiles; ++i) {
      const __m512 value = kPlanes == 2 ? planes_to_float(acc[t][0][i], acc[t][kPlanes - 1][i])
                                        : _mm512_cvtepi32_ps(acc[t][0][i]);
      store_rows(call, tiles[i], index + i, token + t, value);
    }
  }
}

template <bool kU4, int kPlanes, int kTiles, int kTokens>
void wide_spans(const LinearCall& call, const Tile* tiles, int index, int token, const Ahead& ahead, int span) {
  const Tokens<kU4> x(*call.act, token);
  const SumsBefore sums(*call.act, token);
  const int groups = static_cast<int>(x.groups);
  WideSums acc[kTokens][kTiles];
  ADIT_UNROLL for (int t = 0; t < kTokens; ++t) {
    ADIT_UNROLL for (int i = 0; i < kTiles; ++i) {
      acc[t][i] = WideSums{_mm512_setzero_si512(), _mm512_setzero_si512()};
    }
  }
  for (int begin = 0; begin < groups; begin += span) {
    const int end = groups - begin < span ? groups : begin + span;
    __m512i dot[kTokens][kPlanes][kTiles];
    dot_span<kU4, kPlanes, kTiles, kTokens>(tiles, x, begin, end, ahead, dot);
    ADIT_UNROLL for (int i = 0; i < kTiles; ++i) {
      const __m512i s = load_scales(tiles[i], begin);
      const __m512i s_odd = _mm512_srli_epi64(s, 32);
      const __m512i o = kU4 ? load_offsets(tiles[i], begin) : s;
      const __m512i o_odd = _mm512_srli_epi64(o, 32);
      ADIT_UNROLL for (int t = 0; t < kTokens; ++t) {
        const std::int32_t hi = sums.of(t, 0, begin, end);
        const std::int32_t sum = kPlanes == 2 ? 256 * hi + sums.of(t, 1, begin, end) : hi;
        __m512i whole = dot[t][0][i];
        if (kPlanes == 2) whole = _mm512_add_epi32(_mm512_slli_epi32(whole, 8), dot[t][kPlanes - 1][i]);
        if (!kU4) whole = _mm512_sub_epi32(whole, _mm512_set1_epi32(128 * sum));
        acc[t][i].add(whole, s, s_odd);
        if (!kU4) continue;
        const __m512i sums_x = _mm512_set1_epi32(sum);
        acc[t][i].even = _mm512_add_epi64(acc[t][i].even, _mm512_mul_epi32(sums_x, o));
        acc[t][i].odd = _mm512_add_epi64(acc[t][i].odd, _mm512_mul_epi32(sums_x, o_odd));
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
