// SPDX-License-Identifier: MIT
// kernels/linear/params.h
//
// What a linear layer is made of: integer weights in tiles of 16 rows, and the form of its activations.
//
// In       a borrowed view; a pack file holds the arrays in exactly this form, so they are used in place.
// Shapes   W[m, k] = s[m, k/32] * q[m, k] + o[m, k/32] (effective integers).
//          y = (float(sum W*X) * rs) * as + bias.
//          Rows m..m_pad have s = o = rs = 0; columns k..k_pad have code 0 and meet activations of 0.
// Exact    abs_row_max and sq_row_max are exact, computed by the packer over all rows.
// Threads  plain values.
// Source   kernels/NUMERICS.md, "Linear layer"
// Tests    tests/unit/common/model/pack_test.cpp, tests/unit/kernels
#pragma once

#include <cstdint>

namespace adit::kernels {

enum class WeightForm : std::uint8_t { kI8 = 8, kU4 = 4 };
enum class ActForm : std::uint8_t { kA16 = 16, kA8g32 = 8 };

constexpr int kTileRows = 16;
constexpr int kGroup = 32;

struct LinearWeights {
  WeightForm form = WeightForm::kI8;
  ActForm act = ActForm::kA16;
  // Logical rows (outputs) and columns (inputs).
  int m = 0;
  int k = 0;
  // m rounded up to 16, k rounded up to 32.
  int m_pad = 0;
  int k_pad = 0;
  // kI8: [m_pad/16][k_pad/4][16][4], each byte q + 128.
  // kU4: [m_pad/16][k_pad/8][16][4], low nibble = column 8b + i, high nibble = column 8b + 4 + i.
  const std::uint8_t* q = nullptr;
  // [m_pad/16][k_pad/32][16] group scales.
  const std::uint16_t* s = nullptr;
  // Same shape, group offsets; nullptr for kI8 (all 0).
  const std::int16_t* o = nullptr;
  // [m_pad] row scales.
  const float* rs = nullptr;
  // [m_pad], or nullptr.
  const float* bias = nullptr;
  // max over rows of sum_k |W[m,k]| (static int32 proof) and of sum_k W[m,k]^2 (Cauchy-Schwarz proof).
  std::uint64_t abs_row_max = 0;
  std::uint64_t sq_row_max = 0;
};

}  // namespace adit::kernels
