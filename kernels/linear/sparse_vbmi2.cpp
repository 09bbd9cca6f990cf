// SPDX-License-Identifier: MIT
// 2:4 and bitmask layers with AVX-512 VBMI2: vpexpandb places the stored bytes of a vector into a register of
// 128s (codes of 0), which is then used as the dense layer uses it.
#include "kernels/linear/sparse.h"
#include "kernels/linear/sparse_avx512.h"

namespace adit::kernels {
namespace {

// A register of its own: vpexpandb with a memory operand is many times slower on Zen.
__m512i load_whole(const std::uint8_t* at) {
  __m512i bytes = _mm512_loadu_si512(at);
  __asm__("" : "+v"(bytes));
  return bytes;
}
// How far ahead stored bytes and masks are called for, a group's lines at a time; measured.
constexpr std::ptrdiff_t kStoredAhead = 12288;
constexpr std::ptrdiff_t kMasksAhead = 3072;

ADIT_INLINE void call_for(const std::uint8_t* stored, const std::uint64_t* masks) {
  for (int line = 0; line < 256; line += 64) {
    _mm_prefetch(reinterpret_cast<const char*>(stored + kStoredAhead + line), _MM_HINT_T0);
  }
  _mm_prefetch(reinterpret_cast<const char*>(masks) + kMasksAhead, _MM_HINT_T0);
}

__m512i load_half(const std::uint8_t* at) {
  return _mm512_castsi256_si512(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(at)));
}

struct Codes24 {
  Codes24(const LinearWeights& weights, int tile)
      : stored(stored_bytes(weights, tile)), masks(masks_of(weights, tile)) {}
  bool load(int group, __m512i* w) {
    const __m512i left_out = _mm512_set1_epi8(-128);
    const std::uint8_t* at = stored + static_cast<std::ptrdiff_t>(group) * 256;
    const std::uint64_t* mask = masks + static_cast<std::ptrdiff_t>(group) * 8;
    for (int j = 0; j < 8; ++j) w[j] = _mm512_mask_expand_epi8(left_out, mask[j], load_half(at + 32 * j));
    call_for(at, mask);
    return true;
  }
  const std::uint8_t* stored;
  const std::uint64_t* masks;
};

struct CodesBitmask {
  CodesBitmask(const LinearWeights& weights, int tile)
      : stored(stored_bytes(weights, tile)), masks(masks_of(weights, tile)) {}
  bool load(int group, __m512i* w) {
    const __m512i left_out = _mm512_set1_epi8(-128);
    const std::uint64_t* mask = masks + static_cast<std::ptrdiff_t>(group) * 8;
    for (int j = 0; j < 8; ++j) {
      w[j] = _mm512_mask_expand_epi8(left_out, mask[j], load_whole(stored));
      stored += __builtin_popcountll(mask[j]);
    }
    call_for(stored, mask);
    return true;
  }
  const std::uint8_t* stored;
  const std::uint64_t* masks;
};

template <class Codes>
void run(const LinearCall& call) {
  const int tokens = call.act->n();
  const bool narrow = block_fits(call, 0, tokens);
  for (int tile = call.tile_begin; tile < call.tile_end; ++tile) {
    sparse_tile<Codes>(call, tile, 0, tokens, narrow);
  }
}

template <class Codes>
void expand(const LinearWeights& weights, int tile, std::uint8_t* out) {
  Codes codes(weights, tile);
  for (int group = 0; group < weights.k_pad / kGroup; ++group) {
    __m512i w[8];
    codes.load(group, w);
    for (int j = 0; j < 8; ++j, out += 64) _mm512_store_si512(out, w[j]);
  }
}

}  // namespace

void linear_sparse_vbmi2(const LinearCall& call) {
  call.weights->storage == Storage::k24 ? run<Codes24>(call) : run<CodesBitmask>(call);
}

void expand_tile_vbmi2(const LinearWeights& weights, int tile, std::uint8_t* out) {
  switch (weights.storage) {
    case Storage::k24:
      expand<Codes24>(weights, tile, out);
      return;
    case Storage::kBitmask:
      expand<CodesBitmask>(weights, tile, out);
      return;
    default:
      expand_tile_avx2(weights, tile, out);
      return;
  }
}

}  // namespace adit::kernels
