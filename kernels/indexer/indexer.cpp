// SPDX-License-Identifier: MIT
#include "kernels/indexer/indexer.h"

#include <algorithm>
#include <cmath>

#include "kernels/core/by_isa.h"
#include "kernels/core/numerics.h"
#include "kernels/indexer/paths.h"
#include "kernels/linear/quantize_numbers.h"
#include "kernels/ops/rows.h"

namespace adit::kernels {
namespace {

constexpr float kLayerNormEps = 1e-6f;
constexpr float kInt8Max = 127.0f;
constexpr float kWeightMax = 32767.0f;

const IndexOps& ops(Isa isa) {
  return ADIT_BY_ISA(isa, kIndexOpsScalar, kIndexOpsAvx2, kIndexOpsAvx512, kIndexOpsNeon);
}

bool is_finite(float magnitude) { return bits_of(magnitude) < kInfinityBits; }

}  // namespace

void hadamard(Isa isa, float* x, int dim) {
  ops(isa).hadamard(x, dim, static_cast<float>(1.0 / std::sqrt(static_cast<double>(dim))));
}

bool quantize_int8(Isa isa, const float* x, int n, std::int8_t* out, float& scale) {
  const float amax = ops(isa).largest(x, n);
  if (!is_finite(amax) || amax < kAmaxFloor) {
    std::fill(out, out + n, std::int8_t{0});
    scale = 0.0f;
    return is_finite(amax);
  }
  ops(isa).to_int8(x, kInt8Max / amax, n, out);
  scale = amax / kInt8Max;
  return true;
}

bool head_weights(const float* w, const float* q_scales, int heads, std::int32_t* out) {
  float vmax = 0.0f;
  bool finite = true;
  for (int h = 0; h < heads; ++h) {
    const float v = std::fabs(w[h] * q_scales[h]);
    finite = finite && is_finite(v);
    vmax = std::max(vmax, v);
  }
  const bool is_zero = !finite || vmax < kAmaxFloor;
  const float inverse = is_zero ? 0.0f : kWeightMax / vmax;
  for (int h = 0; h < heads; ++h) {
    out[h] = is_zero ? 0 : static_cast<std::int32_t>(std::nearbyint((w[h] * q_scales[h]) * inverse));
  }
  return finite;
}

void layer_norm(Isa isa, const float* x, const float* w, const float* b, int n, float* y) {
  const float mean = sum256(isa, x, n) / static_cast<float>(n);
  for (int i = 0; i < n; ++i) y[i] = x[i] - mean;
  const float variance = dot256(isa, y, y, n) / static_cast<float>(n);
  const float r = 1.0f / std::sqrt(variance + kLayerNormEps);
  for (int i = 0; i < n; ++i) y[i] = (y[i] * r) * w[i] + b[i];
}

std::size_t index_scratch_bytes(int heads, int dim) {
  // The queries as int16 for AVX2, which is the larger form; weights and sums of whole vectors of heads; one
  // key widened.
  const auto padded = static_cast<std::size_t>((heads + kIndexHeads - 1) / kIndexHeads * kIndexHeads);
  return padded * (2 * static_cast<std::size_t>(dim) + 8) + 2 * static_cast<std::size_t>(dim) * 4 + 256;
}

void index_scores(Isa isa, const IndexParams& params) {
  const bool is_vector = params.dim % 4 == 0;
  (is_vector ? ops(isa) : kIndexOpsScalar).scores(params);
}

}  // namespace adit::kernels
