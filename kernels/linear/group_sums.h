// SPDX-License-Identifier: MIT
// kernels/linear/group_sums.h
//
// Where the vector versions of quantize put what they find out about a group.
//
// Out      set: a group's sums, biases (-128 times them) and shift.
// Threads  as act_buffer.h.
// Tests    tests/unit/kernels/quantize_test.cpp
#pragma once

#include <cstdint>

#include "kernels/linear/act_buffer.h"

namespace adit::kernels {
namespace {

struct GroupSums {
  GroupSums(ActBuffer& act, int token)
      : sum_hi(act.sum_hi(token)),
        sum_lo(act.sum_lo(token)),
        bias_hi(act.bias_hi(token)),
        bias_lo(act.bias_lo(token)),
        shift(act.shift(token)) {}

  void set(int group, std::int32_t hi, std::int32_t lo, int bits) const {
    sum_hi[group] = hi;
    sum_lo[group] = lo;
    bias_hi[group] = -128 * hi;
    bias_lo[group] = -128 * lo;
    shift[group] = bits;
  }

  std::int32_t* sum_hi;
  std::int32_t* sum_lo;
  std::int32_t* bias_hi;
  std::int32_t* bias_lo;
  std::int32_t* shift;
};

}  // namespace
}  // namespace adit::kernels
