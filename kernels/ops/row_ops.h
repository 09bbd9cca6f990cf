// SPDX-License-Identifier: MIT
// kernels/ops/row_ops.h
//
// The table behind rows.h, rms_norm.h, rope.h and swiglu.h: one set of functions for each instruction set.
//
// In       as those headers say.
// Threads  constant tables.
#pragma once

namespace adit::kernels {

struct RowOps {
  void (*add)(float* x, const float* y, int n);
  void (*add_scaled)(float* y, float w, const float* x, int n);
  int (*argmax)(const float* x, int n);
  float (*sum256)(const float* x, int n);
  float (*dot256)(const float* x, const float* y, int n);
  void (*divide)(const float* x, float divisor, int n, float* out);
  void (*exp)(const float* x, float shift, int n, float* out);
  void (*gumbel)(const float* u, int n, float* out);
  bool (*all_finite)(const float* x, int n);
  // y = (x * r) * w.
  void (*scale_rows)(const float* x, const float* w, float r, int n, float* y);
  // One head: x [2 * half].
  void (*rotate)(float* x, int half, const float* cosine, const float* sine);
  void (*swiglu)(const float* gate, const float* up, int n, float* y);
};

extern const RowOps kRowOpsScalar;
extern const RowOps kRowOpsAvx2;
extern const RowOps kRowOpsAvx512;
extern const RowOps kRowOpsNeon;

}  // namespace adit::kernels
