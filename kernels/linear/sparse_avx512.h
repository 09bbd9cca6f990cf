// SPDX-License-Identifier: MIT
// kernels/linear/sparse_avx512.h
//
// The linear layer over vectors of codes that come from a reader, for sources compiled with AVX-512 VNNI: one
// tile, up to eight tokens.
//
// In       Codes: load(group, w) gives the eight vectors of the next group, or false if all its codes are 0.
// Exact    int32 accumulators where narrow is proved (block_fits), else int64.
// Threads  pure.
// Source   kernels/NUMERICS.md, "Linear layer"
// Tests    tests/unit/kernels/sparse_test.cpp
#pragma once

#include <cstdint>

#include <immintrin.h>

#include "kernels/linear/avx512_block.h"

namespace adit::kernels {
namespace {

// acc + codes of 16 rows times four activations of one token. Written out because GCC 12 does not fold the
// broadcast into the instruction.
ADIT_INLINE __m512i dot_four(__m512i acc, __m512i codes, const std::int8_t* x) {
  struct Four {
    std::int8_t x[4];
  };
  __asm__("vpdpbusd %2%{1to16%}, %1, %0"
          : "+v"(acc)
          : "v"(codes), "m"(*reinterpret_cast<const Four*>(x)));
  return acc;
}

// Both planes of a group, the codes' +128 taken away.
ADIT_INLINE void dot_planes(const ActBuffer& act, int token, int group, const __m512i* w,
                            __m512i& hi, __m512i& lo) {
  hi = _mm512_set1_epi32(act.bias_hi(token)[group]);
  lo = _mm512_set1_epi32(act.bias_lo(token)[group]);
  const std::int8_t* x_hi = act.hi(token) + group * kGroup;
  const std::int8_t* x_lo = act.lo(token) + group * kGroup;
  ADIT_UNROLL for (int j = 0; j < 8; ++j) {
    hi = dot_four(hi, w[j], x_hi + 4 * j);
    lo = dot_four(lo, w[j], x_lo + 4 * j);
  }
}

// The one plane of A8g32, shifted.
ADIT_INLINE __m512i dot_shifted(const ActBuffer& act, int token, int group, const __m512i* w) {
  __m512i even = _mm512_set1_epi32(act.bias_hi(token)[group]);
  __m512i odd = _mm512_setzero_si512();
  const std::int8_t* x = act.hi(token) + group * kGroup;
  ADIT_UNROLL for (int j = 0; j < 8; j += 2) {
    even = dot_four(even, w[j], x + 4 * j);
    odd = dot_four(odd, w[j + 1], x + 4 * j + 4);
  }
  return _mm512_sllv_epi32(_mm512_add_epi32(even, odd), _mm512_set1_epi32(act.shift(token)[group]));
}

// One token's sums over the groups so far, in the four ways of adding up.
struct NarrowA16 {
  __m512i hi = _mm512_setzero_si512();
  __m512i lo = _mm512_setzero_si512();
  ADIT_INLINE void add(const ActBuffer& act, int token, int group, const __m512i* w, __m512i s) {
    __m512i dot_hi;
    __m512i dot_lo;
    dot_planes(act, token, group, w, dot_hi, dot_lo);
    hi = _mm512_add_epi32(hi, _mm512_mullo_epi32(dot_hi, s));
    lo = _mm512_add_epi32(lo, _mm512_mullo_epi32(dot_lo, s));
  }
  __m512 value() const { return planes_to_float(hi, lo); }
};

struct NarrowA8 {
  __m512i acc = _mm512_setzero_si512();
  ADIT_INLINE void add(const ActBuffer& act, int token, int group, const __m512i* w, __m512i s) {
    acc = _mm512_add_epi32(acc, _mm512_mullo_epi32(dot_shifted(act, token, group, w), s));
  }
  __m512 value() const { return _mm512_cvtepi32_ps(acc); }
};

struct WideA16 {
  WideSums acc{_mm512_setzero_si512(), _mm512_setzero_si512()};
  ADIT_INLINE void add(const ActBuffer& act, int token, int group, const __m512i* w, __m512i s) {
    __m512i dot_hi;
    __m512i dot_lo;
    dot_planes(act, token, group, w, dot_hi, dot_lo);
    acc.add(_mm512_add_epi32(_mm512_slli_epi32(dot_hi, 8), dot_lo), s, _mm512_srli_epi64(s, 32));
  }
  __m512 value() const { return acc.value(); }
};

struct WideA8 {
  WideSums acc{_mm512_setzero_si512(), _mm512_setzero_si512()};
  ADIT_INLINE void add(const ActBuffer& act, int token, int group, const __m512i* w, __m512i s) {
    acc.add(dot_shifted(act, token, group, w), s, _mm512_srli_epi64(s, 32));
  }
  __m512 value() const { return acc.value(); }
};

// Bytes of scales that go with the stored bytes which codes are called for ahead of: those of 48 groups.
constexpr std::ptrdiff_t kScalesAhead = 1536;

template <class Acc, int NT, class Codes>
void sparse_tokens(const LinearCall& call, int index, Codes codes, int token) {
  const LinearWeights& weights = *call.weights;
  const auto tile_rows = static_cast<std::ptrdiff_t>(index) * kTileRows;
  const int left = weights.m - index * kTileRows;
  const Tile tile{nullptr,
                  weights.s + tile_rows * scales_of(weights),
                  nullptr,
                  weights.rs + tile_rows,
                  weights.bias == nullptr ? nullptr : weights.bias + tile_rows,
                  left < kTileRows ? left : kTileRows,
                  scale_shift(weights.group)};
  const ActBuffer& act = *call.act;
  const int groups = act.groups();
  Acc acc[NT];
  for (int group = 0; group < groups; ++group) {
    __m512i w[8];
    if (!codes.load(group, w)) continue;
    const __m512i s = load_scales(tile, group);
    _mm_prefetch(reinterpret_cast<const char*>(tile.s + scales_at(tile, group)) + kScalesAhead, _MM_HINT_T0);
    ADIT_UNROLL for (int t = 0; t < NT; ++t) acc[t].add(act, token + t, group, w, s);
  }
  ADIT_UNROLL for (int t = 0; t < NT; ++t) store_rows(call, tile, index, token + t, acc[t].value());
}

template <class Acc, class Codes>
void sparse_block(const LinearCall& call, int index, const Codes& codes, int token, int count) {
  switch (count) {
    case 8:
      sparse_tokens<Acc, 8>(call, index, codes, token);
      break;
    case 7:
      sparse_tokens<Acc, 7>(call, index, codes, token);
      break;
    case 6:
      sparse_tokens<Acc, 6>(call, index, codes, token);
      break;
    case 5:
      sparse_tokens<Acc, 5>(call, index, codes, token);
      break;
    case 4:
      sparse_tokens<Acc, 4>(call, index, codes, token);
      break;
    case 3:
      sparse_tokens<Acc, 3>(call, index, codes, token);
      break;
    case 2:
      sparse_tokens<Acc, 2>(call, index, codes, token);
      break;
    default:
      sparse_tokens<Acc, 1>(call, index, codes, token);
      break;
  }
}

template <class Codes>
void sparse_tile(const LinearCall& call, int index, int token, int count, bool narrow) {
  const Codes codes(*call.weights, index);
  if (call.act->form() == ActForm::kA16) {
    narrow ? sparse_block<NarrowA16>(call, index, codes, token, count)
           : sparse_block<WideA16>(call, index, codes, token, count);
  } else {
    narrow ? sparse_block<NarrowA8>(call, index, codes, token, count)
           : sparse_block<WideA8>(call, index, codes, token, count);
  }
}

}  // namespace
}  // namespace adit::kernels
