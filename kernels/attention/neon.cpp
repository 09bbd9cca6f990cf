// SPDX-License-Identifier: MIT
#include "kernels/attention/attention_vec.h"
#include "kernels/core/vec_neon.h"

namespace adit::kernels {

void attend_neon(const AttendParams& params) {
  if (params.form == KvForm::kI8) {
    AttentionKernels<VecNeon, ByteCells<VecNeon>>(params).run();
  } else {
    AttentionKernels<VecNeon, HalfCells<VecNeon>>(params).run();
  }
}

void to_f16_neon(const float* x, int n, std::uint16_t* out) {
  for (int i = 0; i < n; i += VecNeon::kLanes) {
    const int count = n - i < VecNeon::kLanes ? n - i : VecNeon::kLanes;
    VecNeon::store_f16_n(out + i, VecNeon::load_n(x + i, count), count);
  }
}

}  // namespace adit::kernels
