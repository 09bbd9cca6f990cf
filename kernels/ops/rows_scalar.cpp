// SPDX-License-Identifier: MIT
// The canonical row operations.
#include "kernels/core/numerics.h"
#include "kernels/core/trees.h"
#include "kernels/ops/row_ops.h"

namespace adit::kernels {
namespace {

void add(float* x, const float* y, int n) {
  for (int i = 0; i < n; ++i) x[i] = x[i] + y[i];
}

void add_scaled(float* y, float w, const float* x, int n) {
  for (int i = 0; i < n; ++i) y[i] = fmaf(w, x[i], y[i]);
}

int argmax(const float* x, int n) {
  int best = 0;
  for (int i = 1; i < n; ++i) best = x[i] > x[best] ? i : best;
  return best;
}

float sum256(const float* x, int n) {
  return sum_tree<256>(x, n);
}

float dot256(const float* x, const float* y, int n) {
  return dot_tree<256>(x, y, n);
}

void divide(const float* x, float divisor, int n, float* out) {
  for (int i = 0; i < n; ++i) out[i] = x[i] / divisor;
}

void exp(const float* x, float shift, int n, float* out) {
  for (int i = 0; i < n; ++i) out[i] = exp_c(x[i] - shift);
}

void gumbel(const float* u, int n, float* out) {
  for (int i = 0; i < n; ++i) out[i] = -log_c(-log_c(u[i]));
}

bool all_finite(const float* x, int n) {
  bool finite = true;
  for (int i = 0; i < n; ++i) finite &= (bits_of(x[i]) & 0x7f800000u) != 0x7f800000u;
  return finite;
}

void scale_rows(const float* x, const float* w, float r, int n, float* y) {
  for (int i = 0; i < n; ++i) y[i] = (x[i] * r) * w[i];
}

void rotate(float* x, int half, const float* cosine, const float* sine) {
  for (int i = 0; i < half; ++i) {
    const float a = x[i];
    const float b = x[i + half];
    x[i] = fmaf(a, cosine[i], -(b * sine[i]));
    x[i + half] = fmaf(b, cosine[i], a * sine[i]);
  }
}

void swiglu(const float* gate, const float* up, int n, float* y) {
  for (int i = 0; i < n; ++i) {
    const float g = gate[i];
    const float sig = 1.0f / (1.0f + exp_c(-g));
    y[i] = (g * sig) * up[i];
  }
}

}  // namespace

const RowOps kRowOpsScalar{add, add_scaled, argmax,     sum256,     dot256, divide,
                           exp, gumbel,     all_finite, scale_rows, rotate, swiglu};

}  // namespace adit::kernels
