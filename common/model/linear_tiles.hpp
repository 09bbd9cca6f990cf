// SPDX-License-Identifier: MIT
// common/model/linear_tiles.hpp
//
// Between rows of codes and the 16-row tiles of kernels/linear/params.h.
//
// In       rows as quantize_row gives them, each stored once.
// Out      arrays in the tile form; read_row is the exact inverse.
// Shapes   as kernels/linear/params.h.
// Threads  store_row: different rows of one LinearTiles may be stored side by side.
// Tests    tests/unit/common/model/linear_tiles_test.cpp
#pragma once

#include <cstdint>
#include <vector>

#include "common/model/quant_row.hpp"
#include "kernels/linear/params.h"

namespace adit::model {

class LinearTiles {
 public:
  LinearTiles(kernels::WeightForm form, kernels::ActForm act, int m, int k, bool has_bias = false,
              kernels::ScaleGroup group = kernels::ScaleGroup::k32);
  void store_row(int row, const RowCodes& codes);
  // A view of the arrays; without proof numbers.
  [[nodiscard]] kernels::LinearWeights view() const;
  [[nodiscard]] ByteView q_bytes() const;
  [[nodiscard]] ByteView s_bytes() const;
  // Empty for int8.
  [[nodiscard]] ByteView o_bytes() const;
  [[nodiscard]] ByteView rs_bytes() const;
  // Empty without biases.
  [[nodiscard]] ByteView bias_bytes() const;

 private:
  kernels::LinearWeights shape_;
  std::vector<std::uint8_t> q_;
  std::vector<std::uint16_t> s_;
  std::vector<std::int16_t> o_;
  std::vector<float> rs_;
  std::vector<float> bias_;
};

// In any storage: q, s, o and rs of one row, and its sums of |W| and W^2 over the k columns; the error fields
// are left alone. Codes of columns k..k_pad are given as 0.
void read_row(const kernels::LinearWeights& weights, int row, RowCodes& out);

}  // namespace adit::model
