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
  const std::size_t tile = row / kTileRows;
  switch (weights.storage) {
    case Storage::kDense:
      out.q += row * k_pad / (weights.form == WeightForm::kU4 ? 2 : 1);
      break;
    case Storage::k24:
      out.q += row * k_pad / 2;
      out.mask += tile * (k_pad / 4);
      break;
    case Storage::kBitmask:
      // The offsets of tiles count from the beginning of the whole.
      out.mask += tile * (k_pad / 4);
      out.offsets += tile;
      break;
    case Storage::kBlock:
      out.block_rows += tile * static_cast<std::size_t>(blocks_of(weights));
      out.offsets += tile;
      break;
  }
  const std::size_t scales = row * static_cast<std::size_t>(scales_of(weights));
  out.s += scales;
  if (out.o != nullptr) out.o += scales;
  out.rs += row;
  if (out.bias != nullptr) out.bias += row;
  return out;
}

}  // namespace adit::kernels
