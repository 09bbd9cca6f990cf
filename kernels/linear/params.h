// SPDX-License-Identifier: MIT
// kernels/linear/params.h
//
// What a linear layer is made of: integer weights in tiles of 16 rows, and the form of its activations.
//
// In       a borrowed view; a pack file holds the arrays in exactly this form, so they are used in place.
// Shapes   W[m, k] = s[m, k/G] * q[m, k] + o[m, k/G] (effective integers), G = 32, 64, 128 or the whole row.
//          y = (float(sum W*X) * rs) * as + bias.
//          Rows m..m_pad have s = o = rs = 0; columns k..k_pad have code 0 and meet activations of 0.
//          A storage other than dense leaves codes out of q; a code that is left out is 0, and the weights, the
//          proofs and the results are those of the dense form with zeros.
// Exact    abs_row_max and sq_row_max are exact, computed by the packer over all rows.
// Threads  plain values.
// Source   kernels/NUMERICS.md, "Linear layer"
// Tests    tests/unit/common/model/pack_test.cpp, tests/unit/kernels
#pragma once

#include <cstddef>
#include <cstdint>

namespace adit::kernels {

enum class WeightForm : std::uint8_t { kI8 = 8, kU4 = 4 };
enum class ActForm : std::uint8_t { kA16 = 16, kA8g32 = 8 };

// How the codes of an int8 linear lie in q. k24: two of each four columns of a row. kBitmask: any. kBlock: whole
// blocks of columns, for each row of a tile.
enum class Storage : std::uint8_t { kDense, k24, kBitmask, kBlock };

constexpr int kTileRows = 16;
// Columns of a group of activations; k is padded to a multiple of it.
constexpr int kGroup = 32;

// Columns of a row that share a scale (and an offset); kRow: all of them. The value is that of the content hash.
enum class ScaleGroup : std::uint8_t { kRow = 0, k32 = 32, k64 = 64, k128 = 128 };

// The scale of the g-th 32 columns of a row is its scale number g >> scale_shift.
static inline int scale_shift(ScaleGroup group) {
  switch (group) {
    case ScaleGroup::k32: return 0;
    case ScaleGroup::k64: return 1;
    case ScaleGroup::k128: return 2;
    case ScaleGroup::kRow: break;
  }
  return 31;
}

// Columns that share a scale, of k.
static inline std::size_t columns_of(ScaleGroup group, std::size_t k) {
  return group == ScaleGroup::kRow ? k : static_cast<std::size_t>(group);
}

// Scales of a row of k columns.
static inline int scales_of(ScaleGroup group, int k) {
  return (((k + kGroup - 1) / kGroup - 1) >> scale_shift(group)) + 1;
}

struct LinearWeights {
  WeightForm form = WeightForm::kI8;
  ActForm act = ActForm::kA16;
  ScaleGroup group = ScaleGroup::k32;
  // Logical rows (outputs) and columns (inputs).
  int m = 0;
  int k = 0;
  // m rounded up to 16, k rounded up to 32.
  int m_pad = 0;
  int k_pad = 0;
  Storage storage = Storage::kDense;
  // kI8: [m_pad/16][k_pad/4][16][4], each byte q + 128. (A vector: the 64 bytes of 16 rows x 4 columns.)
  // Not dense: the stored bytes of these vectors, in order.
  // kU4: [m_pad/16][k_pad/8][16][4], low nibble = column 8b + i, high nibble = column 8b + 4 + i.
  const std::uint8_t* q = nullptr;
  // k24, kBitmask: [m_pad/16][k_pad/4]; bit b: byte b of the vector is stored. k24: two bits of every four.
  const std::uint64_t* mask = nullptr;
  // kBlock: [m_pad/16][k_pad/block_columns, rounded up]; bit r: the block's columns of row r are stored.
  const std::uint16_t* block_rows = nullptr;
  // A multiple of 32.
  int block_columns = 0;
  // kBitmask, kBlock: [m_pad/16 + 1] where each tile begins in q, and where the last one ends; 64 more bytes
  // can be read. (k24: 32 bytes a vector.)
  const std::uint64_t* offsets = nullptr;
  // [m_pad/16][scales of a row][16] group scales.
  const std::uint16_t* s = nullptr;
  // Same shape, group offsets; nullptr for kI8 (all 0).
  const std::int16_t* o = nullptr;
  // kU4: whether s and o + 7 s fit int16 everywhere (raised_offsets_fit, linear.h); false if nobody looked.
  bool raised_fit = false;
  // [m_pad] row scales.
  const float* rs = nullptr;
  // [m_pad], or nullptr.
  const float* bias = nullptr;
  // max over rows of sum_k |W[m,k]| (static int32 proof) and of sum_k W[m,k]^2 (Cauchy-Schwarz proof).
  std::uint64_t abs_row_max = 0;
  std::uint64_t sq_row_max = 0;
};

static inline int scales_of(const LinearWeights& weights) {
  return scales_of(weights.group, weights.k_pad);
}

// kBlock: blocks of columns of a tile; k_pad may cut the last one.
static inline int blocks_of(const LinearWeights& weights) {
  return (weights.k_pad + weights.block_columns - 1) / weights.block_columns;
}

}  // namespace adit::kernels
