// SPDX-License-Identifier: MIT
// The linear layer with AVX2. vpmaddubsw would saturate, so codes are widened to int16 (bytes 0 and 2 of four
// columns in one register, 1 and 3 in another) and multiplied with the whole int16 activation by vpmaddwd. A
// group's sum of code * X fits int32 (32 * 255 * 32639); the products with s and o are added in int64, or in
// int32 where A8g32 sums are proved to fit.
#include <cstdint>
#include <cstring>

#include <immintrin.h>

#include "kernels/linear/paths.h"
#include "kernels/linear/tile.h"

namespace adit::kernels {
namespace {

constexpr int kBlockTokens = 4;
constexpr int kChunkBytes = 384 * 1024;
// A tile of 16 rows is two registers of 8.
constexpr int kHalves = 2;

__m256i load(const void* at) {
  return _mm256_loadu_si256(static_cast<const __m256i*>(at));
}
__m128i load_half(const void* at) {
  return _mm_loadu_si128(static_cast<const __m128i*>(at));
}

// Columns 4j .. 4j + 3 of a group, 8 rows: [0] columns 0 and 2 as int16, [1] columns 1 and 3.
template <bool kU4>
void load_codes(const std::uint8_t* group, int j, int half, __m256i* w) {
  if (kU4) {
    const __m256i nibble = _mm256_set1_epi16(15);
    const __m256i both = load(group + (j / 2) * 64 + half * 32);
    const __m256i four = j % 2 == 0 ? both : _mm256_srli_epi16(both, 4);
    w[0] = _mm256_and_si256(four, nibble);
    w[1] = _mm256_and_si256(_mm256_srli_epi16(four, 8), nibble);
  } else {
    const __m256i four = load(group + j * 64 + half * 32);
    w[0] = _mm256_and_si256(four, _mm256_set1_epi16(255));
    w[1] = _mm256_srli_epi16(four, 8);
  }
}

__m256i two_activations(const std::int16_t* x) {
  std::int32_t two = 0;
  std::memcpy(&two, x, sizeof two);
  return _mm256_set1_epi32(two);
}

// dot[t][half] = sum_k code * X over one group, codes unsigned.
template <bool kU4, int NT>
void dot_group(const std::uint8_t* group, const std::int16_t* x, std::ptrdiff_t stride,
               __m256i (*dot)[kHalves]) {
  for (int t = 0; t < NT; ++t) dot[t][0] = dot[t][1] = _mm256_setzero_si256();
  for (int j = 0; j < 8; ++j) {
    __m256i w[kHalves][2];
    for (int half = 0; half < kHalves; ++half) load_codes<kU4>(group, j, half, w[half]);
    for (int t = 0; t < NT; ++t) {
      for (int i = 0; i < 2; ++i) {
        const __m256i pair = two_activations(x + t * stride + 4 * j + 2 * i);
        for (int half = 0; half < kHalves; ++half) {
          dot[t][half] = _mm256_add_epi32(dot[t][half], _mm256_madd_epi16(w[half][i], pair));
        }
      }
    }
  }
}

void store_rows(const LinearCall& call, const Tile& tile, int index, int token, int half,
                __m256 acc) {
  __m256 y = _mm256_mul_ps(_mm256_mul_ps(acc, _mm256_loadu_ps(tile.rs + 8 * half)),
                           _mm256_set1_ps(call.act->scale(token)));
  if (tile.bias != nullptr) y = _mm256_add_ps(y, _mm256_loadu_ps(tile.bias + 8 * half));
  float* out = call.y + static_cast<std::size_t>(token) * call.ldy + index * kTileRows + 8 * half;
  const int rows = tile.rows - 8 * half;
  if (rows >= 8) {
    _mm256_storeu_ps(out, y);
  } else if (rows > 0) {
    const __m256i mask =
        _mm256_cmpgt_epi32(_mm256_set1_epi32(rows), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
    _mm256_maskstore_ps(out, mask, y);
  }
}

// int32 sums: A8g32 under a proof.
struct Narrow {
  __m256i acc = _mm256_setzero_si256();
  void add(__m256i a, __m256i b) { acc = _mm256_add_epi32(acc, _mm256_mullo_epi32(a, b)); }
  __m256 value() const { return _mm256_cvtepi32_ps(acc); }
};

// int64 sums of the even and the odd rows.
struct Wide {
  __m256i even = _mm256_setzero_si256();
  __m256i odd = _mm256_setzero_si256();
  void add(__m256i a, __m256i b) {
    even = _mm256_add_epi64(even, _mm256_mul_epi32(a, b));
    odd =
        _mm256_add_epi64(odd, _mm256_mul_epi32(_mm256_srli_epi64(a, 32), _mm256_srli_epi64(b, 32)));
  }
  __m256 value() const {
    alignas(32) std::int64_t sums[2][4];
    alignas(32) float rounded[8];
    _mm256_store_si256(static_cast<__m256i*>(static_cast<void*>(sums[0])), even);
    _mm256_store_si256(static_cast<__m256i*>(static_cast<void*>(sums[1])), odd);
    for (int i = 0; i < 8; ++i) rounded[i] = static_cast<float>(sums[i % 2][i / 2]);
    return _mm256_load_ps(rounded);
  }
};

// A group's lines so far ahead, and the scales and offsets that go with them. Inline: GCC 12 takes a function that only
// prefetches for one without effects, and leaves out its calls.
template <bool kU4>
[[gnu::always_inline]] inline void call_for(const std::uint8_t* codes, const Tile& tile, std::ptrdiff_t group) {
  constexpr std::ptrdiff_t kAhead = 4096;
  constexpr std::ptrdiff_t kBytes = kU4 ? 256 : 512;
  constexpr std::ptrdiff_t kCellsAhead = kAhead / kBytes * kTileRows;
  for (std::ptrdiff_t line = 0; line < kBytes; line += 64) {
    _mm_prefetch(reinterpret_cast<const char*>(codes + kAhead + line), _MM_HINT_T0);
  }
  const std::ptrdiff_t at = scales_at(tile, static_cast<int>(group)) + kCellsAhead;
  _mm_prefetch(reinterpret_cast<const char*>(tile.s + at), _MM_HINT_T0);
  if (kU4) _mm_prefetch(reinterpret_cast<const char*>(tile.o + at), _MM_HINT_T0);
}

template <class Acc, bool kU4, int NT>
void tile_tokens(const LinearCall& call, const Tile& tile, int index, int token) {
  const ActBuffer& act = *call.act;
  const std::ptrdiff_t groups = act.groups();
  const std::int32_t* sum_hi = act.sum_hi(token);
  const std::int32_t* sum_lo = act.sum_lo(token);
  const std::int32_t* shift = act.shift(token);
  const int plane = act.form() == ActForm::kA16 ? 256 : 1;
  Acc acc[NT][kHalves];
  for (int group = 0; group < groups; ++group) {
    const std::uint8_t* codes = tile.q + static_cast<std::ptrdiff_t>(group) * (kU4 ? 256 : 512);
    call_for<kU4>(codes, tile, group);
    __m256i dot[NT][kHalves];
    dot_group<kU4, NT>(codes, act.wide(token) + group * kGroup, act.k_pad(), dot);
    for (int half = 0; half < kHalves; ++half) {
      const std::ptrdiff_t at = scales_at(tile, group) + 8 * half;
      const __m256i s = _mm256_cvtepu16_epi32(load_half(tile.s + at));
      const __m256i o =
          kU4 ? _mm256_cvtepi16_epi32(load_half(tile.o + at)) : _mm256_setzero_si256();
      for (int t = 0; t < NT; ++t) {
        const std::ptrdiff_t cell = t * groups + group;
        // The group's sum of X; its low plane is 0 for A8g32.
        const std::int32_t sum = plane * sum_hi[cell] * (1 << shift[cell]) + sum_lo[cell];
        if (kU4) {
          acc[t][half].add(dot[t][half], s);
          acc[t][half].add(o, _mm256_set1_epi32(sum));
        } else {
          acc[t][half].add(_mm256_sub_epi32(dot[t][half], _mm256_set1_epi32(128 * sum)), s);
        }
      }
    }
  }
  for (int t = 0; t < NT; ++t) {
    for (int half = 0; half < kHalves; ++half) {
      store_rows(call, tile, index, token + t, half, acc[t][half].value());
    }
  }
}

template <class Acc, bool kU4>
void block_of_tile(const LinearCall& call, const Tile& tile, int index, int token, int count) {
  switch (count) {
    case 4:
      tile_tokens<Acc, kU4, 4>(call, tile, index, token);
      break;
    case 3:
      tile_tokens<Acc, kU4, 3>(call, tile, index, token);
      break;
    case 2:
      tile_tokens<Acc, kU4, 2>(call, tile, index, token);
      break;
    default:
      tile_tokens<Acc, kU4, 1>(call, tile, index, token);
      break;
  }
}

// Weights of one chunk of tiles stay in the second-level cache while all tokens pass over them, and the
// activations of one block of tokens in the first.
template <bool kU4>
void linear_form(const LinearCall& call) {
  const bool is_a8 = call.act->form() == ActForm::kA8g32;
  const int fitting = kChunkBytes / (call.weights->k_pad * kTileRows / (kU4 ? 2 : 1));
  const int chunk = fitting < 1 ? 1 : fitting;
  const int tokens = call.act->n();
  for (int first = call.tile_begin; first < call.tile_end; first += chunk) {
    const int last = first + chunk < call.tile_end ? first + chunk : call.tile_end;
    for (int begin = 0; begin < tokens; begin += kBlockTokens) {
      const int end = begin + kBlockTokens < tokens ? begin + kBlockTokens : tokens;
      const bool narrow = is_a8 && block_fits(call, begin, end);
      for (int index = first; index < last; ++index) {
        Tile tile;
        set_tile<kU4>(*call.weights, index, tile);
        if (narrow) {
          block_of_tile<Narrow, kU4>(call, tile, index, begin, end - begin);
        } else {
          block_of_tile<Wide, kU4>(call, tile, index, begin, end - begin);
        }
      }
    }
  }
}

}  // namespace

void linear_avx2(const LinearCall& call) {
  if (call.weights->form == WeightForm::kU4) {
    linear_form<true>(call);
  } else {
    linear_form<false>(call);
  }
}

}  // namespace adit::kernels
