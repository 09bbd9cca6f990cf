// SPDX-License-Identifier: MIT
#include "kernels/core/vec_avx2.h"
#include "kernels/mla/latent_vec.h"

namespace adit::kernels {
namespace {

template <>
struct RowGroups<Vec256> {
  static __m256 load_rows(const std::uint16_t* const* rows, std::ptrdiff_t at) {
    return Vec256::load_f16(rows[0] + at);
  }
  static __m256 repeat(const float* x) { return Vec256::load(x); }
  static void sums(__m256 lanes, float scale, float* out) { out[0] = Vec256::reduce(lanes) * scale; }
};

}  // namespace

void attend_latent_avx2(const LatentParams& params) {
  LatentKernels<Vec256>(params).run();
}

}  // namespace adit::kernels
