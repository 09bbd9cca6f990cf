// SPDX-License-Identifier: MIT
// kernels/linear/avx512_panel_loops.h
//
// The loop over the groups of a whole panel and two tiles, in AVX-512 assembly. (Smaller blocks go through the
// intrinsics of avx512_block.h.) GCC 12 lets sums leave the registers or copies them about; a 64-byte store takes the
// place of two multiplications, and these loops are 5 to 10 % faster than the same in intrinsics (Zen 5, tests/bench).
//
// In       two neighbouring tiles' arrays (o of u4 alone); a panel's `groups` groups from x on; `span` bytes a group of
//          what is read next, in lines of 64.
// Out      sums: loop_a16: [plane][token][tile], int32; loop_a8: low [token][tile], then high [token].
// Source   kernels/NUMERICS.md, "Linear layer"; avx512_panel.h says why the sums are exact
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
  std::ptrdiff_t span;
  const void* x;
  std::ptrdiff_t groups;
};

// Registers: 0-5 and 6-11 dots of the rows of x with tile 0 and tile 1; 24, 25 codes, then scales; 26 what a load
// broadcasts; 31 a mask of nibbles; k1 the upper int16.
#define ADIT_START(row, b)                                            \
  ADIT_ASM("vpbroadcastd %c[start]+4*" #row "(%[x]), %%zmm" #row)     \
  ADIT_ASM("vmovdqa64 %%zmm" #row ", %%zmm" #b)
#define ADIT_DOT(j, row, b)                                           \
  ADIT_ASM("vpbroadcastd 4*" #j "+32*" #row "(%[x]), %%zmm26")        \
  ADIT_ASM("vpdpbusd %%zmm26, %%zmm24, %%zmm" #row)                   \
  ADIT_ASM("vpdpbusd %%zmm26, %%zmm25, %%zmm" #b)
#define ADIT_STARTS5 ADIT_START(0, 6) ADIT_START(1, 7) ADIT_START(2, 8) ADIT_START(3, 9) ADIT_START(4, 10)
#define ADIT_STARTS6 ADIT_STARTS5 ADIT_START(5, 11)
#define ADIT_DOTS5(j) ADIT_DOT(j, 0, 6) ADIT_DOT(j, 1, 7) ADIT_DOT(j, 2, 8) ADIT_DOT(j, 3, 9) ADIT_DOT(j, 4, 10)
#define ADIT_DOTS6(j) ADIT_DOTS5(j) ADIT_DOT(j, 5, 11)

#define ADIT_CODES_I8(j)                                   \
  ADIT_ASM("vmovdqu64 64*" #j "(%[q0]), %%zmm24")          \
  ADIT_ASM("vmovdqu64 64*" #j "(%[q1]), %%zmm25")
#define ADIT_LOW_NIBBLES(j)                                \
  ADIT_ASM("vpandd 64*" #j "(%[q0]), %%zmm31, %%zmm24")    \
  ADIT_ASM("vpandd 64*" #j "(%[q1]), %%zmm31, %%zmm25")
#define ADIT_HIGH_NIBBLES(j)                               \
  ADIT_ASM("vpsrlw $4, 64*" #j "(%[q0]), %%zmm24")         \
  ADIT_ASM("vpsrlw $4, 64*" #j "(%[q1]), %%zmm25")         \
  ADIT_ASM("vpandd %%zmm24, %%zmm31, %%zmm24")             \
  ADIT_ASM("vpandd %%zmm25, %%zmm31, %%zmm25")
#define ADIT_ALL_I8(dots)                                                              \
  ADIT_CODES_I8(0) dots(0) ADIT_CODES_I8(1) dots(1) ADIT_CODES_I8(2) dots(2)           \
  ADIT_CODES_I8(3) dots(3) ADIT_CODES_I8(4) dots(4) ADIT_CODES_I8(5) dots(5)           \
  ADIT_CODES_I8(6) dots(6) ADIT_CODES_I8(7) dots(7)
#define ADIT_ALL_U4(dots)                                                              \
  ADIT_LOW_NIBBLES(0) dots(0) ADIT_HIGH_NIBBLES(0) dots(1) ADIT_LOW_NIBBLES(1) dots(2) \
  ADIT_HIGH_NIBBLES(1) dots(3) ADIT_LOW_NIBBLES(2) dots(4) ADIT_HIGH_NIBBLES(2) dots(5) \
  ADIT_LOW_NIBBLES(3) dots(6) ADIT_HIGH_NIBBLES(3) dots(7)

// Scales of both tiles, of u4 with o + 7 s as the upper int16.
#define ADIT_SCALES_I8                                     \
  ADIT_ASM("vpmovzxwd (%[s0]), %%zmm24")                   \
  ADIT_ASM("vpmovzxwd (%[s1]), %%zmm25")
#define ADIT_RAISE(o, s, t)                                   \
  ADIT_ASM("vpmovsxwd (" o "), %%zmm26")                   \
  ADIT_ASM("vpsubd %%zmm" s ", %%zmm26, %%zmm26")          \
  ADIT_ASM("vpslld $3, %%zmm" s ", %%zmm" t)               \
  ADIT_ASM("vpaddd %%zmm26, %%zmm" t ", %%zmm26")             \
  ADIT_ASM("vpslld $16, %%zmm26, %%zmm26")                 \
  ADIT_ASM("vpblendmw %%zmm26, %%zmm" s ", %%zmm" s "%{%%k1%}")
// t: a register that is free.
#define ADIT_SCALES_U4(t) ADIT_SCALES_I8 ADIT_RAISE("%[o0]", "24", t) ADIT_RAISE("%[o1]", "25", t)

// A row's dots (registers a, b) into its sums (registers sa, sb).
#define ADIT_ADD_I8(row, a, b, sa, sb)                            \
  ADIT_ASM("vpmulld %%zmm24, %%zmm" #a ", %%zmm" #a)              \
  ADIT_ASM("vpmulld %%zmm25, %%zmm" #b ", %%zmm" #b)              \
  ADIT_ASM("vpaddd %%zmm" #a ", %%zmm" #sa ", %%zmm" #sa)         \
  ADIT_ASM("vpaddd %%zmm" #b ", %%zmm" #sb ", %%zmm" #sb)
#define ADIT_WITH_SUM(row, a, b)                                  \
  ADIT_ASM("vpbroadcastd %c[sum]+4*" #row "(%[x]), %%zmm26")      \
  ADIT_ASM("vpblendmw %%zmm26, %%zmm" #a ", %%zmm" #a "%{%%k1%}") \
  ADIT_ASM("vpblendmw %%zmm26, %%zmm" #b ", %%zmm" #b "%{%%k1%}")
#define ADIT_ADD_U4(row, a, b, sa, sb)                            \
  ADIT_WITH_SUM(row, a, b)                                        \
  ADIT_ASM("vpdpwssd %%zmm24, %%zmm" #a ", %%zmm" #sa)            \
  ADIT_ASM("vpdpwssd %%zmm25, %%zmm" #b ", %%zmm" #sb)
#define ADIT_ADD6(add)                                                                   \
  add(0, 0, 6, 12, 18) add(1, 1, 7, 13, 19) add(2, 2, 8, 14, 20) add(3, 3, 9, 15, 21)    \
  add(4, 4, 10, 16, 22) add(5, 5, 11, 17, 23)

#define ADIT_TIMES_I8(row, a, b)                                  \
  ADIT_ASM("vpmulld %%zmm24, %%zmm" #a ", %%zmm" #a)              \
  ADIT_ASM("vpmulld %%zmm25, %%zmm" #b ", %%zmm" #b)
#define ADIT_TIMES_U4(row, a, b)                                  \
  ADIT_WITH_SUM(row, a, b)                                        \
  ADIT_ASM("vpmaddwd %%zmm24, %%zmm" #a ", %%zmm" #a)             \
  ADIT_ASM("vpmaddwd %%zmm25, %%zmm" #b ", %%zmm" #b)
#define ADIT_HIGH(row, a, b, high)                                \
  ADIT_ASM("vpsrld $16, %%zmm" #a ", %%zmm23")                    \
  ADIT_ASM("vpblendmw %%zmm" #b ", %%zmm23, %%zmm23%{%%k1%}")     \
  ADIT_ASM("vpbroadcastd %c[high_shift]+4*" #row "(%[x]), %%zmm26") \
  ADIT_ASM("vpsravw %%zmm26, %%zmm23, %%zmm23")                   \
  ADIT_ASM("vpaddw %%zmm23, %%zmm" #high ", %%zmm" #high)
#define ADIT_NO_HIGH(row, a, b, high)
#define ADIT_LOW(row, a, b, sa, sb)                               \
  ADIT_ASM("vpbroadcastd %c[shift]+4*" #row "(%[x]), %%zmm26")    \
  ADIT_ASM("vpsllvd %%zmm26, %%zmm" #a ", %%zmm" #a)              \
  ADIT_ASM("vpaddd %%zmm" #a ", %%zmm" #sa ", %%zmm" #sa)         \
  ADIT_ASM("vpsllvd %%zmm26, %%zmm" #b ", %%zmm" #b)              \
  ADIT_ASM("vpaddd %%zmm" #b ", %%zmm" #sb ", %%zmm" #sb)
#define ADIT_FOLD(times, put_high, row, a, b, sa, sb, high) \
  times(row, a, b) put_high(row, a, b, high) ADIT_LOW(row, a, b, sa, sb)
#define ADIT_FOLD5(times, high)                                                             \
  ADIT_FOLD(times, high, 0, 0, 6, 12, 18, 27) ADIT_FOLD(times, high, 1, 1, 7, 13, 19, 28)   \
  ADIT_FOLD(times, high, 2, 2, 8, 14, 20, 29) ADIT_FOLD(times, high, 3, 3, 9, 15, 21, 30)   \
  ADIT_FOLD(times, high, 4, 4, 10, 16, 22, 17)

#define ADIT_ZERO(r) ADIT_ASM("vpxord %%zmm" #r ", %%zmm" #r ", %%zmm" #r)
#define ADIT_ZERO_SUMS                                                                                     \
  ADIT_ZERO(12) ADIT_ZERO(13) ADIT_ZERO(14) ADIT_ZERO(15) ADIT_ZERO(16) ADIT_ZERO(17) ADIT_ZERO(18)        \
  ADIT_ZERO(19) ADIT_ZERO(20) ADIT_ZERO(21) ADIT_ZERO(22) ADIT_ZERO(23) ADIT_ZERO(27) ADIT_ZERO(28)        \
  ADIT_ZERO(29) ADIT_ZERO(30)
#define ADIT_STORE(r, at) ADIT_ASM("vmovdqu64 %%zmm" #r ", 64*" #at "(%[sums])")
#define ADIT_STORE5                                                                               \
  ADIT_STORE(12, 0) ADIT_STORE(18, 1) ADIT_STORE(13, 2) ADIT_STORE(19, 3) ADIT_STORE(14, 4)       \
  ADIT_STORE(20, 5) ADIT_STORE(15, 6) ADIT_STORE(21, 7) ADIT_STORE(16, 8) ADIT_STORE(22, 9)
#define ADIT_STORE_A16 ADIT_STORE5 ADIT_STORE(17, 10) ADIT_STORE(23, 11)
#define ADIT_STORE_A8 \
  ADIT_STORE5 ADIT_STORE(27, 10) ADIT_STORE(28, 11) ADIT_STORE(29, 12) ADIT_STORE(30, 13) ADIT_STORE(17, 14)

#define ADIT_LOOP(body, store)                                                                       \
  ADIT_ASM("movl $0xaaaaaaaa, %k[n]") ADIT_ASM("kmovd %k[n], %%k1")                                  \
  ADIT_ASM("movl $0x0f0f0f0f, %k[n]") ADIT_ASM("vpbroadcastd %k[n], %%zmm31")                        \
  ADIT_ASM("movq %[groups], %[n]") ADIT_ZERO_SUMS                                                    \
  ADIT_ASM("1:") ADIT_ASM("movq %[span], %[m]")                                                      \
  ADIT_ASM("2: sub $64, %[m]") ADIT_ASM("js 3f") ADIT_ASM("prefetcht0 (%[p0],%[m])")                 \
  ADIT_ASM("prefetcht0 (%[p1],%[m])") ADIT_ASM("jmp 2b") ADIT_ASM("3:") body                         \
  ADIT_ASM("add %[bytes], %[q0]") ADIT_ASM("add %[bytes], %[q1]")                                    \
  ADIT_ASM("add %[bytes], %[p0]") ADIT_ASM("add %[bytes], %[p1]")                                    \
  ADIT_ASM("add $32, %[s0]") ADIT_ASM("add $32, %[s1]") ADIT_ASM("add $32, %[o0]")                   \
  ADIT_ASM("add $32, %[o1]") ADIT_ASM("add %[step], %[x]") ADIT_ASM("dec %[n]") ADIT_ASM("jnz 1b")   \
  store
#define ADIT_RUN_LOOP(body, store, Group, start_at, high_at, shift_at)                                      \
  __asm__ volatile(ADIT_LOOP(body, store)                                                                   \
                   : [q0] "+r"(q0), [q1] "+r"(q1), [s0] "+r"(s0), [s1] "+r"(s1), [o0] "+r"(o0),             \
                     [o1] "+r"(o1), [p0] "+r"(p0), [p1] "+r"(p1), [x] "+r"(x), [n] "=&r"(n), [m] "=&r"(m)   \
                   : [groups] "m"(loop.groups), [span] "m"(loop.span), [sums] "r"(sums),                    \
                     [bytes] "i"(kU4 ? 256 : 512), [step] "i"(sizeof(Group)), [start] "i"(start_at),        \
                     [sum] "i"(offsetof(Group, sum)), [high_shift] "i"(high_at), [shift] "i"(shift_at)      \
                   : "memory", "cc", "k1", "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7",  \
                     "xmm8", "xmm9", "xmm10", "xmm11", "xmm12", "xmm13", "xmm14", "xmm15", "xmm16",         \
                     "xmm17", "xmm18", "xmm19", "xmm20", "xmm21", "xmm22", "xmm23", "xmm24", "xmm25",       \
                     "xmm26", "xmm27", "xmm28", "xmm29", "xmm30", "xmm31")
#define ADIT_LOOP_POINTERS                                                                          \
  const std::uint8_t *q0 = loop.q[0], *q1 = loop.q[1], *p0 = loop.ahead[0], *p1 = loop.ahead[1];    \
  const std::uint16_t *s0 = loop.s[0], *s1 = loop.s[1];                                             \
  const std::int16_t *o0 = loop.o[0], *o1 = loop.o[1];                                              \
  const void* x = loop.x;                                                                           \
  std::ptrdiff_t n, m

template <bool kU4>
inline void loop_a16(const PanelLoop& loop, __m512i* sums) {
  using Group = PanelGroup<2>;
  ADIT_LOOP_POINTERS;
  if (kU4) {
    ADIT_RUN_LOOP(ADIT_STARTS6 ADIT_ALL_U4(ADIT_DOTS6) ADIT_SCALES_U4("27") ADIT_ADD6(ADIT_ADD_U4), ADIT_STORE_A16,
                  Group, offsetof(Group, start_u4), 0, 0);
  } else {
    ADIT_RUN_LOOP(ADIT_STARTS6 ADIT_ALL_I8(ADIT_DOTS6) ADIT_SCALES_I8 ADIT_ADD6(ADIT_ADD_I8), ADIT_STORE_A16, Group,
                  offsetof(Group, start_i8), 0, 0);
  }
}

// kNarrow: `high` stays 0.
template <bool kU4, bool kNarrow>
inline void loop_a8(const PanelLoop& loop, __m512i* sums) {
  using Group = PanelGroup<1>;
  constexpr std::size_t kStart = kU4 ? offsetof(Group, start_u4) : offsetof(Group, start_i8);
  constexpr std::size_t kHighShift = offsetof(Group, high_shift);
  constexpr std::size_t kShift = offsetof(Group, shift);
  ADIT_LOOP_POINTERS;
  if (kU4 && kNarrow) {
    ADIT_RUN_LOOP(ADIT_STARTS5 ADIT_ALL_U4(ADIT_DOTS5) ADIT_SCALES_U4("23") ADIT_FOLD5(ADIT_TIMES_U4, ADIT_NO_HIGH),
                  ADIT_STORE_A8, Group, kStart, kHighShift, kShift);
  } else if (kU4) {
    ADIT_RUN_LOOP(ADIT_STARTS5 ADIT_ALL_U4(ADIT_DOTS5) ADIT_SCALES_U4("23") ADIT_FOLD5(ADIT_TIMES_U4, ADIT_HIGH),
                  ADIT_STORE_A8, Group, kStart, kHighShift, kShift);
  } else if (kNarrow) {
    ADIT_RUN_LOOP(ADIT_STARTS5 ADIT_ALL_I8(ADIT_DOTS5) ADIT_SCALES_I8 ADIT_FOLD5(ADIT_TIMES_I8, ADIT_NO_HIGH),
                  ADIT_STORE_A8, Group, kStart, kHighShift, kShift);
  } else {
    ADIT_RUN_LOOP(ADIT_STARTS5 ADIT_ALL_I8(ADIT_DOTS5) ADIT_SCALES_I8 ADIT_FOLD5(ADIT_TIMES_I8, ADIT_HIGH),
                  ADIT_STORE_A8, Group, kStart, kHighShift, kShift);
  }
}

}  // namespace
}  // namespace adit::kernels
