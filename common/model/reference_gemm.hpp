// SPDX-License-Identifier: MIT
// common/model/reference_gemm.hpp
//
// Plain f32 matrix product for the reference model: y = x * W^T. Accurate to f32 rounding; not canonical: its
// bits depend on the processor.
//
// Shapes   x [n][ldx], W [m][k], y [n][ldy].
//          Panels: [m rounded up to 16, / 16][k][16], rows beyond m are 0.
// Threads  pure; callers split n.
// Tests    tests/unit/common/model/reference_test.cpp
#pragma once

#include <cstddef>
#include <vector>

namespace adit::model {

inline constexpr int kPanelRows = 16;

struct Panels {
  int m = 0;
  int k = 0;
  std::vector<float> data;
};

// W[i][j] = w[i * row_stride + j * column_stride].
void make_panels(const float* w, std::size_t row_stride, std::size_t column_stride, int m, int k,
                 Panels& out);

struct GemmCall {
  const float* x = nullptr;
  std::size_t ldx = 0;
  int n = 0;
  // The first k_used columns and m_used rows of W.
  int k_used = 0;
  int m_used = 0;
  float* y = nullptr;
  std::size_t ldy = 0;
};
void reference_gemm(const Panels& w, const GemmCall& call);

}  // namespace adit::model
