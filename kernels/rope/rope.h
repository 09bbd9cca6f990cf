// SPDX-License-Identifier: MIT
// kernels/rope/rope.h
//
// Rotary position embedding, half-split: a = x[i], b = x[i + head_dim/2].
//
// Shapes   x [heads][head_dim], rotated in place; cosine, sine [head_dim/2] of the row's position.
// Out      t = b*s; a' = fma(a, c, -t); t = a*s; b' = fma(b, c, t). Tables: f64 sincos_c of
//          double(position) * inv_freq[i], times `factor` in f64, rounded to f32.
// Exact    the same bits for every Isa.
// Threads  none inside.
// Source   kernels/NUMERICS.md, "RoPE"
// Tests    tests/unit/kernels/ops_test.cpp
#pragma once

#include "kernels/core/isa.h"

namespace adit::kernels {

void rope(Isa isa, float* x, int heads, int head_dim, const float* cosine, const float* sine);

// inv_freq [half]; writes cosine and sine [half].
void rope_table(const double* inv_freq, int half, int position, float* cosine, float* sine,
                double factor = 1.0);

}  // namespace adit::kernels
