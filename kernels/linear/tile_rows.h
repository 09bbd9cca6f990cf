// SPDX-License-Identifier: MIT
// kernels/linear/tile_rows.h
//
// A part of a linear layer's rows as a linear layer: one head's or one expert's of a matrix that holds all.
//
// In       first and count: multiples of 16, within weights.m.
// Out      a view of the same arrays. The proof numbers stay those of the whole: they bound the part's.
// Threads  pure.
// Tests    tests/unit/kernels/tile_rows_test.cpp
#pragma once

#include <cstddef>

#include "kernels/linear/params.h"

namespace adit::kernels {

inline LinearWeights tile_rows(const LinearWeights& weights, int first, int count) {
  LinearWeights out = weights;
  const auto row = static_cast<std::size_t>(first);
  const auto k_pad = static_cast<std::size_t>(weights.k_pad);
  out.m = count;
  out.m_pad = count;
  out.q += row * k_pad / (weights.form == WeightForm::kU4 ? 2 : 1);
  out.s += row * (k_pad / kGroup);
  if (out.o != nullptr) out.o += row * (k_pad / kGroup);
  out.rs += row;
  if (out.bias != nullptr) out.bias += row;
  return out;
}

}  // namespace adit::kernels
