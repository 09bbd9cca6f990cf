// SPDX-License-Identifier: MIT
// Block-sparse layers with AVX-512 VNNI. A block of columns is there for all 16 rows of a tile (its vectors are
// loaded as they are), for none (it is skipped, with its scales and activations), or for some (vpexpandd).
#include "kernels/linear/sparse.h"
#include "kernels/linear/sparse_avx512.h"

namespace adit::kernels {
namespace {

constexpr int kBlockTokens = 8;
// What linear_sparse_vbmi2 takes.
constexpr int kFewTokens = 8;
constexpr int kChunkBytes = 384 * 1024;

// A register of its own: vpexpandd with a memory operand is many times slower on Zen.
__m512i load_register(const std::uint8_t* at) {
  __m512i bytes = _mm512_loadu_si512(at);
  __asm__("" : "+v"(bytes));
  return bytes;
}

// The lines of as many bytes further on as a group takes.
ADIT_INLINE void call_for(const std::uint8_t* stored, int bytes) {
  constexpr std::ptrdiff_t kAhead = 12288;
  for (int line = 0; line < bytes; line += 64) {
    _mm_prefetch(reinterpret_cast<const char*>(stored + kAhead + line), _MM_HINT_T0);
  }
}

struct CodesBlock {
  CodesBlock(const LinearWeights& weights, int tile)
      : stored(stored_bytes(weights, tile)),
        rows(block_rows_of(weights, tile)),
        groups_a_block(weights.block_columns / kGroup),
        left(groups_a_block) {}
  // Groups come in ascending order.
  bool load(int, __m512i* w) {
    if (left == 0) {
      left = groups_a_block;
      ++rows;
    }
    --left;
    if (*rows == 0) return false;
    if (*rows == 0xffff) {
      for (int j = 0; j < 8; ++j) w[j] = _mm512_loadu_si512(stored + 64 * j);
      call_for(stored, 512);
      stored += 512;
      return true;
    }
    const __m512i left_out = _mm512_set1_epi8(-128);
    const int bytes = 4 * __builtin_popcount(*rows);
    call_for(stored, 8 * bytes);
    for (int j = 0; j < 8; ++j, stored += bytes) {
      w[j] = _mm512_mask_expand_epi32(left_out, *rows, load_register(stored));
    }
    return true;
  }
  const std::uint8_t* stored;
  const std::uint16_t* rows;
  int groups_a_block;
  int left;
};

}  // namespace

void linear_block_avx512(const LinearCall& call) {
  // As in the dense layer: a chunk of tiles in the second-level cache, a block of tokens in the first.
  const int fitting = kChunkBytes / (call.weights->k_pad * kTileRows);
  const int chunk = fitting < 1 ? 1 : fitting;
  const int tokens = call.act->n();
  for (int first = call.tile_begin; first < call.tile_end; first += chunk) {
    const int last = first + chunk < call.tile_end ? first + chunk : call.tile_end;
    for (int begin = 0; begin < tokens; begin += kBlockTokens) {
      const int end = begin + kBlockTokens < tokens ? begin + kBlockTokens : tokens;
      const bool narrow = block_fits(call, begin, end);
      for (int tile = first; tile < last; ++tile) {
        sparse_tile<CodesBlock>(call, tile, begin, end - begin, narrow);
      }
    }
  }
}

bool linear_sparse_avx512(const LinearCall& call) {
  if (call.weights->storage == Storage::kBlock) {
    linear_block_avx512(call);
    return true;
  }
  if (call.act->n() > kFewTokens || !has_vbmi2()) return false;
  linear_sparse_vbmi2(call);
  return true;
}

}  // namespace adit::kernels
