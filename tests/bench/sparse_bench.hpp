// SPDX-License-Identifier: MIT
// tests/bench/sparse_bench.hpp
//
// The benchmarks of sparse layers, for kernels_bench.cpp to register.
//
// Threads  the main thread.
#pragma once

namespace adit::kernels {

void register_sparse();

}  // namespace adit::kernels
