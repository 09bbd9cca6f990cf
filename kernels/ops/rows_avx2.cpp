// SPDX-License-Identifier: MIT
#include "kernels/core/vec_avx2.h"
#include "kernels/ops/rows_vec.h"

namespace adit::kernels {

const RowOps kRowOpsAvx2 = RowKernels<Vec256>::table();

}  // namespace adit::kernels
