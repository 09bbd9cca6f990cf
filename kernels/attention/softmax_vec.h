// SPDX-License-Identifier: MIT
// kernels/attention/softmax_vec.h
//
// The softmax of a row of scores over a vector type V (core/vec_*.h), included by one source per instruction set.
//
// In       scores [keys rounded up to kKeyBlock], those behind the last key anything; keys >= 1.
// Out      p_j = exp_c(score_j - largest), +0 behind the last key; den: sum<32> of each block, added in order.
// Threads  pure.
// Source   kernels/NUMERICS.md, "Attention"
// Tests    tests/unit/kernels/attention_test.cpp, latent_attention_test.cpp
#pragma once

#include "kernels/attention/attention.h"

namespace adit::kernels {
namespace {

template <class V>
struct Softmax {
  using Reg = typename V::Reg;
  static constexpr int kLanes = V::kLanes;
  static constexpr int kParts = kKeyBlock / kLanes;

  static float largest_of(const float* scores, int keys) {
    Reg best[kParts];
#pragma GCC unroll 4
    for (int i = 0; i < kParts; ++i) best[i] = V::set1(scores[0]);
    int j = 0;
    for (; j + kKeyBlock <= keys; j += kKeyBlock) {
#pragma GCC unroll 4
      for (int i = 0; i < kParts; ++i) best[i] = V::max(best[i], V::load(scores + j + i * kLanes));
    }
    for (; j + kLanes <= keys; j += kLanes) best[0] = V::max(best[0], V::load(scores + j));
    if (j < keys) best[0] = V::max(best[0], V::select_n(keys - j, V::load_n(scores + j, keys - j), best[0]));
#pragma GCC unroll 4
    for (int i = 1; i < kParts; ++i) best[0] = V::max(best[0], best[i]);
    float lanes[kLanes];
    V::store(lanes, best[0]);
    float largest = lanes[0];
    for (int i = 1; i < kLanes; ++i) largest = lanes[i] > largest ? lanes[i] : largest;
    return largest;
  }

  // Scores become p_j; returns den.
  static float soften(float* scores, int keys) {
    const Reg largest = V::set1(largest_of(scores, keys));
    float den = 0.0f;
    for (int first = 0; first < keys; first += kKeyBlock) {
      Reg parts[kParts];
#pragma GCC unroll 4
      for (int i = 0; i < kParts; ++i) parts[i] = V::exp(V::sub(V::load(scores + first + i * kLanes), largest));
      if (first + kKeyBlock > keys) {
        for (int i = 0; i < kParts; ++i) {
          const int left = keys - first - i * kLanes;
          if (left < kLanes) parts[i] = left > 0 ? V::select_n(left, parts[i], V::zero()) : V::zero();
        }
      }
#pragma GCC unroll 4
      for (int i = 0; i < kParts; ++i) V::store(scores + first + i * kLanes, parts[i]);
#pragma GCC unroll 4
      for (int step = kParts / 2; step >= 1; step /= 2) {
#pragma GCC unroll 4
        for (int i = 0; i < step; ++i) parts[i] = V::add(parts[i], parts[i + step]);
      }
      den = den + V::reduce(parts[0]);
    }
    return den;
  }
};

}  // namespace
}  // namespace adit::kernels
