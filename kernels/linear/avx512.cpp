// SPDX-License-Identifier: MIT
// The linear layer with AVX-512 VNNI. A zmm register holds 16 rows x 4 columns of weights as unsigned bytes;
// vpdpbusd multiplies it with four activations of one token, broadcast. int8 codes carry +128, which the
// token's group bias (-128 * sum) takes away again; u4 offsets use the group sums.
#include <cstdint>
#include <cstring>

#include <immintrin.h>

#include "kernels/linear/paths.h"

namespace adit::kernels {
namespace {

constexpr int kBlockTokens = 8;
constexpr int kChunkBytes = 384 * 1024;

struct Tile {
  const std::uint8_t* q;
  const std::uint16_t* s;
  const std::int16_t* o;
  const float* rs;
  const float* bias;
  int rows;
};

template <bool kU4>
Tile tile_of(const LinearWeights& weights, int index) {
  const auto tile = static_cast<std::ptrdiff_t>(index);
  const std::ptrdiff_t bytes =
      static_cast<std::ptrdiff_t>(weights.k_pad) * kTileRows / (kU4 ? 2 : 1);
  const std::ptrdiff_t cells = static_cast<std::ptrdiff_t>(weights.k_pad / kGroup) * kTileRows;
  const int left = weights.m - index * kTileRows;
  return Tile{weights.q + tile * bytes,
              weights.s + tile * cells,
              kU4 ? weights.o + tile * cells : nullptr,
              weights.rs + tile * kTileRows,
              weights.bias == nullptr ? nullptr : weights.bias + tile * kTileRows,
              left < kTileRows ? left : kTileRows};
}

// The eight vectors of one group: columns 4j .. 4j + 3 of 16 rows each.
template <bool kU4>
void load_codes(const Tile& tile, int group, __m512i* w) {
  if (kU4) {
    const std::uint8_t* q = tile.q + static_cast<std::ptrdiff_t>(group) * 256;
    const __m512i low = _mm512_set1_epi8(15);
    for (int j = 0; j < 4; ++j) {
      const __m512i both = _mm512_loadu_si512(q + 64 * j);
      w[2 * j] = _mm512_and_si512(both, low);
      w[2 * j + 1] = _mm512_and_si512(_mm512_srli_epi16(both, 4), low);
    }
    _mm_prefetch(reinterpret_cast<const char*>(q + 3072), _MM_HINT_T0);
  } else {
    const std::uint8_t* q = tile.q + static_cast<std::ptrdiff_t>(group) * 512;
    for (int j = 0; j < 8; ++j) w[j] = _mm512_loadu_si512(q + 64 * j);
    _mm_prefetch(reinterpret_cast<const char*>(q + 4096), _MM_HINT_T0);
  }
}

__m512i load_scales(const Tile& tile, int group) {
  return _mm512_cvtepu16_epi32(
      _mm256_loadu_si256(reinterpret_cast<const __m256i*>(tile.s + group * kTileRows)));
}

__m512i load_offsets(const Tile& tile, int group) {
  return _mm512_cvtepi16_epi32(
      _mm256_loadu_si256(reinterpret_cast<const __m256i*>(tile.o + group * kTileRows)));
}

// acc + codes of 16 rows times four activations of one token. Written out because GCC 12 does not fold the
// broadcast into the instruction, and the loop is bound by instructions.
__m512i dot_four(__m512i acc, __m512i codes, const std::int8_t* x) {
  struct Four {
    std::int8_t x[4];
  };
  __asm__("vpdpbusd %2%{1to16%}, %1, %0"
          : "+v"(acc)
          : "v"(codes), "m"(*reinterpret_cast<const Four*>(x)));
  return acc;
}

// bias + sum_k code * x over one group, for 16 rows.
__m512i dot_group(const __m512i* w, const std::int8_t* x, __m512i bias) {
  __m512i even = bias;
  __m512i odd = _mm512_setzero_si512();
  for (int j = 0; j < 8; j += 2) {
    even = dot_four(even, w[j], x + 4 * j);
    odd = dot_four(odd, w[j + 1], x + 4 * j + 4);
  }
  return _mm512_add_epi32(even, odd);
}

// Two planes at once; each is one chain.
void dot_group_planes(const __m512i* w, const std::int8_t* hi, const std::int8_t* lo,
                      __m512i& dot_hi, __m512i& dot_lo) {
  for (int j = 0; j < 8; ++j) {
    dot_hi = dot_four(dot_hi, w[j], hi + 4 * j);
    dot_lo = dot_four(dot_lo, w[j], lo + 4 * j);
  }
}

void store_rows(const LinearCall& call, const Tile& tile, int index, int token, __m512 acc) {
  __m512 y = _mm512_mul_ps(_mm512_mul_ps(acc, _mm512_loadu_ps(tile.rs)),
                           _mm512_set1_ps(call.act->scale(token)));
  if (tile.bias != nullptr) y = _mm512_add_ps(y, _mm512_loadu_ps(tile.bias));
  float* out = call.y + static_cast<std::size_t>(token) * call.ldy + index * kTileRows;
  _mm512_mask_storeu_ps(out, static_cast<__mmask16>((1u << tile.rows) - 1u), y);
}

__m512 join(__m256 low, __m256 high) {
  return _mm512_insertf32x8(_mm512_castps256_ps512(low), high, 1);
}

// float(256 * hi + lo) of 16 rows, rounded once from int64.
__m512 planes_to_float(__m512i hi, __m512i lo) {
  const auto half = [](__m256i h, __m256i l) {
    return _mm512_cvtepi64_ps(
        _mm512_add_epi64(_mm512_slli_epi64(_mm512_cvtepi32_epi64(h), 8), _mm512_cvtepi32_epi64(l)));
  };
  return join(half(_mm512_castsi512_si256(hi), _mm512_castsi512_si256(lo)),
              half(_mm512_extracti64x4_epi64(hi, 1), _mm512_extracti64x4_epi64(lo, 1)));
}

// What a block of NT tokens reads, from its first token on.
template <bool kU4>
struct Tokens {
  Tokens(const ActBuffer& act, int token)
      : stride(act.k_pad()),
        groups(act.groups()),
        pairs(act.pairs()),
        hi(act.hi(token)),
        lo(act.form() == ActForm::kA16 ? act.lo(token) : nullptr),
        start_hi(kU4 ? act.sum_hi(token) : act.bias_hi(token)),
        start_lo(kU4 ? act.sum_lo(token) : act.bias_lo(token)),
        pair_hi(act.pair_hi(token)),
        pair_lo(act.pair_lo(token)),
        shift(act.shift(token)) {}

