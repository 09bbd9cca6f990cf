// SPDX-License-Identifier: MIT
// The canonical latent attention, one head of one row at a time.
#include <algorithm>
#include <array>

#include "kernels/core/numerics.h"
#include "kernels/core/trees.h"
#include "kernels/mla/paths.h"

namespace adit::kernels {
namespace {

const std::uint16_t* seen_row(const LatentParams& params, int j) {
  return params.keys.row(params.chosen == nullptr ? j : params.chosen[j]);
}

float score_of(const LatentParams& params, const float* q, int j) {
  const std::uint16_t* row = seen_row(params, j);
  std::array<float, 8> lanes{};
  for (int i = 0; i < params.keys.cells; ++i) {
    float& lane = lanes[static_cast<std::size_t>(i % 8)];
    lane = fmaf(q[i], f32_from_f16(row[i]), lane);
  }
  return add_lanes<8>(lanes.data()) * params.scale;
}

void attend_head(const LatentParams& params, const float* q, int keys, float* scores, float* out) {
  const int rank = params.kv_rank;
  float largest = 0.0f;
  for (int j = 0; j < keys; ++j) {
    scores[j] = score_of(params, q, j);
    largest = j == 0 || scores[j] > largest ? scores[j] : largest;
  }
  for (int j = 0; j < keys; ++j) scores[j] = exp_c(scores[j] - largest);
  std::fill(out, out + rank, 0.0f);
  float den = 0.0f;
  for (int first = 0; first < keys; first += kKeyBlock) {
    const int count = std::min(kKeyBlock, keys - first);
    den = den + sum_tree<kKeyBlock>(scores + first, count);
    for (int i = 0; i < rank; ++i) {
      float num = 0.0f;
      for (int j = first; j < first + count; ++j) {
        num = fmaf(scores[j], f32_from_f16(seen_row(params, j)[i]), num);
      }
      out[i] = out[i] + num;
    }
  }
  for (int i = 0; i < rank; ++i) out[i] = out[i] / den;
}

}  // namespace

void attend_latent_scalar(const LatentParams& params) {
  for (int row = 0; row < params.rows; ++row) {
    const auto r = static_cast<std::size_t>(row);
    for (int head = 0; head < params.heads; ++head) {
      const float* q = params.q + r * params.q_stride + static_cast<std::ptrdiff_t>(head) * params.keys.cells;
      float* out = params.out + r * params.out_stride + static_cast<std::ptrdiff_t>(head) * params.kv_rank;
      attend_head(params, q, params.first_keys + row, params.scratch, out);
    }
  }
}

}  // namespace adit::kernels
