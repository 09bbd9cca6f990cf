// SPDX-License-Identifier: MIT
#include "kernels/attention/attention_vec.h"
#include "kernels/core/vec_avx2.h"

namespace adit::kernels {

void attend_avx2(const AttendParams& params) {
  if (params.form == KvForm::kI8) {
    AttentionKernels<Vec256, ByteCells<Vec256>>(params).run();
  } else {
    AttentionKernels<Vec256, HalfCells<Vec256>>(params).run();
  }
}

void to_f16_avx2(const float* x, int n, std::uint16_t* out) {
  for (int i = 0; i < n; i += Vec256::kLanes) {
    const int count = n - i < Vec256::kLanes ? n - i : Vec256::kLanes;
    Vec256::store_f16_n(out + i, Vec256::load_n(x + i, count), count);
  }
}

}  // namespace adit::kernels
