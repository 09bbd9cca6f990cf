// SPDX-License-Identifier: MIT
// The linear layer with AVX-512 VNNI. A zmm register holds 16 rows x 4 columns of weights as unsigned bytes;
// vpdpbusd multiplies it with four activations of one token, broadcast. int8 codes carry +128, which the
// token's group bias (-128 * sum) takes away again; u4 offsets use the group sums. Two tiles and four tokens
// go together: a broadcast serves two tiles and a load of weights four tokens, so that the multipliers and not
// the load ports are the limit.
#include <cstdint>

#include "kernels/linear/avx512_block.h"
#include "kernels/linear/linear.h"

namespace adit::kernels {
namespace {

constexpr int kBlockTokens = 4;
constexpr int kBlockTiles = 2;
constexpr int kChunkBytes = 384 * 1024;
// Up to so many tokens a call is bound by the memory that gives the weights.
constexpr int kStreamTokens = 16;
// It sends for them so far ahead, in whole tiles.
constexpr int kStreamAhead = 8192;

template <bool kU4>
Tile tile_of(const LinearWeights& weights, int index) {
  const auto tile = static_cast<std::ptrdiff_t>(index);
  const std::ptrdiff_t bytes =
      static_cast<std::ptrdiff_t>(weights.k_pad) * kTileRows / (kU4 ? 2 : 1);
  const std::ptrdiff_t cells = static_cast<std::ptrdiff_t>(scales_of(weights)) * kTileRows;
  const int left = weights.m - index * kTileRows;
  return Tile{weights.q + tile * bytes,
              weights.s + tile * cells,
              kU4 ? weights.o + tile * cells : nullptr,
              weights.rs + tile * kTileRows,
              weights.bias == nullptr ? nullptr : weights.bias + tile * kTileRows,
              left < kTileRows ? left : kTileRows,
              scale_shift(weights.group)};
}

template <bool kU4, int kTiles, int kTokens>
void block(const LinearCall& call, const Tile* tiles, int index, int token,
           const Ahead& ahead, bool narrow) {
  const bool planes = call.act->form() == ActForm::kA16;
  if (narrow) {
    planes ? narrow_a16<kU4, kTiles, kTokens>(call, tiles, index, token, ahead)
           : narrow_a8<kU4, kTiles, kTokens>(call, tiles, index, token, ahead);
  } else {
    planes ? wide<kU4, 2, kTiles, kTokens>(call, tiles, index, token, ahead)
           : wide<kU4, 1, kTiles, kTokens>(call, tiles, index, token, ahead);
  }
}

template <bool kU4, int kTiles>
void block_of(const LinearCall& call, const Tile* tiles, int index, int token, int count,
              const Ahead& ahead, bool narrow) {
  switch (count) {
    case 4:
      block<kU4, kTiles, 4>(call, tiles, index, token, ahead, narrow);
      break;
    case 3:
      block<kU4, kTiles, 3>(call, tiles, index, token, ahead, narrow);
      break;
    case 2:
      block<kU4, kTiles, 2>(call, tiles, index, token, ahead, narrow);
      break;
    default:
      block<kU4, kTiles, 1>(call, tiles, index, token, ahead, narrow);
      break;
  }
}

// One block of tokens over one block of tiles from `index` on.
template <bool kU4>
void tiles_of(const LinearCall& call, int index, int tiles, int begin, const Ahead& ahead) {
  const int left = call.act->n() - begin;
  const int count = left < kBlockTokens ? left : kBlockTokens;
  const bool narrow = block_fits(call, begin, begin + count);
  const Tile tile[kBlockTiles] = {tile_of<kU4>(*call.weights, index),
                                  tile_of<kU4>(*call.weights, index + tiles - 1)};
  tiles == 1 ? block_of<kU4, 1>(call, tile, index, begin, count, ahead, narrow)
             : block_of<kU4, 2>(call, tile, index, begin, count, ahead, narrow);
}

void prefetch_lines(const void* at, int bytes) {
  for (int line = 0; line < bytes; line += 64) {
    _mm_prefetch(static_cast<const char*>(at) + line, _MM_HINT_T0);
  }
}

// The first scales and offsets of what is read next; its codes come with the last tiles.
void prefetch_scales(const NextTiles& next) {
  constexpr int kBytes = 512;
  const LinearWeights& w = *next.weights;
  const std::ptrdiff_t cells = std::ptrdiff_t{scales_of(w)} * kTileRows * next.tile;
  prefetch_lines(w.s + cells, kBytes);
  if (w.o != nullptr) prefetch_lines(w.o + cells, kBytes);
  prefetch_lines(w.rs + std::ptrdiff_t{next.tile} * kTileRows, 64);
}

// Few tokens: every weight is read once, in the order it lies in memory, and sent for ahead of time. One block
// of tokens walks along one tile; more of them share a pair, and the sending for the next one.
template <bool kU4>
void stream(const LinearCall& call) {
  constexpr int kGroupBytes = kU4 ? 256 : 512;
  const int tokens = call.act->n();
  const int step = tokens <= kBlockTokens ? 1 : kBlockTiles;
  const int blocks = (tokens + kBlockTokens - 1) / kBlockTokens;
  const int tile_bytes = static_cast<int>(call.act->groups()) * kGroupBytes;
  const int distance = step > 1 || tile_bytes > kStreamAhead ? step : (kStreamAhead + tile_bytes - 1) / tile_bytes;
  const bool jumps = call.next != nullptr && call.next->weights != nullptr;
  const std::uint8_t* const next = jumps ? tile_codes(*call.next->weights, call.next->tile)
                                         : tile_codes(*call.weights, call.tile_end);
  for (int index = call.tile_begin; index < call.tile_end; index += step) {
    const int tiles = index + step <= call.tile_end ? step : 1;
    const int beyond = index + distance - call.tile_end;
    const std::uint8_t* const ahead = beyond < 0 ? tile_codes(*call.weights, index + distance)
                                                 : next + std::ptrdiff_t{beyond} * tile_bytes;
    if (jumps && index + step >= call.tile_end) prefetch_scales(*call.next);
    for (int block = 0; block < blocks; ++block) {
      tiles_of<kU4>(call, index, tiles, block * kBlockTokens,
                    Ahead{ahead, kGroupBytes * block / blocks / 64 * 64,
                          kGroupBytes * (block + 1) / blocks / 64 * 64});
    }
  }
}

// Weights of one chunk of tiles stay in the second-level cache while all tokens pass over them, and the
// activations of one block of tokens in the first.
template <bool kU4>
void linear_form(const LinearCall& call) {
  const int tokens = call.act->n();
  if (tokens <= kStreamTokens) {
    stream<kU4>(call);
    return;
  }
  const int fitting = kChunkBytes / (call.weights->k_pad * kTileRows / (kU4 ? 2 : 1));
  const int chunk = fitting < kBlockTiles ? kBlockTiles : fitting / kBlockTiles * kBlockTiles;
  for (int first = call.tile_begin; first < call.tile_end; first += chunk) {
    const int last = first + chunk < call.tile_end ? first + chunk : call.tile_end;
    for (int begin = 0; begin < tokens; begin += kBlockTokens) {
      for (int index = first; index < last; index += kBlockTiles) {
        tiles_of<kU4>(call, index, index + 1 == last ? 1 : kBlockTiles, begin, Ahead{nullptr, 0, 0});
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
