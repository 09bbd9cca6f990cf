// SPDX-License-Identifier: MIT
#include "kernels/core/vec_neon.h"
#include "kernels/mla/latent_vec.h"

namespace adit::kernels {
namespace {

template <>
struct RowGroups<VecNeon> {
  static VecNeon::Reg load_rows(const std::uint16_t* const* rows, std::ptrdiff_t at) {
    return VecNeon::load_f16(rows[0] + at);
  }
  static VecNeon::Reg repeat(const float* x) { return VecNeon::load(x); }
  static void sums(VecNeon::Reg lanes, float scale, float* out) { out[0] = VecNeon::reduce(lanes) * scale; }
};

}  // namespace

void attend_latent_neon(const LatentParams& params) {
  LatentKernels<VecNeon>(params).run();
}

}  // namespace adit::kernels
