// SPDX-License-Identifier: MIT
// kernels/swiglu/swiglu.h
//
// The gated unit: sig = 1 / (1 + exp_c(-g)); y = (g * sig) * u.
//
// Shapes   gate, up, y [n]; y may be gate or up.
// Exact    the same bits for every Isa.
// Threads  none inside.
// Source   kernels/NUMERICS.md, "SwiGLU"
// Tests    tests/unit/kernels/ops_test.cpp
#pragma once

#include "kernels/core/isa.h"

namespace adit::kernels {

void swiglu(Isa isa, const float* gate, const float* up, int n, float* y);

}  // namespace adit::kernels
