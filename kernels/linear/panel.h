// SPDX-License-Identifier: MIT
// kernels/linear/panel.h
//
// A few tokens' quantised activations side by side, group after group: one address leads to all that a group needs.
//
// Shapes   a panel: PanelGroup[groups] of kPanelTokens tokens; those behind the last token hold anything.
// Threads  plain values.
// Source   the packed micro-panels of the BLIS library (Van Zee, van de Geijn: BLIS, ACM TOMS 41, 2015)
// Tests    tests/unit/kernels/linear_test.cpp
#pragma once

#include <cstdint>

#include "kernels/linear/params.h"

namespace adit::kernels {

// As many as keep the dots and sums of two tiles in AVX-512's registers (measured).
template <int kPlanes>
inline constexpr int kPanelTokens = kPlanes == 2 ? 3 : 5;
// Fewer tokens have no panels.
inline constexpr int kPanelsFrom = 5;

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
  // A8g32: the group's shift, and kPanelHighBits - 16 - shift in both int16.
  std::int32_t shift[kTokens];
  std::int32_t high_shift[kTokens];
};

}  // namespace adit::kernels
