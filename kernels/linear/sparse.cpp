// SPDX-License-Identifier: MIT
#include "kernels/linear/sparse.h"

#include <cstddef>
#include <cstring>
#include <memory>
#include <new>

#include "kernels/core/by_isa.h"

namespace adit::kernels {
namespace {

constexpr std::size_t kAlign = 64;

// Tiles that go through the dense layer together.
constexpr int kTogether = 2;

// Some tiles in the dense form; each thread has one buffer, which grows.
class TileBuffer {
 public:
  std::uint8_t* of_size(std::size_t bytes) {
    if (bytes > size_) {
      memory_.reset();
      size_ = 0;
      // Kernels may read a vector past the end.
      memory_.reset(
          static_cast<std::uint8_t*>(::operator new(bytes + kAlign, std::align_val_t{kAlign})));
      size_ = bytes;
    }
    return memory_.get();
  }

 private:
  struct Free {
    void operator()(std::uint8_t* memory) const {
      ::operator delete(memory, std::align_val_t{kAlign});
    }
  };
  std::unique_ptr<std::uint8_t, Free> memory_;
  std::size_t size_ = 0;
};

// The rows of a vector whose four bytes are stored.
std::uint64_t block_mask(const LinearWeights& weights, int tile, int vector) {
  const std::uint32_t rows = block_rows_of(weights, tile)[4 * vector / weights.block_columns];
  std::uint64_t mask = 0;
  for (int row = 0; row < kTileRows; ++row) {
    if ((rows >> row & 1) != 0) mask |= std::uint64_t{15} << (4 * row);
  }
  return mask;
}

std::uint64_t mask_of(const LinearWeights& weights, int tile, int vector) {
  return weights.storage == Storage::kBlock ? block_mask(weights, tile, vector)
                                            : masks_of(weights, tile)[vector];
}

// Tiles as a layer of their own, their codes at `q`.
LinearWeights dense_tiles(const LinearWeights& weights, int tile, int count, const std::uint8_t* q) {
  const auto index = static_cast<std::ptrdiff_t>(tile);
  LinearWeights out = weights;
  out.storage = Storage::kDense;
  out.q = q;
  out.s = weights.s + index * scales_of(weights) * kTileRows;
  out.rs = weights.rs + index * kTileRows;
  if (weights.bias != nullptr) out.bias = weights.bias + index * kTileRows;
  const int left = weights.m - tile * kTileRows;
  out.m_pad = count * kTileRows;
  out.m = left < out.m_pad ? left : out.m_pad;
  return out;
}

using ExpandTile = void (*)(const LinearWeights&, int, std::uint8_t*);

ExpandTile expander(Isa isa) {
  return ADIT_BY_ISA(isa, expand_tile_scalar, expand_tile_avx2,
                     has_vbmi2() ? expand_tile_vbmi2 : expand_tile_avx2, expand_tile_neon);
}

// Where there is no other way.
bool by_expansion(const LinearCall&) { return false; }

}  // namespace

void expand_tile_scalar(const LinearWeights& weights, int tile, std::uint8_t* out) {
  const std::uint8_t* stored = stored_bytes(weights, tile);
  for (int vector = 0; vector < weights.k_pad / 4; ++vector) {
    const std::uint64_t mask = mask_of(weights, tile, vector);
    for (int byte = 0; byte < 4 * kTileRows; ++byte) {
      *out++ = (mask >> byte & 1) != 0 ? *stored++ : 128;
    }
  }
}

int sparse_code(const LinearWeights& weights, int row, int column) {
  const int tile = row / kTileRows;
  const int byte = row % kTileRows * 4 + column % 4;
  const std::uint8_t* stored = stored_bytes(weights, tile);
  for (int vector = 0; vector < column / 4; ++vector)
    stored += __builtin_popcountll(mask_of(weights, tile, vector));
  const std::uint64_t mask = mask_of(weights, tile, column / 4);
  if ((mask >> byte & 1) == 0) return 0;
  return stored[__builtin_popcountll(mask & ((std::uint64_t{1} << byte) - 1))] - 128;
}

void sparse_row(const LinearWeights& weights, int row, std::int8_t* codes) {
  const int tile = row / kTileRows;
  const int first = row % kTileRows * 4;
  const std::uint8_t* stored = stored_bytes(weights, tile);
  std::uint64_t mask = 0;
  for (int vector = 0; vector < weights.k_pad / 4; ++vector) {
    // A block's mask is that of its first vector.
    if (weights.storage != Storage::kBlock || 4 * vector % weights.block_columns == 0) {
      mask = mask_of(weights, tile, vector);
    }
    const std::uint8_t* next = stored + __builtin_popcountll(mask & ((std::uint64_t{1} << first) - 1));
    for (int i = 0; i < 4; ++i) {
      *codes++ = static_cast<std::int8_t>((mask >> (first + i) & 1) != 0 ? *next++ - 128 : 0);
    }
    stored += __builtin_popcountll(mask);
  }
}

void expand_tile(Isa isa, const LinearWeights& weights, int tile, std::uint8_t* out) {
  expander(isa)(weights, tile, out);
}

void linear_by_expansion(Isa isa, const LinearCall& call,
                         void (*expand)(const LinearWeights&, int, std::uint8_t*)) {
  static thread_local TileBuffer buffer;
  const LinearWeights& weights = *call.weights;
  const std::size_t tile_bytes = static_cast<std::size_t>(weights.k_pad) * kTileRows;
  std::uint8_t* q = buffer.of_size(kTogether * tile_bytes);
  for (int tile = call.tile_begin; tile < call.tile_end; tile += kTogether) {
    const int count = call.tile_end - tile < kTogether ? call.tile_end - tile : kTogether;
    for (int i = 0; i < count; ++i) expand(weights, tile + i, q + static_cast<std::size_t>(i) * tile_bytes);
    const LinearWeights dense = dense_tiles(weights, tile, count, q);
    LinearCall some = call;
    some.weights = &dense;
    some.y = call.y + static_cast<std::ptrdiff_t>(tile) * kTileRows;
    some.tile_begin = 0;
    some.tile_end = count;
    linear_dense(isa, some);
  }
}

void linear_sparse(Isa isa, const LinearCall& call) {
  if (ADIT_BY_ISA(isa, by_expansion, by_expansion, linear_sparse_avx512, by_expansion)(call)) return;
  linear_by_expansion(isa, call, expander(isa));
}

}  // namespace adit::kernels
