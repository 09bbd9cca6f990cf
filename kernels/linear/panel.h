// SPDX-License-Identifier: MIT
// kernels/linear/panel.h
//
// A few tokens' quantised activations side by side, group after group: one address leads to all that a group needs.
//
// Shapes   a panel: PanelGroup[groups] of kPanelTokens tokens, or ProductGroup[groups] of kProductTokens; those behind
//          the last token hold anything.
// Threads  plain values.
// Source   the packed micro-panels of the BLIS library (Van Zee, van de Geijn: BLIS, ACM TOMS 41, 2015)
// Tests    tests/unit/kernels/linear_panels_test.cpp
#pragma once

#include <cstdint>

#include "kernels/linear/params.h"

namespace adit::kernels {

// As many as keep the dots and sums of two tiles in AVX-512's registers (measured).
template <int kPlanes>
inline constexpr int kPanelTokens = kPlanes == 2 ? 3 : 4;
// Fewer tokens have no panels; A16 has products (below) of more.
inline constexpr int kPanelsFrom = 5;
inline constexpr int kProductsFrom = 32;

// u4 codes are taken less this, so that a group's dot fits int16: [-7, 8] * [-128, 127] * 32.
inline constexpr int kPanelCentre = 7;
// The lowest bit of a group's product, shifted, that is kept apart: see avx512_panel.h.
inline constexpr int kPanelHighBits = 25;

// kPlanes: 2 for A16, 1 for A8g32.
template <int kPlanes>
struct PanelGroup {
  static constexpr int kTokens = kPanelTokens<kPlanes>;
  std::int8_t x[kPlanes][kTokens][kGroup];
  // What a dot begins with, to take away what the codes are raised by: -128 * sum of x (int8), -kPanelCentre * it (u4).
  std::int32_t start_i8[kPlanes][kTokens];
  std::int32_t start_u4[kPlanes][kTokens];
  // The sum of x as the upper int16.
  std::int32_t sum[kPlanes][kTokens];
  // A8g32: the group's shift; kPanelHighBits less it; that less 16 as the upper int16.
  std::int32_t shift[kTokens];
  std::int32_t high_shift[kTokens];
  std::int32_t upper_shift[kTokens];
};

// A16, many tokens: see avx512_product.h.
inline constexpr int kProductTokens = 4;

struct alignas(64) ProductGroup {
  static constexpr int kTokens = kProductTokens;
  // X of columns 0, 2, 1, 3 of each four.
  std::int16_t x[kProductTokens][kGroup / 4][4];
  // What a dot begins with: 2^15 less the products of columns 2i and 2i + 1, modulo 2^32.
  std::uint32_t start[kProductTokens];
  // The sum of X is 2^16 upper + lower, both int16. What goes beside the halves of a dot: `lower` as the upper int16 of
  // the first, and 2^15 as its lower one; `upper` as the lower int16 of the second.
  struct {
    std::uint32_t lower;
    std::uint32_t upper;
  } sums[kProductTokens];
  void set_sum(int slot, int sum) {
    const auto lower = static_cast<std::int16_t>(sum);
    sums[slot].lower = static_cast<std::uint32_t>(lower) << 16 | 0x8000u;
    sums[slot].upper = static_cast<std::uint32_t>((sum - lower) >> 16) & 0xffffu;
  }
};

}  // namespace adit::kernels
