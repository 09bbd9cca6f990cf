// SPDX-License-Identifier: MIT
// kernels/ops/rows.h
//
// Small operations over one row of f32: sums, the greedy choice, and what the sampler needs.
//
// Shapes   x, y, out [n]; out may be x.
// In       finite values.
// Out      argmax: the lowest index of the largest value, +0 = -0; n >= 1.
// Exact    the same bits for every Isa.
// Threads  none inside.
// Source   kernels/NUMERICS.md, "Primitives", "Sampling"
// Tests    tests/unit/kernels/ops_test.cpp
#pragma once

#include "kernels/core/isa.h"

namespace adit::kernels {

// x = x + y.
void add_rows(Isa isa, float* x, const float* y, int n);
// y = fma(w, x, y).
void add_scaled(Isa isa, float* y, float w, const float* x, int n);
int argmax(Isa isa, const float* x, int n);
float sum256(Isa isa, const float* x, int n);
float dot256(Isa isa, const float* x, const float* y, int n);
// out = x / divisor.
void divide_rows(Isa isa, const float* x, float divisor, int n, float* out);
// out = exp_c(x - shift).
void exp_rows(Isa isa, const float* x, float shift, int n, float* out);
// out = -log_c(-log_c(u)), u in (0, 1): Gumbel noise.
void gumbel_rows(Isa isa, const float* u, int n, float* out);
// False if any value is a NaN or infinite.
bool all_finite(Isa isa, const float* x, int n);

}  // namespace adit::kernels
