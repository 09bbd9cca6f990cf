// SPDX-License-Identifier: MIT
// kernels/core/numerics_f64.h
//
// The canonical f64 functions behind constants and tables (RoPE angles, inverse frequencies, mscale): our
// own, so that no libm decides a bit of a forward pass.
//
// In       sincos_c: |angle| <= 2^30. exp_d: |x| <= 700. log_d: positive, normal, finite. Outside: no
//          meaning, no crash.
// Out      absolute error below 2^-50 for sincos_c; relative error below 2^-50 for exp_d and log_d.
// Threads  pure. Host code; the results are what a device is given.
// Source   kernels/NUMERICS.md, "Primitives": Taylor series whose remainder is below 2^-55
// Tests    tests/unit/kernels/numerics_f64_test.cpp
#pragma once

namespace adit::kernels {

// sin and cos of one angle in radians.
void sincos_c(double angle, double& sine, double& cosine);
double exp_d(double x);
double log_d(double x);
// base^exponent = exp_d(exponent * log_d(base)), base > 0.
double pow_d(double base, double exponent);

}  // namespace adit::kernels
