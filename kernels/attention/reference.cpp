// SPDX-License-Identifier: MIT
// The canonical attention, one query head at a time.
#include <algorithm>
#include <array>
#include <cstring>

#include "kernels/attention/paths.h"
#include "kernels/core/numerics.h"
#include "kernels/core/trees.h"

namespace adit::kernels {
namespace {

// The number at `at` of a block.
float cell_of(const AttendParams& params, const std::uint16_t* block, std::size_t at) {
  return params.form == KvForm::kF16 ? f32_from_f16(block[at])
                                     : static_cast<float>(reinterpret_cast<const std::int8_t*>(block)[at]);
}

// Of an int8 row.
float scale_of(const AttendParams& params, const std::uint16_t* block, int position) {
  float scale = 0.0f;
  std::memcpy(&scale, reinterpret_cast<const char*>(block) + kv_scale_at(position, params.head_dim), sizeof scale);
  return scale;
}

float score_of(const AttendParams& params, const float* q, int key) {
  const auto dim = static_cast<std::size_t>(params.head_dim);
  const std::uint16_t* block = key_block(params, key / kKeyBlock);
  std::array<float, 8> lanes{};
  for (std::size_t i = 0; i < dim; ++i) {
    const float k = cell_of(params, block, i * kKeyBlock + static_cast<std::size_t>(key % kKeyBlock));
    lanes[i % 8] = fmaf(q[i], k, lanes[i % 8]);
  }
  const float dot = add_lanes<8>(lanes.data());
  return (params.form == KvForm::kF16 ? dot : dot * scale_of(params, block, key)) * params.scale;
}

void attend_head(const AttendParams& params, const float* q, int keys, float* scores, float* out) {
  const auto dim = static_cast<std::size_t>(params.head_dim);
  float largest = 0.0f;
  for (int j = 0; j < keys; ++j) {
    scores[j] = score_of(params, q, j);
    largest = j == 0 || scores[j] > largest ? scores[j] : largest;
  }
  for (int j = 0; j < keys; ++j) scores[j] = exp_c(scores[j] - largest);
  std::fill(out, out + dim, 0.0f);
  float den = 0.0f;
  for (int first = 0; first < keys; first += kKeyBlock) {
    const int count = std::min(kKeyBlock, keys - first);
    den = den + sum_tree<kKeyBlock>(scores + first, count);
    const std::uint16_t* values = value_block(params, first / kKeyBlock);
    // den is made of p; int8 values take their scale from here on.
    for (int j = 0; params.form == KvForm::kI8 && j < count; ++j) {
      scores[first + j] = scores[first + j] * scale_of(params, values, j);
    }
    for (std::size_t i = 0; i < dim; ++i) {
      float num = 0.0f;
      for (int j = 0; j < count; ++j) {
        num = fmaf(scores[first + j], cell_of(params, values, static_cast<std::size_t>(j) * dim + i), num);
      }
      out[i] = out[i] + num;
    }
  }
  for (std::size_t i = 0; i < dim; ++i) out[i] = out[i] / den;
}

}  // namespace

void attend_scalar(const AttendParams& params) {
  for (int row = 0; row < params.rows; ++row) {
    for (int head = 0; head < params.group; ++head) {
      const auto offset =
          static_cast<std::size_t>(head) * static_cast<std::size_t>(params.head_dim);
      const auto r = static_cast<std::size_t>(row);
      attend_head(params, params.q + r * params.q_stride + offset, params.first_keys + row,
                  params.scratch, params.out + r * params.out_stride + offset);
    }
  }
}

void to_f16_scalar(const float* x, int n, std::uint16_t* out) {
  for (int i = 0; i < n; ++i) out[i] = f16_from_f32(x[i]);
}

}  // namespace adit::kernels
