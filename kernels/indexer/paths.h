// SPDX-License-Identifier: MIT
// kernels/indexer/paths.h
//
// The versions behind indexer.h, each compiled for its own instruction set.
//
// In       as indexer.h says. The vector versions of index_scores need dim % 4 == 0.
// Threads  as indexer.h.
#pragma once

#include "kernels/indexer/indexer.h"

namespace adit::kernels {

struct IndexOps {
  void (*hadamard)(float* x, int dim, float scale);
  // amax of x; out, which may be null for none, = rint(x * inverse).
  float (*largest)(const float* x, int n);
  void (*to_int8)(const float* x, float inverse, int n, std::int8_t* out);
  void (*scores)(const IndexParams& params);
};

extern const IndexOps kIndexOpsScalar;
extern const IndexOps kIndexOpsAvx2;
extern const IndexOps kIndexOpsAvx512;
extern const IndexOps kIndexOpsNeon;

// Heads go through the vector versions sixteen (AVX2: eight) at a time.
constexpr int kIndexHeads = 16;

}  // namespace adit::kernels
