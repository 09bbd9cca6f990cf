// SPDX-License-Identifier: MIT
#include "kernels/ops/rows.h"

#include <cmath>
#include <cstddef>

#include "kernels/core/by_isa.h"
#include "kernels/core/numerics_f64.h"
#include "kernels/norm/rms_norm.h"
#include "kernels/ops/row_ops.h"
#include "kernels/rope/rope.h"
#include "kernels/swiglu/swiglu.h"

namespace adit::kernels {
namespace {

const RowOps& ops(Isa isa) {
  return ADIT_BY_ISA(isa, kRowOpsScalar, kRowOpsAvx2, kRowOpsAvx512, kRowOpsNeon);
}

}  // namespace

void add_rows(Isa isa, float* x, const float* y, int n) {
  ops(isa).add(x, y, n);
}

void add_scaled(Isa isa, float* y, float w, const float* x, int n) {
  ops(isa).add_scaled(y, w, x, n);
}

int argmax(Isa isa, const float* x, int n) {
  return ops(isa).argmax(x, n);
}

float sum256(Isa isa, const float* x, int n) {
  return ops(isa).sum256(x, n);
}

float dot256(Isa isa, const float* x, const float* y, int n) {
  return ops(isa).dot256(x, y, n);
}

void divide_rows(Isa isa, const float* x, float divisor, int n, float* out) {
  ops(isa).divide(x, divisor, n, out);
}

void exp_rows(Isa isa, const float* x, float shift, int n, float* out) {
  ops(isa).exp(x, shift, n, out);
}

void gumbel_rows(Isa isa, const float* u, int n, float* out) {
  ops(isa).gumbel(u, n, out);
}

bool all_finite(Isa isa, const float* x, int n) {
  return ops(isa).all_finite(x, n);
}

void rms_norm(Isa isa, const float* x, const float* w, int n, float eps, float* y) {
  const RowOps& table = ops(isa);
  const float ms = table.dot256(x, x, n) / static_cast<float>(n);
  const float r = 1.0f / std::sqrt(ms + eps);
  table.scale_rows(x, w, r, n, y);
}

void rope(Isa isa, float* x, int heads, int head_dim, const float* cosine, const float* sine) {
  for (int head = 0; head < heads; ++head) {
    ops(isa).rotate(x + static_cast<std::ptrdiff_t>(head) * head_dim, head_dim / 2, cosine, sine);
  }
}

void rope_table(const double* inv_freq, int half, int position, float* cosine, float* sine, double factor) {
  for (int i = 0; i < half; ++i) {
    double s = 0;
    double c = 0;
    sincos_c(static_cast<double>(position) * inv_freq[i], s, c);
    sine[i] = static_cast<float>(s * factor);
    cosine[i] = static_cast<float>(c * factor);
  }
}

void swiglu(Isa isa, const float* gate, const float* up, int n, float* y) {
  ops(isa).swiglu(gate, up, n, y);
}

}  // namespace adit::kernels