  std::ptrdiff_t stride;
  std::ptrdiff_t groups;
  std::ptrdiff_t pairs;
  const std::int8_t* hi;
  const std::int8_t* lo;
  // Group sums (u4), or what takes the codes' +128 away (int8).
  const std::int32_t* start_hi;
  const std::int32_t* start_lo;
  const std::int32_t* pair_hi;
  const std::int32_t* pair_lo;
  const std::int32_t* shift;
};

// NT tokens x 16 rows with int32 accumulators: the sums are proved to fit.
template <bool kU4, int NT>
void narrow_a8(const LinearCall& call, const Tile& tile, int index, int token) {
  const Tokens<kU4> x(*call.act, token);
  __m512i acc[NT];
#pragma GCC unroll 8
  for (int t = 0; t < NT; ++t) acc[t] = _mm512_setzero_si512();
  for (int group = 0; group < x.groups; ++group) {
    __m512i w[8];
    load_codes<kU4>(tile, group, w);
    const __m512i s = load_scales(tile, group);
    const __m512i o = kU4 ? load_offsets(tile, group) : _mm512_setzero_si512();
#pragma GCC unroll 8
    for (int t = 0; t < NT; ++t) {
      const std::ptrdiff_t cell = t * x.groups + group;
      const __m512i sum = _mm512_set1_epi32(x.start_hi[cell]);
      const __m512i dot =
          dot_group(w, x.hi + t * x.stride + group * kGroup, kU4 ? _mm512_setzero_si512() : sum);
      __m512i part = _mm512_mullo_epi32(dot, s);
      if (kU4) part = _mm512_add_epi32(part, _mm512_mullo_epi32(o, sum));
      acc[t] = _mm512_add_epi32(acc[t], _mm512_sllv_epi32(part, _mm512_set1_epi32(x.shift[cell])));
    }
  }
#pragma GCC unroll 8
  for (int t = 0; t < NT; ++t) store_rows(call, tile, index, token + t, _mm512_cvtepi32_ps(acc[t]));
}

// One group of NT tokens, both planes; the u4 offsets come in by pairs of groups.
template <bool kU4, int NT>
void narrow_a16_group(const Tile& tile, const Tokens<kU4>& x, int group, __m512i* acc_hi,
                      __m512i* acc_lo) {
  __m512i w[8];
  load_codes<kU4>(tile, group, w);
  const __m512i s = load_scales(tile, group);
#pragma GCC unroll 8
  for (int t = 0; t < NT; ++t) {
    const std::ptrdiff_t cell = t * x.groups + group;
    const std::ptrdiff_t at = t * x.stride + group * kGroup;
    __m512i hi = kU4 ? _mm512_setzero_si512() : _mm512_set1_epi32(x.start_hi[cell]);
    __m512i lo = kU4 ? _mm512_setzero_si512() : _mm512_set1_epi32(x.start_lo[cell]);
    dot_group_planes(w, x.hi + at, x.lo + at, hi, lo);
    acc_hi[t] = _mm512_add_epi32(acc_hi[t], _mm512_mullo_epi32(hi, s));
    acc_lo[t] = _mm512_add_epi32(acc_lo[t], _mm512_mullo_epi32(lo, s));
  }
}

template <bool kU4, int NT>
void narrow_a16(const LinearCall& call, const Tile& tile, int index, int token) {
  const Tokens<kU4> x(*call.act, token);
  __m512i acc_hi[NT];
  __m512i acc_lo[NT];
#pragma GCC unroll 8
  for (int t = 0; t < NT; ++t) acc_hi[t] = acc_lo[t] = _mm512_setzero_si512();
  for (int pair = 0; pair < x.pairs; ++pair) {
    const int group = 2 * pair;
    const bool whole = group + 1 < x.groups;
    narrow_a16_group<kU4, NT>(tile, x, group, acc_hi, acc_lo);
    if (whole) narrow_a16_group<kU4, NT>(tile, x, group + 1, acc_hi, acc_lo);
    if (!kU4) continue;
    const __m512i high =
        whole ? _mm512_slli_epi32(load_offsets(tile, group + 1), 16) : _mm512_setzero_si512();
    const __m512i o = _mm512_mask_blend_epi16(0xaaaaaaaa, load_offsets(tile, group), high);
#pragma GCC unroll 8
    for (int t = 0; t < NT; ++t) {
      acc_hi[t] =
          _mm512_dpwssd_epi32(acc_hi[t], o, _mm512_set1_epi32(x.pair_hi[t * x.pairs + pair]));
      acc_lo[t] =
          _mm512_dpwssd_epi32(acc_lo[t], o, _mm512_set1_epi32(x.pair_lo[t * x.pairs + pair]));
    }
  }
#pragma GCC unroll 8
  for (int t = 0; t < NT; ++t) {
    store_rows(call, tile, index, token + t, planes_to_float(acc_hi[t], acc_lo[t]));
  }
}

// int64 sums of 16 rows, even and odd ones apart.
struct WideSums {
  __m512i even;
  __m512i odd;
  void add(__m512i a, __m512i b, __m512i b_odd) {
    even = _mm512_add_epi64(even, _mm512_mul_epi32(a, b));
    odd = _mm512_add_epi64(odd, _mm512_mul_epi32(_mm512_srli_epi64(a, 32), b_odd));
  }
  __m512 value() const {
    const __m512i order = _mm512_setr_epi32(0, 8, 1, 9, 2, 10, 3, 11, 4, 12, 5, 13, 6, 14, 7, 15);
    return _mm512_permutexvar_ps(order, join(_mm512_cvtepi64_ps(even), _mm512_cvtepi64_ps(odd)));
  }
};

// NT tokens with int64 accumulators. A group's own sum of code * X fits int32 (32 * 128 * 32639), its
// products with s and o do not.
template <bool kU4, bool kA16, int NT>
void wide(const LinearCall& call, const Tile& tile, int index, int token) {
  const Tokens<kU4> x(*call.act, token);
  const __m512i zero = _mm512_setzero_si512();
  WideSums acc[NT];
#pragma GCC unroll 8
  for (int t = 0; t < NT; ++t) acc[t] = WideSums{zero, zero};
  for (int group = 0; group < x.groups; ++group) {
    __m512i w[8];
    load_codes<kU4>(tile, group, w);
    const __m512i s = load_scales(tile, group);
    const __m512i s_odd = _mm512_srli_epi64(s, 32);
    const __m512i o = kU4 ? load_offsets(tile, group) : zero;
#pragma GCC unroll 8
    for (int t = 0; t < NT; ++t) {
      const std::ptrdiff_t cell = t * x.groups + group;
      const std::ptrdiff_t at = t * x.stride + group * kGroup;
      __m512i dot = kU4 ? zero : _mm512_set1_epi32(x.start_hi[cell]);
      if (kA16) {
        __m512i lo = kU4 ? zero : _mm512_set1_epi32(x.start_lo[cell]);
        dot_group_planes(w, x.hi + at, x.lo + at, dot, lo);
        dot = _mm512_add_epi32(_mm512_slli_epi32(dot, 8), lo);
      } else {
        dot = _mm512_sllv_epi32(dot_group(w, x.hi + at, dot), _mm512_set1_epi32(x.shift[cell]));
      }
      acc[t].add(dot, s, s_odd);
      if (kU4) {
        const std::int32_t sum = kA16 ? 256 * x.start_hi[cell] + x.start_lo[cell]
                                      : x.start_hi[cell] * (1 << x.shift[cell]);
        acc[t].add(o, _mm512_set1_epi32(sum), _mm512_set1_epi32(sum));
      }
    }
  }
#pragma GCC unroll 8
  for (int t = 0; t < NT; ++t) store_rows(call, tile, index, token + t, acc[t].value());
}

template <bool kU4, int NT>
void tokens_of_tile(const LinearCall& call, const Tile& tile, int index, int token, bool narrow) {
  const bool planes = call.act->form() == ActForm::kA16;
  if (narrow) {
    planes ? narrow_a16<kU4, NT>(call, tile, index, token)
           : narrow_a8<kU4, NT>(call, tile, index, token);
  } else {
    planes ? wide<kU4, true, NT>(call, tile, index, token)
           : wide<kU4, false, NT>(call, tile, index, token);
  }
}

template <bool kU4>
void block_of_tile(const LinearCall& call, const Tile& tile, int index, int token, int count,
                   bool narrow) {
  switch (count) {
    case 8:
      tokens_of_tile<kU4, 8>(call, tile, index, token, narrow);
      break;
    case 7:
      tokens_of_tile<kU4, 7>(call, tile, index, token, narrow);
      break;
    case 6:
      tokens_of_tile<kU4, 6>(call, tile, index, token, narrow);
      break;
    case 5:
      tokens_of_tile<kU4, 5>(call, tile, index, token, narrow);
      break;
    case 4:
      tokens_of_tile<kU4, 4>(call, tile, index, token, narrow);
      break;
    case 3:
      tokens_of_tile<kU4, 3>(call, tile, index, token, narrow);
      break;
    case 2:
      tokens_of_tile<kU4, 2>(call, tile, index, token, narrow);
      break;
    default:
      tokens_of_tile<kU4, 1>(call, tile, index, token, narrow);
      break;
  }
}

// Weights of one chunk of tiles stay in the second-level cache while all tokens pass over them, and the
// activations of one block of tokens in the first.
template <bool kU4>
void linear_form(const LinearCall& call) {
  const int fitting = kChunkBytes / (call.weights->k_pad * kTileRows / (kU4 ? 2 : 1));
  const int chunk = fitting < 1 ? 1 : fitting;
  const int tokens = call.act->n();
  for (int first = call.tile_begin; first < call.tile_end; first += chunk) {
    const int last = first + chunk < call.tile_end ? first + chunk : call.tile_end;
    for (int begin = 0; begin < tokens; begin += kBlockTokens) {
      const int end = begin + kBlockTokens < tokens ? begin + kBlockTokens : tokens;
      const bool narrow = block_fits(call, begin, end);
      for (int index = first; index < last; ++index) {
        block_of_tile<kU4>(call, tile_of<kU4>(*call.weights, index), index, begin, end - begin,
                           narrow);
      }
    }
  }
}

}  // namespace

void linear_avx512(const LinearCall& call) {
  if (call.weights->form == WeightForm::kU4) {
    linear_form<true>(call);
  } else {
    linear_form<false>(call);
  }
}

}  // namespace adit::kernels
