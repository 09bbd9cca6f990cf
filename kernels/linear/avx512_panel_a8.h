// SPDX-License-Identifier: MIT
// kernels/linear/avx512_panel_a8.h
//
// The loop over the groups of a whole panel and two tiles (avx512_panel_loop.h), A8g32. What follows from a group's
// dots waits for the last of them, and would fill the processor's queues: so it stands among the next group's
// multiplications, the first tokens' dots copied away. (Zen 5: 9.15 cycles a token, group and two tiles, of 9 that the
// multiplications take; 9.75 with all of it between the groups.)
//
// In       u4: q leads to ByteGroup, its scales included. int8: q to codes, s to scales.
// Out      sums: low [token][tile], then high [token]: tile 0's as the lower int16, tile 1's as the upper one.
// Source   kernels/NUMERICS.md, "Linear layer"; avx512_panel.h says why the sums are exact
// Tests    tests/unit/kernels/linear_panels_test.cpp
#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/linear/avx512_byte_tiles.h"
#include "kernels/linear/avx512_panel_loop.h"

namespace adit::kernels {
namespace {

// Registers: 0-3 and 4-7 dots of the tokens with tile 0 and tile 1; 20-22 and 29-31 those of the first three tokens and
// the group before; 8-11 and 12-15 `low`, 16-19 `high`; 23 for a moment; 27, 28 scales of the group before.
#define ADIT_DOTS4(j) ADIT_DOT(j, 0, 4) ADIT_DOT(j, 1, 5) ADIT_DOT(j, 2, 6) ADIT_DOT(j, 3, 7)
#define ADIT_GROUP4(j) ADIT_CODES(j) ADIT_DOTS4(j)
#define ADIT_RESTART(row, b, old_a, old_b)                        \
  ADIT_ASM("vmovdqa64 %%zmm" #row ", %%zmm" #old_a)               \
  ADIT_ASM("vmovdqa64 %%zmm" #b ", %%zmm" #old_b)                 \
  ADIT_START(row, b)

// Of the group before, whose end is where the pointers are.
#define ADIT_SCALES_BEFORE_I8                                     \
  ADIT_ASM("vpmovzxwd (%[s0]), %%zmm27") ADIT_ASM("add $32, %[s0]") \
  ADIT_ASM("vpmovzxwd (%[s1]), %%zmm28") ADIT_ASM("add $32, %[s1]")
#define ADIT_SCALES_BEFORE_U4                                     \
  ADIT_ASM("vmovdqa64 -64(%[q0]), %%zmm27")                       \
  ADIT_ASM("vmovdqa64 -64(%[q1]), %%zmm28")
#define ADIT_TIMES_I8(row, a, b)                                  \
  ADIT_ASM("vpmulld %%zmm27, %%zmm" #a ", %%zmm" #a)              \
  ADIT_ASM("vpmulld %%zmm28, %%zmm" #b ", %%zmm" #b)
#define ADIT_TIMES_U4(row, a, b)                                  \
  ADIT_ASM("vpbroadcastd %c[sum]+4*" #row "(%[x]), %%zmm26")      \
  ADIT_ASM("vpblendmw %%zmm26, %%zmm" #a ", %%zmm" #a "%{%%k1%}") \
  ADIT_ASM("vpblendmw %%zmm26, %%zmm" #b ", %%zmm" #b "%{%%k1%}") \
  ADIT_ASM("vpmaddwd %%zmm27, %%zmm" #a ", %%zmm" #a)             \
  ADIT_ASM("vpmaddwd %%zmm28, %%zmm" #b ", %%zmm" #b)
#define ADIT_HIGH(row, a, b, high)                                                   \
  ADIT_ASM("vpsravd %c[high_shift]+4*" #row "(%[x])%{1to16%}, %%zmm" #a ", %%zmm23") \
  ADIT_ASM("vpbroadcastd %c[upper_shift]+4*" #row "(%[x]), %%zmm26")                 \
  ADIT_ASM("vpsravw %%zmm26, %%zmm" #b ", %%zmm23%{%%k1%}")                          \
  ADIT_ASM("vpaddw %%zmm23, %%zmm" #high ", %%zmm" #high)
#define ADIT_NO_HIGH(row, a, b, high)
#define ADIT_LOW(row, a, b, low_a, low_b)                         \
  ADIT_ASM("vpbroadcastd %c[shift]+4*" #row "(%[x]), %%zmm26")    \
  ADIT_ASM("vpsllvd %%zmm26, %%zmm" #a ", %%zmm" #a)              \
  ADIT_ASM("vpaddd %%zmm" #a ", %%zmm" #low_a ", %%zmm" #low_a)   \
  ADIT_ASM("vpsllvd %%zmm26, %%zmm" #b ", %%zmm" #b)              \
  ADIT_ASM("vpaddd %%zmm" #b ", %%zmm" #low_b ", %%zmm" #low_b)
#define ADIT_FOLD(times, put_high, row, a, b, low_a, low_b, high) \
  times(row, a, b) put_high(row, a, b, high) ADIT_LOW(row, a, b, low_a, low_b)

// A group, and what follows from the one before.
#define ADIT_BODY_A8(scales, times, high)                                                               \
  scales ADIT_CODES(0)                                                                                  \
  ADIT_RESTART(0, 4, 20, 29) ADIT_RESTART(1, 5, 21, 30) ADIT_RESTART(2, 6, 22, 31)                      \
  ADIT_DOT(0, 0, 4) ADIT_DOT(0, 1, 5) ADIT_DOT(0, 2, 6)                                                 \
  ADIT_FOLD(times, high, 3, 3, 7, 11, 15, 19) ADIT_START(3, 7) ADIT_DOT(0, 3, 7)                        \
  ADIT_GROUP4(1) ADIT_FOLD(times, high, 0, 20, 29, 8, 12, 16) ADIT_GROUP4(2)                            \
  ADIT_GROUP4(3) ADIT_FOLD(times, high, 1, 21, 30, 9, 13, 17) ADIT_GROUP4(4)                            \
  ADIT_GROUP4(5) ADIT_FOLD(times, high, 2, 22, 31, 10, 14, 18) ADIT_GROUP4(6) ADIT_GROUP4(7)
#define ADIT_FIRST_A8                                                                                   \
  ADIT_START(0, 4) ADIT_START(1, 5) ADIT_START(2, 6) ADIT_START(3, 7)                                   \
  ADIT_GROUP4(0) ADIT_GROUP4(1) ADIT_GROUP4(2) ADIT_GROUP4(3) ADIT_GROUP4(4) ADIT_GROUP4(5)             \
  ADIT_GROUP4(6) ADIT_GROUP4(7)
#define ADIT_LAST_A8(scales, times, high)                                                               \
  scales                                                                                                \
  ADIT_FOLD(times, high, 0, 0, 4, 8, 12, 16) ADIT_FOLD(times, high, 1, 1, 5, 9, 13, 17)                 \
  ADIT_FOLD(times, high, 2, 2, 6, 10, 14, 18) ADIT_FOLD(times, high, 3, 3, 7, 11, 15, 19)
#define ADIT_NEXT_A8 \
  ADIT_ASM("add %[bytes], %[q0]") ADIT_ASM("add %[bytes], %[q1]") ADIT_ASM("add %[step], %[x]")
#define ADIT_SUMS_A8(each)                                                                              \
  each(8, 0) each(12, 1) each(9, 2) each(13, 3) each(10, 4) each(14, 5) each(11, 6) each(15, 7)         \
  each(16, 8) each(17, 9) each(18, 10) each(19, 11)

#define ADIT_BEFORE(member) static_cast<int>(offsetof(Group, member)) - static_cast<int>(sizeof(Group))
#define ADIT_LOOP_A8(scales, times, high)                                                                      \
  __asm__ volatile(                                                                                            \
      ADIT_UPPER_HALVES ADIT_ASM("movq %[groups], %[n]") ADIT_SUMS_A8(ADIT_ZERO)                            \
      ADIT_FETCH_AHEAD ADIT_FIRST_A8 ADIT_NEXT_A8 ADIT_ASM("jmp 4f")                                           \
      ADIT_ASM("1:") ADIT_FETCH_AHEAD ADIT_BODY_A8(scales, times, high) ADIT_NEXT_A8                           \
      ADIT_ASM("4: dec %[n]") ADIT_ASM("jnz 1b") ADIT_LAST_A8(scales, times, high) ADIT_SUMS_A8(ADIT_STORE)    \
      : [q0] "+r"(q0), [q1] "+r"(q1), [s0] "+r"(s0), [s1] "+r"(s1), [p0] "+r"(p0), [p1] "+r"(p1),              \
        [x] "+r"(x), [n] "=&r"(n), [m] "=&r"(m)                                                                \
      : [groups] "m"(loop.groups), [soon] "m"(loop.soon), [later] "m"(loop.later), [sums] "r"(sums),           \
        [ahead] "i"(kU4 ? 256 : 512),                                                                          \
        [bytes] "i"(kU4 ? sizeof(ByteGroup) : 512), [step] "i"(sizeof(Group)), [start] "i"(kStart),            \
        [sum] "i"(ADIT_BEFORE(sum)), [shift] "i"(ADIT_BEFORE(shift)),                                          \
        [high_shift] "i"(ADIT_BEFORE(high_shift)), [upper_shift] "i"(ADIT_BEFORE(upper_shift))                 \
      : "memory", "cc", "k1", ADIT_ALL_ZMM)

// kNarrow: `high` stays 0.
template <bool kU4, bool kNarrow>
inline void loop_a8(const PanelLoop& loop, __m512i* sums) {
  using Group = PanelGroup<1>;
  constexpr std::size_t kStart = kU4 ? offsetof(Group, start_u4) : offsetof(Group, start_i8);
  const std::uint8_t *q0 = loop.q[0], *q1 = loop.q[1], *p0 = loop.ahead[0], *p1 = loop.ahead[1];
  const std::uint16_t *s0 = loop.s[0], *s1 = loop.s[1];
  const void* x = loop.x;
  std::ptrdiff_t n, m;
  if (kU4 && kNarrow) {
    ADIT_LOOP_A8(ADIT_SCALES_BEFORE_U4, ADIT_TIMES_U4, ADIT_NO_HIGH);
  } else if (kU4) {
    ADIT_LOOP_A8(ADIT_SCALES_BEFORE_U4, ADIT_TIMES_U4, ADIT_HIGH);
  } else if (kNarrow) {
    ADIT_LOOP_A8(ADIT_SCALES_BEFORE_I8, ADIT_TIMES_I8, ADIT_NO_HIGH);
  } else {
    ADIT_LOOP_A8(ADIT_SCALES_BEFORE_I8, ADIT_TIMES_I8, ADIT_HIGH);
  }
}

}  // namespace
}  // namespace adit::kernels
