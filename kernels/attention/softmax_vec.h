// SPDX-License-Identifier: MIT
// kernels/attention/softmax_vec.h
//
// The softmax of rows of scores over a vector type V (core/vec_*.h), included by one source per instruction set. Four
// rows go side by side: a row alone waits for its largest score, and then for the sum of each block.
//
// Shapes   scores   `rows` rows of [keys of the last row, rounded up to kKeyBlock], `stride` floats from row to row
//          keys_of  a row's keys, >= 1, no fewer than those of the row before
//          dens     [rows]
// In       Scores behind a row's last key may be anything.
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
  // Rows that go side by side.
  static constexpr int kRows = 4;

  template <class KeysOf>
  static void soften(float* scores, std::ptrdiff_t stride, int rows, const KeysOf& keys_of, float* dens) {
    int row = 0;
    const auto take = [&](auto soften_some, int count) {
      int keys[kRows];
      for (int i = 0; i < count; ++i) keys[i] = keys_of(row + i);
      soften_some(scores + row * stride, stride, keys, dens + row);
      row += count;
    };
    while (rows - row >= 4) take(soften_rows<4>, 4);
    if (rows - row == 3) take(soften_rows<3>, 3);
    if (rows - row == 2) take(soften_rows<2>, 2);
    if (rows - row == 1) take(soften_rows<1>, 1);
  }

 private:
  // The block of a row that begins at `scores`, of which it sees `keys`; the others become `behind`.
  [[gnu::always_inline]] static void hide(Reg (&block)[kParts], int keys, Reg behind) {
    for (int i = 0; i < kParts; ++i) {
      const int left = keys - i * kLanes;
      if (left < kLanes) block[i] = left > 0 ? V::select_n(left, block[i], behind) : behind;
    }
  }

  template <int Rows>
  static void find_largest(const float* scores, std::ptrdiff_t stride, const int* keys, Reg (&largest)[Rows]) {
    Reg best[kRows];
#pragma GCC unroll 4
    for (int row = 0; row < kRows; ++row) best[row] = V::set1(scores[row < Rows ? row * stride : 0]);
    for (int first = 0; first < keys[Rows - 1]; first += kKeyBlock) {
#pragma GCC unroll 4
      for (int row = 0; row < Rows; ++row) {
        Reg block[kParts];
#pragma GCC unroll 4
        for (int i = 0; i < kParts; ++i) block[i] = V::load(scores + row * stride + first + i * kLanes);
        if (first + kKeyBlock > keys[row]) hide(block, keys[row] - first, best[row]);
#pragma GCC unroll 4
        for (int i = 0; i < kParts; ++i) best[row] = V::max(best[row], block[i]);
      }
    }
    float of_rows[kRows];
    V::largest_of_four(best, of_rows);
#pragma GCC unroll 4
    for (int row = 0; row < Rows; ++row) largest[row] = V::set1(of_rows[row]);
  }

  template <int Rows>
  static void soften_rows(float* scores, std::ptrdiff_t stride, const int* keys, float* dens) {
    Reg largest[Rows];
    find_largest<Rows>(scores, stride, keys, largest);
    float sums[kRows] = {};
    for (int first = 0; first < keys[Rows - 1]; first += kKeyBlock) {
      Reg total[kRows];
#pragma GCC unroll 4
      for (int row = 0; row < kRows; ++row) {
        total[row] = V::zero();
        if (row >= Rows) continue;
        float* at = scores + row * stride + first;
        Reg block[kParts];
#pragma GCC unroll 4
        for (int i = 0; i < kParts; ++i) block[i] = V::exp(V::sub(V::load(at + i * kLanes), largest[row]));
        if (first + kKeyBlock > keys[row]) hide(block, keys[row] - first, V::zero());
#pragma GCC unroll 4
        for (int i = 0; i < kParts; ++i) V::store(at + i * kLanes, block[i]);
#pragma GCC unroll 4
        for (int step = kParts / 2; step >= 1; step /= 2) {
#pragma GCC unroll 4
          for (int i = 0; i < step; ++i) block[i] = V::add(block[i], block[i + step]);
        }
        total[row] = block[0];
      }
      V::add_sums_of_four(total, sums);
    }
#pragma GCC unroll 4
    for (int row = 0; row < Rows; ++row) dens[row] = sums[row];
  }
};

}  // namespace
}  // namespace adit::kernels
