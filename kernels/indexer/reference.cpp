// SPDX-License-Identifier: MIT
// The canonical indexer.
#include <cstddef>

#include "kernels/indexer/paths.h"
#include "kernels/indexer/row_code.h"

namespace adit::kernels {
namespace {

float score_of(const IndexParams& params, int position) {
  const std::uint8_t* block = params.keys.block(position / kKeyBlock);
  const auto* key = reinterpret_cast<const std::int8_t*>(block + index_key_at(position, params.dim));
  std::int64_t sum = 0;
  for (int h = 0; h < params.heads; ++h) {
    const std::int8_t* q = params.q + static_cast<std::ptrdiff_t>(h) * params.dim;
    std::int32_t dot = 0;
    for (int i = 0; i < params.dim; ++i) dot += q[i] * key[i];
    sum += static_cast<std::int64_t>(params.weights[h]) * (dot > 0 ? dot : 0);
  }
  float scale;
  memcpy(&scale, block + index_scale_at(position, params.dim), sizeof scale);
  return static_cast<float>(sum) * scale;
}

void scores_scalar(const IndexParams& params) {
  for (int s = 0; s < params.count; ++s) params.out[s] = score_of(params, s);
}

}  // namespace

const IndexOps kIndexOpsScalar{hadamard_row, largest_of_row, row_to_int8, scores_scalar};

}  // namespace adit::kernels
