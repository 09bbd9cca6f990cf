// SPDX-License-Identifier: MIT
// kernels/linear/avx512_product_loop.h
//
// The loop of avx512_product.h over the groups of a segment, for four tokens and two tiles, in AVX-512 assembly: sums,
// dots, weights and activations fill all 32 registers, and GCC 12 spills some.
//
// In       groups of widened weights and of a panel, from their first on; the sums of the segments before, or none. A
//          group's turn asks for `lines` lines of 64 bytes at `ahead`, and so on.
// Out      sums: upper [tile][token], then lower [tile][token]: 2^16 upper + lower, of 16 rows.
// Source   kernels/NUMERICS.md, "Linear layer"; avx512_product.h says why the sums are exact
// Tests    tests/unit/kernels/linear_panels_test.cpp
#pragma once

#include <cstddef>
#include <cstdint>

#include <immintrin.h>

#include "kernels/linear/avx512_block.h"
#include "kernels/linear/panel.h"

namespace adit::kernels {
namespace {

// Two neighbouring tiles' weights of 32 columns.
struct alignas(64) WideGroup {
  // [four columns][tile][even columns, odd columns][16 rows x 2]
  std::int16_t w[kGroup / 4][2][2][2 * 16];
  // [tile]: what multiplies the lower and the upper half of a dot: scales as the lower and as the upper int16, beside
  // them the offsets of the raised codes (u4) or 0.
  struct {
    std::int32_t lower[16];
    std::int32_t upper[16];
  } s[2];
};

struct ProductLoop {
  const WideGroup* weights;
  const ProductGroup* x;
  std::ptrdiff_t groups;
  // Null: none before.
  const __m512i* before;
  const std::uint8_t* ahead;
  std::ptrdiff_t lines;
};

// Registers: 0-3 and 4-7 dots of the tokens with tile 0 and tile 1; 8-15 upper and 16-23 lower sums; 24-27 weights,
// then scales; 28-31 activations and their sums with the weights.
#define ADIT_SUMS(put)                                                                                  \
  put(8, 16, 0) put(9, 17, 1) put(10, 18, 2) put(11, 19, 3) put(12, 20, 4) put(13, 21, 5) put(14, 22, 6) put(15, 23, 7)
#define ADIT_ZERO_SUM(upper, lower, at)                                    \
  ADIT_ASM("vpxord %%zmm" #upper ", %%zmm" #upper ", %%zmm" #upper)        \
  ADIT_ASM("vpxord %%zmm" #lower ", %%zmm" #lower ", %%zmm" #lower)
// A carry leaves less than 2^16 in `lower`.
#define ADIT_LOAD_SUM(upper, lower, at)                                    \
  ADIT_ASM("vmovdqu64 64*" #at "+512(%[p]), %%zmm" #lower)                 \
  ADIT_ASM("vpsrad $16, %%zmm" #lower ", %%zmm30")                         \
  ADIT_ASM("vpandd %%zmm29, %%zmm" #lower ", %%zmm" #lower)                \
  ADIT_ASM("vpaddd 64*" #at "(%[p]), %%zmm30, %%zmm" #upper)
#define ADIT_STORE_SUM(upper, lower, at)                                   \
  ADIT_ASM("vmovdqu64 %%zmm" #upper ", 64*" #at "(%[sums])")               \
  ADIT_ASM("vmovdqu64 %%zmm" #lower ", 64*" #at "+512(%[sums])")

#define ADIT_PRODUCT_START(token, b)                                               \
  ADIT_ASM("vpbroadcastd %c[start]+4*" #token "(%[x]), %%zmm" #token)      \
  ADIT_ASM("vmovdqa64 %%zmm" #token ", %%zmm" #b)
#define ADIT_LOAD4(at)                                                     \
  ADIT_ASM("vmovdqa64 " at "(%[w]), %%zmm24")                              \
  ADIT_ASM("vmovdqa64 64+" at "(%[w]), %%zmm25")                           \
  ADIT_ASM("vmovdqa64 128+" at "(%[w]), %%zmm26")                          \
  ADIT_ASM("vmovdqa64 192+" at "(%[w]), %%zmm27")
#define ADIT_PAIRS(j, token, b)                                            \
  ADIT_ASM("vpbroadcastd 64*" #token "+8*" #j "(%[x]), %%zmm28")           \
  ADIT_ASM("vpbroadcastd 64*" #token "+8*" #j "+4(%[x]), %%zmm29")         \
  ADIT_ASM("vpaddw %%zmm25, %%zmm28, %%zmm30")                             \
  ADIT_ASM("vpaddw %%zmm24, %%zmm29, %%zmm31")                             \
  ADIT_ASM("vpaddw %%zmm27, %%zmm28, %%zmm28")                             \
  ADIT_ASM("vpaddw %%zmm26, %%zmm29, %%zmm29")                             \
  ADIT_ASM("vpdpwssd %%zmm30, %%zmm31, %%zmm" #token)                      \
  ADIT_ASM("vpdpwssd %%zmm28, %%zmm29, %%zmm" #b)
#define ADIT_FOUR_COLUMNS(j)                                               \
  ADIT_LOAD4("256*" #j) ADIT_PAIRS(j, 0, 4) ADIT_PAIRS(j, 1, 5) ADIT_PAIRS(j, 2, 6) ADIT_PAIRS(j, 3, 7)
// 28: the sign bit of the lower int16, which makes it signed.
#define ADIT_SCALE(token, b, upper0, upper1, lower0, lower1)               \
  ADIT_ASM("vpxord %%zmm28, %%zmm" #token ", %%zmm" #token)                \
  ADIT_ASM("vpxord %%zmm28, %%zmm" #b ", %%zmm" #b)                        \
  ADIT_ASM("vpdpwssd %%zmm24, %%zmm" #token ", %%zmm" #lower0)             \
  ADIT_ASM("vpdpwssd %%zmm25, %%zmm" #token ", %%zmm" #upper0)             \
  ADIT_ASM("vpdpwssd %%zmm26, %%zmm" #b ", %%zmm" #lower1)                 \
  ADIT_ASM("vpdpwssd %%zmm27, %%zmm" #b ", %%zmm" #upper1)
// The same with the sum of X. 28: a mask of lower int16s.
#define ADIT_HALVES(token, upper, lower, s_lower, s_upper)                 \
  ADIT_ASM("vmovdqa64 %%zmm" #token ", %%zmm31")                           \
  ADIT_ASM("vpternlogd $0x6a, %%zmm29, %%zmm28, %%zmm31")                  \
  ADIT_ASM("vpternlogd $0x9a, %%zmm30, %%zmm28, %%zmm" #token)             \
  ADIT_ASM("vpdpwssd %%zmm" #s_lower ", %%zmm31, %%zmm" #lower)            \
  ADIT_ASM("vpdpwssd %%zmm" #s_upper ", %%zmm" #token ", %%zmm" #upper)
#define ADIT_SCALE_WITH_SUM(token, b, upper0, upper1, lower0, lower1)      \
  ADIT_ASM("vpbroadcastd %c[sum]+8*" #token "(%[x]), %%zmm29")             \
  ADIT_ASM("vpbroadcastd %c[sum]+8*" #token "+4(%[x]), %%zmm30")           \
  ADIT_HALVES(token, upper0, lower0, 24, 25) ADIT_HALVES(b, upper1, lower1, 26, 27)

// put: ADIT_SCALE or ADIT_SCALE_WITH_SUM; mask: its register 28.
#define ADIT_PRODUCT_LOOP(put, mask)                                                                                  \
  ADIT_ASM("test %[p], %[p]") ADIT_ASM("jz 1f")                                                                       \
  ADIT_ASM("movl $0xffff, %k[n]") ADIT_ASM("vpbroadcastd %k[n], %%zmm29")                                             \
  ADIT_SUMS(ADIT_LOAD_SUM) ADIT_ASM("jmp 2f")                                                                         \
  ADIT_ASM("1:") ADIT_SUMS(ADIT_ZERO_SUM)                                                                             \
  ADIT_ASM("2: movq %[ahead], %[p]") ADIT_ASM("movq %[groups], %[n]")                                                 \
  ADIT_ASM("3: movq %[lines], %[m]") ADIT_ASM("4: sub $1, %[m]") ADIT_ASM("js 5f")                                    \
  ADIT_ASM("prefetcht1 (%[p])") ADIT_ASM("add $64, %[p]") ADIT_ASM("jmp 4b")                                          \
  ADIT_ASM("5:")                                                                                                      \
  ADIT_PRODUCT_START(0, 4) ADIT_PRODUCT_START(1, 5) ADIT_PRODUCT_START(2, 6) ADIT_PRODUCT_START(3, 7)                 \
  ADIT_FOUR_COLUMNS(0) ADIT_FOUR_COLUMNS(1) ADIT_FOUR_COLUMNS(2) ADIT_FOUR_COLUMNS(3)                                 \
  ADIT_FOUR_COLUMNS(4) ADIT_FOUR_COLUMNS(5) ADIT_FOUR_COLUMNS(6) ADIT_FOUR_COLUMNS(7)                                 \
  ADIT_LOAD4("%c[scales]") ADIT_ASM("movl $" mask ", %k[m]") ADIT_ASM("vpbroadcastd %k[m], %%zmm28")                  \
  put(0, 4, 8, 12, 16, 20) put(1, 5, 9, 13, 17, 21) put(2, 6, 10, 14, 18, 22) put(3, 7, 11, 15, 19, 23)               \
  ADIT_ASM("add %[wide], %[w]") ADIT_ASM("add %[step], %[x]") ADIT_ASM("dec %[n]") ADIT_ASM("jnz 3b")                 \
  ADIT_SUMS(ADIT_STORE_SUM)
#define ADIT_RUN_PRODUCTS(put, mask)                                                                                  \
  __asm__ volatile(ADIT_PRODUCT_LOOP(put, mask)                                                                       \
                   : [w] "+r"(w), [x] "+r"(x), [p] "+r"(p), [n] "=&r"(n), [m] "=&r"(m)                                \
                   : [groups] "m"(loop.groups), [ahead] "m"(loop.ahead), [lines] "m"(loop.lines), [sums] "r"(sums),   \
                     [step] "i"(sizeof(ProductGroup)), [start] "i"(offsetof(ProductGroup, start)),                    \
                     [sum] "i"(offsetof(ProductGroup, sums)), [wide] "i"(sizeof(WideGroup)),                          \
                     [scales] "i"(offsetof(WideGroup, s))                                                             \
                   : "memory", "cc", "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", "xmm9",  \
                     "xmm10", "xmm11", "xmm12", "xmm13", "xmm14", "xmm15", "xmm16", "xmm17", "xmm18", "xmm19",        \
                     "xmm20", "xmm21", "xmm22", "xmm23", "xmm24", "xmm25", "xmm26", "xmm27", "xmm28", "xmm29",        \
                     "xmm30", "xmm31")

template <bool kOffsets>
inline void multiply_products(const ProductLoop& loop, __m512i* sums) {
  const WideGroup* w = loop.weights;
  const ProductGroup* x = loop.x;
  const void* p = loop.before;
  std::ptrdiff_t n, m;
  if (kOffsets) {
    ADIT_RUN_PRODUCTS(ADIT_SCALE_WITH_SUM, "0xffff");
  } else {
    ADIT_RUN_PRODUCTS(ADIT_SCALE, "0x8000");
  }
}

}  // namespace
}  // namespace adit::kernels
