// SPDX-License-Identifier: MIT
// kernels/linear/quantize_by.h
//
// What the vector versions of quantize do alike: the token's scale, and which of their two forms is due.
//
// In       magnitude: the bits of the token's largest |x|. a16(inverse), a8(amax, inverse): write planes and sums.
// Out      the token of `act`; false, and zeros, if a value is a NaN or infinite.
// Threads  as act_buffer.h.
// Source   kernels/NUMERICS.md, "Activations"
// Tests    tests/unit/kernels/quantize_test.cpp
#pragma once

#include <cstdint>

#include "kernels/core/numerics.h"
#include "kernels/linear/paths.h"
#include "kernels/linear/quantize_numbers.h"

namespace adit::kernels {
namespace {

template <class A16, class A8>
bool quantize_by(std::uint32_t magnitude, ActBuffer& act, int token, const A16& a16, const A8& a8) {
  const float amax = float_of(magnitude);
  if (magnitude >= kInfinityBits || amax < kAmaxFloor) {
    zero_token(act, token);
    return magnitude < kInfinityBits;
  }
  if (act.form() == ActForm::kA16) {
    act.scale(token) = amax / kA16Max;
    a16(kA16Max / amax);
  } else {
    act.scale(token) = (amax / kA8Max) * kA8Unit;
    a8(amax, kA8Max / amax);
  }
  return true;
}

}  // namespace
}  // namespace adit::kernels
