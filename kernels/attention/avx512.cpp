// SPDX-License-Identifier: MIT
#include "kernels/attention/attention_vec.h"
#include "kernels/core/vec_avx512.h"

namespace adit::kernels {

void attend_avx512(const AttendParams& params) {
  if (params.form == KvForm::kI8) {
    AttentionKernels<Vec512, ByteCells<Vec512>>(params).run();
  } else {
    AttentionKernels<Vec512, HalfCells<Vec512>>(params).run();
  }
}

void to_f16_avx512(const float* x, int n, std::uint16_t* out) {
  for (int i = 0; i < n; i += Vec512::kLanes) {
    const int count = n - i < Vec512::kLanes ? n - i : Vec512::kLanes;
    Vec512::store_f16_n(out + i, Vec512::load_n(x + i, count), count);
  }
}

}  // namespace adit::kernels
