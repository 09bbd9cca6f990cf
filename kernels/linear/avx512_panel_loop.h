// SPDX-License-Identifier: MIT
// kernels/linear/avx512_panel_loop.h
//
// What the assembly loops over the groups of a whole panel and two tiles share (avx512_panel_a16.h, avx512_panel_a8.h).
// (Smaller blocks go through the intrinsics of avx512_block.h.) GCC 12 lets sums leave the registers or copies them
// about; a 64-byte store takes the place of two multiplications, and these loops are 5 to 10 % faster than the same in
// intrinsics (Zen 5, tests/bench).
//
// In       two neighbouring tiles' arrays; a panel's `groups` groups from x on; `soon` or `later` bytes a group of what
//          is read next, in lines of 64.
// Source   kernels/NUMERICS.md, "Linear layer"
// Tests    tests/unit/kernels/linear_panels_test.cpp
#pragma once

#include <cstddef>
#include <cstdint>

#include <immintrin.h>

#include "kernels/linear/avx512_block.h"
#include "kernels/linear/panel.h"

namespace adit::kernels {
namespace {

struct PanelLoop {
  const std::uint8_t* q[2];
  const std::uint16_t* s[2];
  const std::int16_t* o[2];
  const std::uint8_t* ahead[2];
  std::ptrdiff_t soon;
  std::ptrdiff_t later;
  const void* x;
  std::ptrdiff_t groups;
};

// Registers: 24, 25 codes; 26 what a load broadcasts; a, b dots of a row of x with tile 0 and tile 1, where a is `row`.
#define ADIT_START(row, b)                                            \
  ADIT_ASM("vpbroadcastd %c[start]+4*" #row "(%[x]), %%zmm" #row)     \
  ADIT_ASM("vmovdqa64 %%zmm" #row ", %%zmm" #b)
#define ADIT_DOT(j, row, b)                                           \
  ADIT_ASM("vpbroadcastd 4*" #j "+32*" #row "(%[x]), %%zmm26")        \
  ADIT_ASM("vpdpbusd %%zmm26, %%zmm24, %%zmm" #row)                   \
  ADIT_ASM("vpdpbusd %%zmm26, %%zmm25, %%zmm" #b)
#define ADIT_CODES(j)                                      \
  ADIT_ASM("vmovdqu64 64*" #j "(%[q0]), %%zmm24")          \
  ADIT_ASM("vmovdqu64 64*" #j "(%[q1]), %%zmm25")
// k1: the upper int16.
#define ADIT_UPPER_HALVES ADIT_ASM("movl $0xaaaaaaaa, %k[n]") ADIT_ASM("kmovd %k[n], %%k1")
// A register of sums, and where it goes.
#define ADIT_ZERO(r, at) ADIT_ASM("vpxord %%zmm" #r ", %%zmm" #r ", %%zmm" #r)
#define ADIT_STORE(r, at) ADIT_ASM("vmovdqu64 %%zmm" #r ", 64*" #at "(%[sums])")
#define ADIT_FETCH(bytes, fetch, from, to)                                                     \
  ADIT_ASM("movq " bytes ", %[m]")                                                             \
  ADIT_ASM(from ": sub $64, %[m]") ADIT_ASM("js " to "f") ADIT_ASM(fetch " (%[p0],%[m])")      \
  ADIT_ASM(fetch " (%[p1],%[m])") ADIT_ASM("jmp " from "b") ADIT_ASM(to ":")
#define ADIT_FETCH_AHEAD                                                                       \
  ADIT_FETCH("%[soon]", "prefetcht0", "2", "3") ADIT_FETCH("%[later]", "prefetcht1", "5", "6") \
  ADIT_ASM("add %[ahead], %[p0]") ADIT_ASM("add %[ahead], %[p1]")
#define ADIT_ALL_ZMM                                                                                          \
  "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", "xmm9", "xmm10", "xmm11", "xmm12",  \
      "xmm13", "xmm14", "xmm15", "xmm16", "xmm17", "xmm18", "xmm19", "xmm20", "xmm21", "xmm22", "xmm23",      \
      "xmm24", "xmm25", "xmm26", "xmm27", "xmm28", "xmm29", "xmm30", "xmm31"

}  // namespace
}  // namespace adit::kernels
