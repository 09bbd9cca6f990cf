// SPDX-License-Identifier: MIT
// kernels/indexer/row_code.h
//
// The indexer's element-wise operations, written plainly; each source that includes this compiles them for its
// own instruction set. Every operation is one IEEE operation an element, so the bits are the same.
//
// In       as indexer.h.
// Threads  pure.
// Tests    tests/unit/kernels/indexer_test.cpp
#pragma once

#include <cstdint>

#include <math.h>

#include "kernels/core/numerics.h"

namespace adit::kernels {
namespace {

inline void butterflies(float* x, int dim, int distance) {
  for (int i = 0; i < dim; i += 2 * distance) {
    for (int j = i; j < i + distance; ++j) {
      const float a = x[j];
      const float b = x[j + distance];
      x[j] = a + b;
      x[j + distance] = a - b;
    }
  }
}

inline void hadamard_row(float* x, int dim, float scale) {
  for (int distance = 1; distance < dim; distance *= 2) butterflies(x, dim, distance);
  for (int i = 0; i < dim; ++i) x[i] = x[i] * scale;
}

inline float largest_of_row(const float* x, int n) {
  std::uint32_t magnitude = 0;
  for (int i = 0; i < n; ++i) {
    const std::uint32_t bits = bits_of(x[i]) & 0x7fffffffu;
    magnitude = bits > magnitude ? bits : magnitude;
  }
  return float_of(magnitude);
}

inline void row_to_int8(const float* x, float inverse, int n, std::int8_t* out) {
  for (int i = 0; i < n; ++i) {
    out[i] = static_cast<std::int8_t>(static_cast<std::int32_t>(nearbyintf(x[i] * inverse)));
  }
}

}  // namespace
}  // namespace adit::kernels
