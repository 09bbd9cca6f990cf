// SPDX-License-Identifier: MIT
// common/model/quant_row.hpp
//
// One row of a stored weight matrix -> the integers of the exact linear layer: codes, group scales and
// offsets, row scale.
//
// In       a row as GGUF stores it, k values, padded with zeros to a multiple of 32; columns that share a scale: 32,
//          64, 128 or all (the last group may have fewer).
// Out      W[k] = s[g] * q[k] + o[g], g the group of column k, and W * rs is as close to the row as the form allows.
//          kU4: q 0..15, s <= 1023, |o| <= 32767.  kI8: q -127..127, s <= 511 (1 for a whole row), o absent.
//          Blocks of d * code + m are taken over as they are for groups of 32, else fitted anew from their values.
//          sum |W| < 2^24, so that a 16-bit activation plane never overflows int32.
// Errors   kInvalidArgument for a value that is not finite; the caller adds file, tensor and row.
// Exact    the same integers on every machine: IEEE operations in a fixed order, no libm.
// Threads  pure.
// Source   kernels/NUMERICS.md, "Packs"
// Tests    tests/unit/common/model/quant_row_test.cpp
#pragma once

#include <cstdint>
#include <vector>

#include "common/base/bytes.hpp"
#include "common/base/result.hpp"
#include "common/model/gguf.hpp"
#include "kernels/linear/params.h"

namespace adit::model {

inline constexpr int kU4ScaleMax = 1023;
inline constexpr int kI8ScaleMax = 511;
// sum |W| * 128 < 2^31.
inline constexpr std::uint64_t kAbsRowMax = (std::uint64_t{1} << 24) - 1;

struct RowCodes {
  std::vector<std::int8_t> q;    // [k rounded up to 32]
  std::vector<std::uint16_t> s;  // [groups]
  std::vector<std::int16_t> o;   // [groups]; all 0 for kI8
  kernels::ScaleGroup group = kernels::ScaleGroup::k32;
  float rs = 0;
  // Of a linear that has biases; quantize_row leaves it alone.
  float bias = 0;
  std::uint64_t abs_sum = 0;
  std::uint64_t sq_sum = 0;
  // Squared error of W * rs and the squared length of the row.
  double error_sq = 0;
  double source_sq = 0;

  // W of a column.
  [[nodiscard]] std::int32_t weight(std::size_t column) const {
    const std::size_t g = column / kernels::kGroup >> kernels::scale_shift(group);
    return std::int32_t{s[g]} * q[column] + o[g];
  }
};

// Types whose groups of 32 are d * code + m with 16 codes: u4 holds them with next to no loss.
[[nodiscard]] bool is_affine_u4(GgufType type);

[[nodiscard]] Result<void> quantize_row(GgufType type, ByteView row, int k, kernels::WeightForm form,
                                        RowCodes& out,
                                        kernels::ScaleGroup group = kernels::ScaleGroup::k32);

}  // namespace adit::model
