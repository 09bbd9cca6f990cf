// SPDX-License-Identifier: MIT
#include "kernels/core/vec_neon.h"
#include "kernels/ops/rows_vec.h"

namespace adit::kernels {

const RowOps kRowOpsNeon = RowKernels<VecNeon>::table();

}  // namespace adit::kernels
