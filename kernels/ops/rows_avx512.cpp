// SPDX-License-Identifier: MIT
#include "kernels/core/vec_avx512.h"
#include "kernels/ops/rows_vec.h"

namespace adit::kernels {

const RowOps kRowOpsAvx512 = RowKernels<Vec512>::table();

}  // namespace adit::kernels
