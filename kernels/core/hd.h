// SPDX-License-Identifier: MIT
// kernels/core/hd.h
//
// ADIT_HD marks a function that host and device compilers share. `static`: every translation unit keeps its
// own copy, so that a copy compiled for AVX-512 is never linked into code that runs without it.
//
// Threads  a macro.
#pragma once

#if defined(__CUDACC__)
#define ADIT_HD static inline __host__ __device__
#else
#define ADIT_HD static inline
#endif
