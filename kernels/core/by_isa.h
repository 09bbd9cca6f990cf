// SPDX-License-Identifier: MIT
// kernels/core/by_isa.h
//
// ADIT_BY_ISA(isa, scalar, avx2, avx512, neon): the one of four functions or tables that serves an instruction
// set. A build for one processor family has only its own ones: the others' names need not be declared.
//
// In       isa: supported here (isa_supported); another one gets the scalar version.
// Threads  a macro.
// Tests    tests/unit/kernels/isa_test.cpp
#pragma once

#include "kernels/core/isa.h"

#if defined(__x86_64__)
#define ADIT_BY_ISA(isa, scalar, avx2, avx512, neon) \
  ((isa) == ::adit::kernels::Isa::kAvx512 ? (avx512) \
   : (isa) == ::adit::kernels::Isa::kAvx2 ? (avx2)   \
                                          : (scalar))
#elif defined(__aarch64__)
#define ADIT_BY_ISA(isa, scalar, avx2, avx512, neon) \
  ((isa) == ::adit::kernels::Isa::kNeon ? (neon) : (scalar))
#else
#define ADIT_BY_ISA(isa, scalar, avx2, avx512, neon) (static_cast<void>(isa), (scalar))
#endif
