// SPDX-License-Identifier: MIT
// kernels/mla/latent_vec.h
//
// Latent attention over a vector type V (core/vec_*.h), included by one source per instruction set. A slot is
// one query row of one head; all slots share the rows of a block, which are converted to f32 once.
// Scores: a register holds the eight lanes of dot<8> for V::kLanes / 8 rows at once.
// Values: a lane is a column.
//
// In       as latent_attention.h. Out: the same bits as reference.cpp. cells % 8 == 0, kv_rank % 16 == 0.
// Threads  pure.
// Tests    tests/unit/kernels/latent_attention_test.cpp
#pragma once

#include "kernels/attention/softmax_vec.h"
#include "kernels/mla/paths.h"

namespace adit::kernels {
namespace {

// Registers whose eight-lane groups are the lanes of dot<8> of different rows.
template <class V>
struct RowGroups;

template <class V>
struct LatentKernels {
  using Reg = typename V::Reg;
  using Groups = RowGroups<V>;
  static constexpr int kLanes = V::kLanes;
  // Rows that share a register, and registers of rows and slots that a score kernel keeps.
  static constexpr int kShare = kLanes / 8;
  static constexpr int kRowRegs = 4;
  static constexpr int kSlots = V::kQueries;
  // Column registers a value kernel keeps.
  static constexpr int kColumns = 4;

  explicit LatentKernels(const LatentParams& params)
      : p(params),
        slots(params.rows * params.heads),
        keys_all(params.first_keys + params.rows - 1),
        stride((keys_all + kKeyBlock - 1) / kKeyBlock * kKeyBlock),
        cells(params.keys.cells),
        shared(params.scratch + slots * (stride + 1)) {}

  const LatentParams& p;
  const int slots;
  const int keys_all;
  // Scores from slot to slot.
  const std::ptrdiff_t stride;
  const std::ptrdiff_t cells;
  float* const shared;
  const std::uint16_t* rows[kKeyBlock];

  int keys_of(int slot) const { return p.first_keys + slot / p.heads; }
  const float* q_of(int slot) const {
    return p.q + static_cast<std::size_t>(slot / p.heads) * p.q_stride + slot % p.heads * cells;
  }
  float* out_of(int slot) const {
    return p.out + static_cast<std::size_t>(slot / p.heads) * p.out_stride +
           static_cast<std::ptrdiff_t>(slot % p.heads) * p.kv_rank;
  }
  float* scores_of(int slot) const { return p.scratch + slot * stride; }

  // The block's rows; behind the last one it is repeated, so that nothing unwritten is read.
  int find_rows(int first) {
    const int count = keys_all - first < kKeyBlock ? keys_all - first : kKeyBlock;
    for (int j = 0; j < kKeyBlock; ++j) {
      const int at = first + (j < count ? j : count - 1);
      rows[j] = p.keys.row(p.chosen == nullptr ? at : p.chosen[at]);
    }
    return count;
  }

  // shared: [32 / kShare][cells / 8][kShare][8].
  void convert_keys() {
    for (int j = 0; j < kKeyBlock; j += kShare) {
      float* out = shared + j * cells;
      for (std::ptrdiff_t d = 0; d < cells; d += 8)
        V::store(out + d * kShare, Groups::load_rows(rows + j, d));
    }
  }

  template <int S>
  void score_rows(int slot, std::ptrdiff_t first, int row) const {
    Reg acc[S][kRowRegs];
    const float* q[S];
    for (int s = 0; s < S; ++s) {
      q[s] = q_of(slot + s);
      for (int r = 0; r < kRowRegs; ++r) acc[s][r] = V::zero();
    }
    const float* keys = shared + row * cells;
    for (std::ptrdiff_t d = 0; d < cells; d += 8) {
      Reg k[kRowRegs];
      for (int r = 0; r < kRowRegs; ++r) k[r] = V::load(keys + (r * cells + d) * kShare);
      for (int s = 0; s < S; ++s) {
        const Reg x = Groups::repeat(q[s] + d);
        for (int r = 0; r < kRowRegs; ++r) acc[s][r] = V::fma(x, k[r], acc[s][r]);
      }
    }
    for (int s = 0; s < S; ++s) {
      float* out = scores_of(slot + s) + first + row;
      for (int r = 0; r < kRowRegs; ++r) Groups::sums(acc[s][r], p.scale, out + r * kShare);
    }
  }

