// SPDX-License-Identifier: MIT
// kernels/linear/quantize_numbers.h
//
// The constants and the group rule of activation quantisation.
//
// In       amax: the token's largest |x|, >= kAmaxFloor; group_amax: the group's, 0 <= group_amax <= amax.
// Out      group_shift: the smallest k in 0..6 with group_amax <= amax * 2^(k-6). Exact: no rounding occurs.
// Threads  pure.
// Source   kernels/NUMERICS.md, "Activations"
#pragma once

#include <cstdint>

#include "kernels/core/hd.h"

namespace adit::kernels {

// A token whose largest |x| is below this counts as all zeros: reciprocals and scales stay normal
// numbers.
constexpr float kAmaxFloor = 0x1p-96f;
constexpr std::uint32_t kInfinityBits = 0x7f800000u;
constexpr float kA16Max = 32639.0f;
constexpr float kA8Max = 127.0f;
constexpr int kShiftMax = 6;
constexpr float kA8Unit = 0x1p-6f;

ADIT_HD int group_shift(float group_amax, float amax) {
  int shift = 0;
  float bound = amax * kA8Unit;
  for (int i = 0; i < kShiftMax; ++i) {
    shift += group_amax > bound ? 1 : 0;
    bound = bound * 2.0f;
  }
  return shift;
}

}  // namespace adit::kernels
