// SPDX-License-Identifier: MIT
// kernels/linear/avx512_walk.h
//
// The order in which a dense layer with AVX-512 goes over its tiles and tokens, for avx512.cpp and avx512_spans.cpp.
//
// In       Kernel: kU4; kTiles and kTokens of its largest block; kGroupBytes of a tile's group as it reads it;
//          begin(call, first, last) before blocks of tiles [first, last); run(call, index, count_of_tiles, token,
//          count_of_tokens, ahead) for any block up to that; finish(call) after the last one.
// Threads  pure.
// Tests    tests/unit/kernels/linear_test.cpp
#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/linear/avx512_block.h"
#include "kernels/linear/linear.h"

namespace adit::kernels {
namespace {

constexpr int kChunkBytes = 40 * 1024;
// Up to so many tokens a call is bound by the memory that gives the weights.
constexpr int kStreamTokens = 16;
// It sends for them so far ahead, in whole tiles.
constexpr int kStreamAhead = 8192;
// Up to so many tokens walk along one tile.
constexpr int kSingleTokens = 4;

// One block of tokens over one block of tiles from `index` on.
template <class Kernel>
void run_block(Kernel& kernel, const LinearCall& call, int index, int tiles, int token, const Ahead& ahead) {
  const int left = call.act->n() - token;
  const int count = left < Kernel::kTokens ? left : Kernel::kTokens;
  kernel.run(call, index, tiles, token, count, ahead);
}

// Inline: GCC 12 takes a function that does nothing but prefetch for one without effects, and leaves out its calls.
template <_mm_hint kHint>
ADIT_INLINE void prefetch_lines(const void* at, int bytes) {
  for (int line = 0; line < bytes; line += 64) _mm_prefetch(static_cast<const char*>(at) + line, kHint);
}

// The scales and offsets of `count` tiles that are read next; their codes come with the tiles before. Without this the
// processor follows two or three more streams by itself, from page to page: a lone token on two threads is a tenth
// slower then.
template <_mm_hint kHint = _MM_HINT_T0>
ADIT_INLINE void prefetch_scales(const NextTiles& tiles, int count) {
  const LinearWeights& w = *tiles.weights;
  const int cells = scales_of(w) * kTileRows;
  const int bytes = cells * count * static_cast<int>(sizeof(std::uint16_t));
  const std::ptrdiff_t begin = std::ptrdiff_t{cells} * tiles.tile;
  prefetch_lines<kHint>(w.s + begin, bytes);
  if (w.o != nullptr) prefetch_lines<kHint>(w.o + begin, bytes);
  prefetch_lines<kHint>(w.rs + std::ptrdiff_t{tiles.tile} * kTileRows, 64 * count);
}

// What the caller reads as tile `index` of the call's linear; behind the call's last one it may go on elsewhere.
inline NextTiles tiles_at(const LinearCall& call, int index) {
  const bool jumps = index >= call.tile_end && call.next != nullptr && call.next->weights != nullptr;
  if (!jumps) return {call.weights, index};
  return {call.next->weights, call.next->tile + index - call.tile_end};
}
inline const std::uint8_t* codes_at(const LinearCall& call, int index) {
  const NextTiles tiles = tiles_at(call, index);
  return tile_codes(*tiles.weights, tiles.tile);
}

// Few tokens: every weight is read once, in the order it lies in memory, and sent for ahead of time. One block
// of tokens walks along one tile; more of them share some, and the sending for the next ones.
template <class Kernel>
void stream(const LinearCall& call) {
  constexpr int kGroupBytes = Kernel::kU4 ? 256 : 512;
  const int tokens = call.act->n();
  const int step = tokens <= kSingleTokens ? 1 : Kernel::kTiles;
  const int blocks = (tokens + Kernel::kTokens - 1) / Kernel::kTokens;
  const int tile_bytes = static_cast<int>(call.act->groups()) * kGroupBytes;
  const int distance = step > 1 || tile_bytes > kStreamAhead ? step : (kStreamAhead + tile_bytes - 1) / tile_bytes;
  Kernel kernel;
  for (int index = call.tile_begin; index < call.tile_end; index += step) {
    const int tiles = index + step <= call.tile_end ? step : call.tile_end - index;
    const std::uint8_t* const ahead = codes_at(call, index + distance);
    if (step == 1) {
      prefetch_scales<_MM_HINT_NTA>(tiles_at(call, index + distance), 1);
    } else {
      prefetch_scales(tiles_at(call, index + tiles), step);
    }
    kernel.begin(call, index, index + tiles);
    for (int block = 0; block < blocks; ++block) {
      run_block(kernel, call, index, tiles, block * Kernel::kTokens,
                Ahead{ahead, kGroupBytes * block / blocks / 64 * 64, kGroupBytes * (block + 1) / blocks / 64 * 64,
                      blocks == 1 ? Reach::kOnce : Reach::kSoon});
    }
  }
  kernel.finish(call);
}

// Weights of one chunk of tiles, two or more, stay near (in the first-level cache if two fit) while all tokens pass
// over them. The last blocks of tokens send for the next chunk, a line of each group at a time.
template <class Kernel>
void walk(const LinearCall& call) {
  constexpr int kGroupBytes = Kernel::kU4 ? 256 : 512;
  constexpr int kLines = kGroupBytes / 64;
  const int tokens = call.act->n();
  if (tokens <= kStreamTokens) {
    stream<Kernel>(call);
    return;
  }
  Kernel kernel;
  const int blocks = (tokens + Kernel::kTokens - 1) / Kernel::kTokens;
  const int fitting = kChunkBytes / (static_cast<int>(call.act->groups()) * Kernel::kGroupBytes);
  const int chunk = fitting < Kernel::kTiles ? Kernel::kTiles : fitting / Kernel::kTiles * Kernel::kTiles;
  for (int first = call.tile_begin; first < call.tile_end; first += chunk) {
    const int last = first + chunk < call.tile_end ? first + chunk : call.tile_end;
    kernel.begin(call, first, last);
    for (int block = 0; block < blocks; ++block) {
      const int token = block * Kernel::kTokens;
      const int line = block - (blocks - kLines);
      for (int index = first; index < last; index += Kernel::kTiles) {
        const int tiles = index + Kernel::kTiles <= last ? Kernel::kTiles : last - index;
        const int next = last + index - first;
        const Ahead ahead =
            line < 0 ? Ahead{} : Ahead{codes_at(call, next), line * 64, line * 64 + 64, Reach::kLater};
        if (line == 0) prefetch_scales(tiles_at(call, next), Kernel::kTiles);
        run_block(kernel, call, index, tiles, token, ahead);
      }
    }
  }
  kernel.finish(call);
}

}  // namespace
}  // namespace adit::kernels
