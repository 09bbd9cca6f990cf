// SPDX-License-Identifier: MIT
// kernels/linear/avx512_panel_a16.h
//
// The loop over the groups of a whole panel and two tiles (avx512_panel_loop.h), A16.
//
// Out      sums: [plane][token][tile], int32.
// Source   kernels/NUMERICS.md, "Linear layer"; avx512_panel.h says why the sums are exact
// Tests    tests/unit/kernels/linear_panels_test.cpp
#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/linear/avx512_panel_loop.h"

namespace adit::kernels {
namespace {

// Registers: 0-5 and 6-11 dots of the rows of x with tile 0 and tile 1; 12-17 and 18-23 sums; 24, 25 codes, then
// scales; 31 a mask of nibbles.
#define ADIT_STARTS6 \
  ADIT_START(0, 6) ADIT_START(1, 7) ADIT_START(2, 8) ADIT_START(3, 9) ADIT_START(4, 10) ADIT_START(5, 11)
#define ADIT_DOTS6(j) \
  ADIT_DOT(j, 0, 6) ADIT_DOT(j, 1, 7) ADIT_DOT(j, 2, 8) ADIT_DOT(j, 3, 9) ADIT_DOT(j, 4, 10) ADIT_DOT(j, 5, 11)

#define ADIT_LOW_NIBBLES(j)                                \
  ADIT_ASM("vpandd 64*" #j "(%[q0]), %%zmm31, %%zmm24")    \
  ADIT_ASM("vpandd 64*" #j "(%[q1]), %%zmm31, %%zmm25")
#define ADIT_HIGH_NIBBLES(j)                               \
  ADIT_ASM("vpsrlw $4, 64*" #j "(%[q0]), %%zmm24")         \
  ADIT_ASM("vpsrlw $4, 64*" #j "(%[q1]), %%zmm25")         \
  ADIT_ASM("vpandd %%zmm24, %%zmm31, %%zmm24")             \
  ADIT_ASM("vpandd %%zmm25, %%zmm31, %%zmm25")
#define ADIT_ALL_I8                                                                                       \
  ADIT_CODES(0) ADIT_DOTS6(0) ADIT_CODES(1) ADIT_DOTS6(1) ADIT_CODES(2) ADIT_DOTS6(2)                     \
  ADIT_CODES(3) ADIT_DOTS6(3) ADIT_CODES(4) ADIT_DOTS6(4) ADIT_CODES(5) ADIT_DOTS6(5)                     \
  ADIT_CODES(6) ADIT_DOTS6(6) ADIT_CODES(7) ADIT_DOTS6(7)
#define ADIT_ALL_U4                                                                                       \
  ADIT_LOW_NIBBLES(0) ADIT_DOTS6(0) ADIT_HIGH_NIBBLES(0) ADIT_DOTS6(1) ADIT_LOW_NIBBLES(1) ADIT_DOTS6(2)  \
  ADIT_HIGH_NIBBLES(1) ADIT_DOTS6(3) ADIT_LOW_NIBBLES(2) ADIT_DOTS6(4) ADIT_HIGH_NIBBLES(2) ADIT_DOTS6(5) \
  ADIT_LOW_NIBBLES(3) ADIT_DOTS6(6) ADIT_HIGH_NIBBLES(3) ADIT_DOTS6(7)

// Scales of both tiles, of u4 with o + 7 s as the upper int16.
#define ADIT_SCALES_I8                                     \
  ADIT_ASM("vpmovzxwd (%[s0]), %%zmm24")                   \
  ADIT_ASM("vpmovzxwd (%[s1]), %%zmm25")
#define ADIT_RAISE(o, s)                                      \
  ADIT_ASM("vpmovsxwd (" o "), %%zmm26")                   \
  ADIT_ASM("vpsubd %%zmm" s ", %%zmm26, %%zmm26")          \
  ADIT_ASM("vpslld $3, %%zmm" s ", %%zmm27")               \
  ADIT_ASM("vpaddd %%zmm26, %%zmm27, %%zmm26")             \
  ADIT_ASM("vpslld $16, %%zmm26, %%zmm26")                 \
  ADIT_ASM("vpblendmw %%zmm26, %%zmm" s ", %%zmm" s "%{%%k1%}")
#define ADIT_SCALES_U4 ADIT_SCALES_I8 ADIT_RAISE("%[o0]", "24") ADIT_RAISE("%[o1]", "25")

// A row's dots (registers a, b) into its sums (registers sa, sb).
#define ADIT_ADD_I8(row, a, b, sa, sb)                            \
  ADIT_ASM("vpmulld %%zmm24, %%zmm" #a ", %%zmm" #a)              \
  ADIT_ASM("vpmulld %%zmm25, %%zmm" #b ", %%zmm" #b)              \
  ADIT_ASM("vpaddd %%zmm" #a ", %%zmm" #sa ", %%zmm" #sa)         \
  ADIT_ASM("vpaddd %%zmm" #b ", %%zmm" #sb ", %%zmm" #sb)
#define ADIT_ADD_U4(row, a, b, sa, sb)                            \
  ADIT_ASM("vpbroadcastd %c[sum]+4*" #row "(%[x]), %%zmm26")      \
  ADIT_ASM("vpblendmw %%zmm26, %%zmm" #a ", %%zmm" #a "%{%%k1%}") \
  ADIT_ASM("vpblendmw %%zmm26, %%zmm" #b ", %%zmm" #b "%{%%k1%}") \
  ADIT_ASM("vpdpwssd %%zmm24, %%zmm" #a ", %%zmm" #sa)            \
  ADIT_ASM("vpdpwssd %%zmm25, %%zmm" #b ", %%zmm" #sb)
#define ADIT_ADD6(add)                                                                   \
  add(0, 0, 6, 12, 18) add(1, 1, 7, 13, 19) add(2, 2, 8, 14, 20) add(3, 3, 9, 15, 21)    \
  add(4, 4, 10, 16, 22) add(5, 5, 11, 17, 23)
#define ADIT_SUMS6(zero)                                                                                     \
  zero(12, 0) zero(18, 1) zero(13, 2) zero(19, 3) zero(14, 4) zero(20, 5) zero(15, 6) zero(21, 7) zero(16, 8) \
  zero(22, 9) zero(17, 10) zero(23, 11)

#define ADIT_LOOP_A16(body, start_at)                                                                       \
  __asm__ volatile(                                                                                         \
      ADIT_UPPER_HALVES ADIT_ASM("movl $0x0f0f0f0f, %k[n]") ADIT_ASM("vpbroadcastd %k[n], %%zmm31")         \
      ADIT_ASM("movq %[groups], %[n]") ADIT_SUMS6(ADIT_ZERO)                                             \
      ADIT_ASM("1:") ADIT_FETCH_AHEAD body                                                                  \
      ADIT_ASM("add %[ahead], %[q0]") ADIT_ASM("add %[ahead], %[q1]")                                       \
      ADIT_ASM("add $32, %[s0]") ADIT_ASM("add $32, %[s1]") ADIT_ASM("add $32, %[o0]")                      \
      ADIT_ASM("add $32, %[o1]") ADIT_ASM("add %[step], %[x]") ADIT_ASM("dec %[n]") ADIT_ASM("jnz 1b")      \
      ADIT_SUMS6(ADIT_STORE)                                                                                \
      : [q0] "+r"(q0), [q1] "+r"(q1), [s0] "+r"(s0), [s1] "+r"(s1), [o0] "+r"(o0), [o1] "+r"(o1),           \
        [p0] "+r"(p0), [p1] "+r"(p1), [x] "+r"(x), [n] "=&r"(n), [m] "=&r"(m)                               \
      : [groups] "m"(loop.groups), [soon] "m"(loop.soon), [later] "m"(loop.later), [sums] "r"(sums),         \
        [ahead] "i"(kU4 ? 256 : 512),                                                                        \
        [step] "i"(sizeof(Group)), [start] "i"(start_at), [sum] "i"(offsetof(Group, sum))                   \
      : "memory", "cc", "k1", ADIT_ALL_ZMM)

template <bool kU4>
inline void loop_a16(const PanelLoop& loop, __m512i* sums) {
  using Group = PanelGroup<2>;
  const std::uint8_t *q0 = loop.q[0], *q1 = loop.q[1], *p0 = loop.ahead[0], *p1 = loop.ahead[1];
  const std::uint16_t *s0 = loop.s[0], *s1 = loop.s[1];
  const std::int16_t *o0 = loop.o[0], *o1 = loop.o[1];
  const void* x = loop.x;
  std::ptrdiff_t n, m;
  if (kU4) {
    ADIT_LOOP_A16(ADIT_STARTS6 ADIT_ALL_U4 ADIT_SCALES_U4 ADIT_ADD6(ADIT_ADD_U4), offsetof(Group, start_u4));
  } else {
    ADIT_LOOP_A16(ADIT_STARTS6 ADIT_ALL_I8 ADIT_SCALES_I8 ADIT_ADD6(ADIT_ADD_I8), offsetof(Group, start_i8));
  }
}

}  // namespace
}  // namespace adit::kernels