  void score_pass() {
    for (int first = 0; first < keys_all; first += kKeyBlock) {
      const int count = find_rows(first);
      convert_keys();
      int begin = 0;
      while (begin < slots && keys_of(begin) <= first) ++begin;
      for (int row = 0; row < count; row += kRowRegs * kShare) {
        int slot = begin;
        for (; slot + kSlots <= slots; slot += kSlots) score_rows<kSlots>(slot, first, row);
        for (; slot < slots; ++slot) score_rows<1>(slot, first, row);
      }
    }
  }

  // shared: [32][kv_rank].
  void convert_values(int count) {
    for (int j = 0; j < count; ++j) {
      for (int column = 0; column < p.kv_rank; column += kLanes)
        V::store(shared + j * p.kv_rank + column, V::load_f16(rows[j] + column));
    }
  }

  template <int S, int C>
  void value_columns(int slot, std::ptrdiff_t first, int count, int column) const {
    Reg num[S][C];
    const float* weights[S];
    for (int s = 0; s < S; ++s) {
      weights[s] = scores_of(slot + s) + first;
      for (int c = 0; c < C; ++c) num[s][c] = V::zero();
    }
    for (int j = 0; j < count; ++j) {
      Reg v[C];
      for (int c = 0; c < C; ++c) v[c] = V::load(shared + j * p.kv_rank + column + c * kLanes);
      for (int s = 0; s < S; ++s) {
        const Reg weight = V::set1(weights[s][j]);
        for (int c = 0; c < C; ++c) num[s][c] = V::fma(weight, v[c], num[s][c]);
      }
    }
    for (int s = 0; s < S; ++s) {
      for (int c = 0; c < C; ++c) {
        float* out = out_of(slot + s) + column + c * kLanes;
        V::store(out, V::add(V::load(out), num[s][c]));
      }
    }
  }

  template <int S>
  void value_slots(int slot, std::ptrdiff_t first, int count) const {
    int column = 0;
    for (; column + kColumns * kLanes <= p.kv_rank; column += kColumns * kLanes)
      value_columns<S, kColumns>(slot, first, count, column);
    for (; column < p.kv_rank; column += kLanes) value_columns<S, 1>(slot, first, count, column);
  }

  int count_of(int slot, int first) const {
    const int left = keys_of(slot) - first;
    return left > kKeyBlock ? kKeyBlock : (left < 0 ? 0 : left);
  }

  void value_pass() {
    for (int first = 0; first < keys_all; first += kKeyBlock) {
      convert_values(find_rows(first));
      int slot = 0;
      while (slot < slots) {
        const int count = count_of(slot, first);
        if (slot + kSlots <= slots && count_of(slot + kSlots - 1, first) == count) {
          if (count > 0) value_slots<kSlots>(slot, first, count);
          slot += kSlots;
        } else {
          if (count > 0) value_slots<1>(slot, first, count);
          ++slot;
        }
      }
    }
  }

  void run() {
    score_pass();
    float* dens = p.scratch + slots * stride;
    Softmax<V>::soften(p.scratch, stride, slots, [this](int slot) { return keys_of(slot); }, dens);
    for (int slot = 0; slot < slots; ++slot) {
      for (int i = 0; i < p.kv_rank; ++i) out_of(slot)[i] = 0.0f;
    }
    value_pass();
    for (int slot = 0; slot < slots; ++slot) {
      const Reg den = V::set1(dens[slot]);
      float* out = out_of(slot);
      for (int i = 0; i < p.kv_rank; i += kLanes) V::store(out + i, V::div(V::load(out + i), den));
    }
  }
};

}  // namespace
}  // namespace adit::kernels
