// SPDX-License-Identifier: MIT
// kernels/norm/rms_norm.h
//
// RMSNorm of one row: ms = dot<256>(x, x) / n; r = 1 / sqrt(ms + eps); y = (x * r) * w.
//
// Shapes   x, w, y [n]; y may be x.
// Exact    the same bits for every Isa.
// Threads  none inside.
// Source   kernels/NUMERICS.md, "RMSNorm"
// Tests    tests/unit/kernels/ops_test.cpp
#pragma once

#include "kernels/core/isa.h"

namespace adit::kernels {

void rms_norm(Isa isa, const float* x, const float* w, int n, float eps, float* y);

}  // namespace adit::kernels
