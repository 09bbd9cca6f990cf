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
// Activations of one pass over the tiles stay in the second-level cache.
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

__m512i four_activations(const std::int8_t* x) {
  std::int32_t four = 0;
  std::memcpy(&four, x, sizeof four);
  return _mm512_set1_epi32(four);
}

// bias + sum_k code * x over one group, for 16 rows.
__m512i dot_group(const __m512i* w, const std::int8_t* x, __m512i bias) {
  __m512i even = bias;
  __m512i odd = _mm512_setzero_si512();
  for (int j = 0; j < 8; j += 2) {
    even = _mm512_dpbusd_epi32(even, w[j], four_activations(x + 4 * j));
    odd = _mm512_dpbusd_epi32(odd, w[j + 1], four_activations(x + 4 * j + 4));
  }
  return _mm512_add_epi32(even, odd);
}

// Two planes at once; each is one chain.
void dot_group_planes(const __m512i* w, const std::int8_t* hi, const std::int8_t* lo,
                      __m512i& dot_hi, __m512i& dot_lo) {
  for (int j = 0; j < 8; ++j) {
    dot_hi = _mm512_dpbusd_epi32(dot_hi, w[j], four_activations(hi + 4 * j));
    dot_lo = _mm512_dpbusd_epi32(dot_lo, w[j], four_activations(lo + 4 * j));
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

// NT tokens x 16 rows with int32 accumulators: the sums are proved to fit.
template <bool kU4, int NT>
void narrow_a8(const LinearCall& call, const Tile& tile, int index, int token) {
  const ActBuffer& act = *call.act;
  const std::ptrdiff_t stride = act.k_pad();
  const std::ptrdiff_t groups = act.groups();
  const std::int8_t* x = act.hi(token);
  const std::int32_t* start = kU4 ? act.sum_hi(token) : act.bias_hi(token);
  const std::int32_t* shift = act.shift(token);
  __m512i acc[NT];
  for (int t = 0; t < NT; ++t) acc[t] = _mm512_setzero_si512();
  for (int group = 0; group < groups; ++group) {
    __m512i w[8];
    load_codes<kU4>(tile, group, w);
    const __m512i s = load_scales(tile, group);
    const __m512i o = kU4 ? load_offsets(tile, group) : _mm512_setzero_si512();
    for (int t = 0; t < NT; ++t) {
      const __m512i sum = _mm512_set1_epi32(start[t * groups + group]);
      const __m512i dot =
          dot_group(w, x + t * stride + group * kGroup, kU4 ? _mm512_setzero_si512() : sum);
      __m512i part = _mm512_mullo_epi32(dot, s);
      if (kU4) part = _mm512_add_epi32(part, _mm512_mullo_epi32(o, sum));
      part = _mm512_sllv_epi32(part, _mm512_set1_epi32(shift[t * groups + group]));
      acc[t] = _mm512_add_epi32(acc[t], part);
    }
  }
  for (int t = 0; t < NT; ++t) store_rows(call, tile, index, token + t, _mm512_cvtepi32_ps(acc[t]));
}

template <bool kU4, int NT>
void narrow_a16(const LinearCall& call, const Tile& tile, int index, int token) {
  const ActBuffer& act = *call.act;
  const std::ptrdiff_t stride = act.k_pad();
  const std::ptrdiff_t groups = act.groups();
  const std::int8_t* x_hi = act.hi(token);
  const std::int8_t* x_lo = act.lo(token);
  const std::int32_t* start_hi = kU4 ? act.sum_hi(token) : act.bias_hi(token);
  const std::int32_t* start_lo = kU4 ? act.sum_lo(token) : act.bias_lo(token);
  __m512i acc_hi[NT];
  __m512i acc_lo[NT];
  for (int t = 0; t < NT; ++t) acc_hi[t] = acc_lo[t] = _mm512_setzero_si512();
  for (int group = 0; group < groups; ++group) {
    __m512i w[8];
    load_codes<kU4>(tile, group, w);
    const __m512i s = load_scales(tile, group);
    const __m512i o = kU4 ? load_offsets(tile, group) : _mm512_setzero_si512();
    for (int t = 0; t < NT; ++t) {
      const __m512i sum_hi = _mm512_set1_epi32(start_hi[t * groups + group]);
      const __m512i sum_lo = _mm512_set1_epi32(start_lo[t * groups + group]);
      __m512i hi = kU4 ? _mm512_setzero_si512() : sum_hi;
      __m512i lo = kU4 ? _mm512_setzero_si512() : sum_lo;
      const std::ptrdiff_t at = t * stride + group * kGroup;
      dot_group_planes(w, x_hi + at, x_lo + at, hi, lo);
      acc_hi[t] = _mm512_add_epi32(acc_hi[t], _mm512_mullo_epi32(hi, s));
      acc_lo[t] = _mm512_add_epi32(acc_lo[t], _mm512_mullo_epi32(lo, s));
      if (kU4) {
        acc_hi[t] = _mm512_add_epi32(acc_hi[t], _mm512_mullo_epi32(o, sum_hi));
        acc_lo[t] = _mm512_add_epi32(acc_lo[t], _mm512_mullo_epi32(o, sum_lo));
      }
    }
  }
  for (int t = 0; t < NT; ++t) {
    store_rows(call, tile, index, token + t, planes_to_float(acc_hi[t], acc_lo[t]));
  }
}

// One token with int64 accumulators, for sums that int32 might not hold. A group's own sum of code * X fits
// int32 (32 * 128 * 32639); products with s and o do not.
template <bool kU4>
void wide_token(const LinearCall& call, const Tile& tile, int index, int token) {
  const ActBuffer& act = *call.act;
  const bool planes = act.form() == ActForm::kA16;
  __m512i even = _mm512_setzero_si512();
  __m512i odd = _mm512_setzero_si512();
  for (int group = 0; group < act.groups(); ++group) {
    __m512i w[8];
    load_codes<kU4>(tile, group, w);
    const __m512i s = load_scales(tile, group);
    const __m512i zero = _mm512_setzero_si512();
    __m512i hi = kU4 ? zero : _mm512_set1_epi32(act.bias_hi(token)[group]);
    std::int32_t sum = act.sum_hi(token)[group];
    if (planes) {
      __m512i lo = kU4 ? zero : _mm512_set1_epi32(act.bias_lo(token)[group]);
      dot_group_planes(w, act.hi(token) + group * kGroup, act.lo(token) + group * kGroup, hi, lo);
      hi = _mm512_add_epi32(_mm512_slli_epi32(hi, 8), lo);
      sum = 256 * sum + act.sum_lo(token)[group];
    } else {
      hi = dot_group(w, act.hi(token) + group * kGroup, hi);
      hi = _mm512_sllv_epi32(hi, _mm512_set1_epi32(act.shift(token)[group]));
      sum *= 1 << act.shift(token)[group];
    }
    even = _mm512_add_epi64(even, _mm512_mul_epi32(hi, s));
    odd = _mm512_add_epi64(odd,
                           _mm512_mul_epi32(_mm512_srli_epi64(hi, 32), _mm512_srli_epi64(s, 32)));
    if (kU4) {
      const __m512i o = load_offsets(tile, group);
      const __m512i x = _mm512_set1_epi32(sum);
      even = _mm512_add_epi64(even, _mm512_mul_epi32(o, x));
      odd = _mm512_add_epi64(odd, _mm512_mul_epi32(_mm512_srli_epi64(o, 32), x));
    }
  }
  const __m512i order = _mm512_setr_epi32(0, 8, 1, 9, 2, 10, 3, 11, 4, 12, 5, 13, 6, 14, 7, 15);
  const __m512 split = join(_mm512_cvtepi64_ps(even), _mm512_cvtepi64_ps(odd));
  store_rows(call, tile, index, token, _mm512_permutexvar_ps(order, split));
}

template <bool kU4, int NT>
void narrow_tokens(const LinearCall& call, const Tile& tile, int index, int token) {
  if (call.act->form() == ActForm::kA16) {
    narrow_a16<kU4, NT>(call, tile, index, token);
  } else {
    narrow_a8<kU4, NT>(call, tile, index, token);
  }
}

template <bool kU4>
void tokens_of_tile(const LinearCall& call, const Tile& tile, int index, int begin, int end) {
  if (!call.narrow) {
    for (int token = begin; token < end; ++token) wide_token<kU4>(call, tile, index, token);
    return;
  }
  int token = begin;
  for (; token + kBlockTokens <= end; token += kBlockTokens) {
    narrow_tokens<kU4, kBlockTokens>(call, tile, index, token);
  }
  switch (end - token) {
    case 7:
      narrow_tokens<kU4, 7>(call, tile, index, token);
      break;
    case 6:
      narrow_tokens<kU4, 6>(call, tile, index, token);
      break;
    case 5:
      narrow_tokens<kU4, 5>(call, tile, index, token);
      break;
    case 4:
      narrow_tokens<kU4, 4>(call, tile, index, token);
      break;
    case 3:
      narrow_tokens<kU4, 3>(call, tile, index, token);
      break;
    case 2:
      narrow_tokens<kU4, 2>(call, tile, index, token);
      break;
    case 1:
      narrow_tokens<kU4, 1>(call, tile, index, token);
      break;
    default:
      break;
  }
}

template <bool kU4>
void linear_form(const LinearCall& call) {
  const int planes = call.act->form() == ActForm::kA16 ? 2 : 1;
  const int fitting = kChunkBytes / (call.act->k_pad() * planes) / kBlockTokens * kBlockTokens;
  const int chunk = fitting < kBlockTokens ? kBlockTokens : fitting;
  for (int begin = call.token_begin; begin < call.token_end; begin += chunk) {
    const int end = begin + chunk < call.token_end ? begin + chunk : call.token_end;
    for (int index = call.tile_begin; index < call.tile_end; ++index) {
      tokens_of_tile<kU4>(call, tile_of<kU4>(*call.weights, index), index, begin, end);
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
