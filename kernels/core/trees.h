// SPDX-License-Identifier: MIT
// kernels/core/trees.h
//
// The canonical sums: lane l of L accumulates elements l, l + L, ... in ascending order from +0, then lanes
// are added pairwise at strides L/2, L/4, ..., 1. Every vector version must do these very additions.
//
// Shapes   x, y [n]
// Threads  pure.
// Tests    tests/unit/kernels/ops_test.cpp
#pragma once

#include <math.h>

#include "kernels/core/hd.h"

namespace adit::kernels {

template <int L>
ADIT_HD float add_lanes(float* lanes) {
  for (int stride = L / 2; stride >= 1; stride /= 2) {
    for (int i = 0; i < stride; ++i) lanes[i] = lanes[i] + lanes[i + stride];
  }
  return lanes[0];
}

template <int L>
ADIT_HD float sum_tree(const float* x, int n) {
  float lanes[L];
  for (int i = 0; i < L; ++i) lanes[i] = 0.0f;
  for (int i = 0; i < n; ++i) lanes[i % L] = lanes[i % L] + x[i];
  return add_lanes<L>(lanes);
}

template <int L>
ADIT_HD float dot_tree(const float* x, const float* y, int n) {
  float lanes[L];
  for (int i = 0; i < L; ++i) lanes[i] = 0.0f;
  for (int i = 0; i < n; ++i) lanes[i % L] = fmaf(x[i], y[i], lanes[i % L]);
  return add_lanes<L>(lanes);
}

}  // namespace adit::kernels
