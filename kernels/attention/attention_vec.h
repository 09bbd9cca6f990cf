// SPDX-License-Identifier: MIT
// kernels/attention/attention_vec.h
//
// Attention over a vector type V (core/vec_*.h), included by one source per instruction set. A slot is one
// query row of one head. Scores: a vector lane is a key, so the canonical dot<8> of each key is made of eight
// accumulators, added in the order of the tree. Values: a lane is a column. With more than V::kQueries slots
// a block of keys or values is converted to f32 once and shared.
//
// In       as attention.h. Out: the same bits as reference.cpp. head_dim % 8 == 0, head_dim <= kHeadDimMax.
// Threads  pure.
// Tests    tests/unit/kernels/attention_test.cpp
#pragma once

#include "kernels/attention/paths.h"

namespace adit::kernels {
namespace {

// Reads f16 cells as they lie, or f32 cells converted before.
template <class V>
struct HalfCells {
  const std::uint16_t* cells;
  typename V::Reg load(std::ptrdiff_t at) const { return V::load_f16(cells + at); }
};
template <class V>
struct FloatCells {
  const float* cells;
  typename V::Reg load(std::ptrdiff_t at) const { return V::load(cells + at); }
};

template <class V>
struct AttentionKernels {
  using Reg = typename V::Reg;
  static constexpr int kLanes = V::kLanes;
  static constexpr int kParts = kKeyBlock / kLanes;
  // Column registers a value kernel keeps.
  static constexpr int kColumns = 4;

  explicit AttentionKernels(const AttendParams& params)
      : p(params),
        slots(params.rows * params.group),
        stride((params.first_keys + params.rows - 1 + kKeyBlock - 1) / kKeyBlock * kKeyBlock),
        blocks(stride / kKeyBlock),
        width((params.head_dim + kLanes - 1) / kLanes * kLanes) {}

  const AttendParams& p;
  const int slots;
  // Scores from slot to slot.
  const std::ptrdiff_t stride;
  const std::ptrdiff_t blocks;
  // head_dim rounded up to whole vectors.
  const int width;
  alignas(64) float shared[kHeadDimMax * kKeyBlock];

  int keys_of(int slot) const { return p.first_keys + slot / p.group; }
  const float* q_of(int slot) const {
    return p.q + static_cast<std::size_t>(slot / p.group) * p.q_stride +
           static_cast<std::ptrdiff_t>(slot % p.group) * p.head_dim;
  }
  float* out_of(int slot) const {
    return p.out + static_cast<std::size_t>(slot / p.group) * p.out_stride +
           static_cast<std::ptrdiff_t>(slot % p.group) * p.head_dim;
  }
  float* scores_of(int slot) const { return p.scratch + slot * stride; }

  // Key registers that go together: all of a block where there are registers for their sums.
  static constexpr int kTogether = kLanes >= 16 ? kParts : 1;

  // The two lanes (of the tree's eight) that are `4` apart, added: l and l + 4.
  template <int Q, class Cells>
  void add_lane_pair(const float* const* q, Cells cells, int lane, int part,
                     Reg (&sum)[Q][kTogether]) const {
    Reg a[Q][kTogether];
    Reg b[Q][kTogether];
    for (int i = 0; i < Q; ++i) {
      for (int k = 0; k < kTogether; ++k) a[i][k] = b[i][k] = V::zero();
    }
    for (std::ptrdiff_t d = lane; d < p.head_dim; d += 8) {
      Reg ka[kTogether];
      Reg kb[kTogether];
      for (int k = 0; k < kTogether; ++k) {
        ka[k] = cells.load(d * kKeyBlock + (part + k) * kLanes);
        kb[k] = cells.load((d + 4) * kKeyBlock + (part + k) * kLanes);
      }
      for (int i = 0; i < Q; ++i) {
        const Reg qa = V::set1(q[i][d]);
        const Reg qb = V::set1(q[i][d + 4]);
        for (int k = 0; k < kTogether; ++k) {
          a[i][k] = V::fma(qa, ka[k], a[i][k]);
          b[i][k] = V::fma(qb, kb[k], b[i][k]);
        }
      }
    }
    for (int i = 0; i < Q; ++i) {
      for (int k = 0; k < kTogether; ++k) sum[i][k] = V::add(a[i][k], b[i][k]);
    }
  }

  template <int Q, class Cells>
  void score_block(int slot, std::ptrdiff_t block, Cells cells) const {
    const float* q[Q];
    for (int i = 0; i < Q; ++i) q[i] = q_of(slot + i);
    const Reg scale = V::set1(p.scale);
    for (int part = 0; part < kParts; part += kTogether) {
      Reg even[Q][kTogether];
      Reg odd[Q][kTogether];
      Reg other[Q][kTogether];
      add_lane_pair<Q>(q, cells, 0, part, even);
      add_lane_pair<Q>(q, cells, 2, part, other);
      for (int i = 0; i < Q; ++i) {
        for (int k = 0; k < kTogether; ++k) even[i][k] = V::add(even[i][k], other[i][k]);
      }
      add_lane_pair<Q>(q, cells, 1, part, odd);
      add_lane_pair<Q>(q, cells, 3, part, other);
      for (int i = 0; i < Q; ++i) {
        float* scores = scores_of(slot + i) + block * kKeyBlock + part * kLanes;
        for (int k = 0; k < kTogether; ++k) {
          const Reg dot = V::add(even[i][k], V::add(odd[i][k], other[i][k]));
          V::store(scores + k * kLanes, V::mul(dot, scale));
        }
      }
    }
  }

  // A lone query: the tree's eight lanes side by side, so that no sum waits for the one before it.
  template <class Cells>
  void score_lone(int slot, std::ptrdiff_t block, Cells cells) const {
    const float* q = q_of(slot);
    float* scores = scores_of(slot) + block * kKeyBlock;
    for (int part = 0; part < kParts; part += kTogether) {
      Reg sum[8][kTogether];
      for (int lane = 0; lane < 8; ++lane) {
        for (int i = 0; i < kTogether; ++i) sum[lane][i] = V::zero();
      }
      for (std::ptrdiff_t d = 0; d < p.head_dim; d += 8) {
#pragma GCC unroll 8
        for (int lane = 0; lane < 8; ++lane) {
          const Reg weight = V::set1(q[d + lane]);
#pragma GCC unroll 2
          for (int i = 0; i < kTogether; ++i) {
            const Reg key = cells.load((d + lane) * kKeyBlock + (part + i) * kLanes);
            sum[lane][i] = V::fma(weight, key, sum[lane][i]);
          }
        }
      }
      for (int i = 0; i < kTogether; ++i) {
        const auto pair = [&](int lane) { return V::add(sum[lane][i], sum[lane + 4][i]); };
        const Reg dot = V::add(V::add(pair(0), pair(2)), V::add(pair(1), pair(3)));
        V::store(scores + (part + i) * kLanes, V::mul(dot, V::set1(p.scale)));
      }
    }
  }

  template <class Cells>
  void score_slots(std::ptrdiff_t block, Cells cells) const {
    int slot = 0;
    while (slot < slots && keys_of(slot) <= block * kKeyBlock) ++slot;
    for (; slot + V::kQueries <= slots; slot += V::kQueries)
      score_block<V::kQueries>(slot, block, cells);
    for (; slot + 3 <= slots; slot += 3) score_block<3>(slot, block, cells);
    for (; slot + 2 <= slots; slot += 2) score_block<2>(slot, block, cells);
    for (; slot < slots; ++slot) score_lone(slot, block, cells);
  }

  void score_pass() {
    const bool share = slots > V::kQueries;
    for (std::ptrdiff_t block = 0; block < blocks; ++block) {
      const std::uint16_t* k = key_block(p, block);
      if (share) {
        for (int i = 0; i < p.head_dim * kKeyBlock; i += kLanes)
          V::store(shared + i, V::load_f16(k + i));
        score_slots(block, FloatCells<V>{shared});
      } else {
        score_slots(block, HalfCells<V>{k});
      }
    }
  }

  static float largest_of(const float* scores, int keys) {
    Reg best = V::set1(scores[0]);
    int j = 0;
    for (; j + kLanes <= keys; j += kLanes) best = V::max(best, V::load(scores + j));
    if (j < keys) best = V::max(best, V::select_n(keys - j, V::load_n(scores + j, keys - j), best));
    float lanes[kLanes];
    V::store(lanes, best);
    float largest = lanes[0];
    for (int i = 1; i < kLanes; ++i) largest = lanes[i] > largest ? lanes[i] : largest;
    return largest;
  }

  // Scores become p_j, +0 behind the last key; returns den.
  static float soften(float* scores, int keys) {
    const Reg largest = V::set1(largest_of(scores, keys));
    float den = 0.0f;
    for (int first = 0; first < keys; first += kKeyBlock) {
      Reg parts[kParts];
      for (int i = 0; i < kParts; ++i) {
        const int j = first + i * kLanes;
        parts[i] = V::exp(V::sub(V::load(scores + j), largest));
        if (j + kLanes > keys)
          parts[i] = keys > j ? V::select_n(keys - j, parts[i], V::zero()) : V::zero();
        V::store(scores + j, parts[i]);
      }
      for (int step = kParts / 2; step >= 1; step /= 2) {
        for (int i = 0; i < step; ++i) parts[i] = V::add(parts[i], parts[i + step]);
      }
      den = den + V::reduce(parts[0]);
    }
    return den;
  }

  template <int Q, int C, class Cells>
  void value_columns(int slot, std::ptrdiff_t first, int count, int column, Cells cells,
                     std::ptrdiff_t cell_stride) const {
    Reg num[Q][C];
    for (int i = 0; i < Q; ++i) {
      for (int c = 0; c < C; ++c) num[i][c] = V::zero();
    }
    const float* weights[Q];
    for (int i = 0; i < Q; ++i) weights[i] = scores_of(slot + i) + first;
    for (int j = 0; j < count; ++j) {
      Reg v[C];
      for (int c = 0; c < C; ++c) v[c] = cells.load(j * cell_stride + column + c * kLanes);
      for (int i = 0; i < Q; ++i) {
        const Reg weight = V::set1(weights[i][j]);
        for (int c = 0; c < C; ++c) num[i][c] = V::fma(weight, v[c], num[i][c]);
      }
    }
    for (int i = 0; i < Q; ++i) {
      for (int c = 0; c < C; ++c) add_out(out_of(slot + i), column + c * kLanes, num[i][c]);
    }
  }

  void add_out(float* out, int column, Reg num) const {
    const int left = p.head_dim - column;
    if (left >= kLanes) {
      V::store(out + column, V::add(V::load(out + column), num));
    } else {
      V::store_n(out + column, V::add(V::load_n(out + column, left), num), left);
    }
  }

  template <int Q, class Cells>
  void value_block(int slot, std::ptrdiff_t first, int count, Cells cells,
                   std::ptrdiff_t cell_stride) const {
    int column = 0;
    for (; column + kColumns * kLanes <= width; column += kColumns * kLanes) {
      value_columns<Q, kColumns>(slot, first, count, column, cells, cell_stride);
    }
    for (; column < width; column += kLanes) {
      value_columns<Q, 1>(slot, first, count, column, cells, cell_stride);
    }
  }

  // A lone query and two whole blocks, whose sums do not depend on each other.
  template <int C>
  void lone_columns(int slot, std::ptrdiff_t pair, int column) const {
    const HalfCells<V> cells[2] = {{adit::kernels::value_block(p, pair) + column},
                                   {adit::kernels::value_block(p, pair + 1) + column}};
    const float* weights = scores_of(slot) + pair * kKeyBlock;
    Reg num[2][C];
    for (int c = 0; c < C; ++c) num[0][c] = num[1][c] = V::zero();
    for (int j = 0; j < kKeyBlock; ++j) {
#pragma GCC unroll 2
      for (int block = 0; block < 2; ++block) {
        const Reg weight = V::set1(weights[block * kKeyBlock + j]);
#pragma GCC unroll 4
        for (int c = 0; c < C; ++c) {
          num[block][c] = V::fma(weight, cells[block].load(j * p.head_dim + c * kLanes), num[block][c]);
        }
      }
    }
    for (int block = 0; block < 2; ++block) {
      for (int c = 0; c < C; ++c) add_out(out_of(slot), column + c * kLanes, num[block][c]);
    }
  }

  int count_of(int slot, std::ptrdiff_t first) const {
    const std::ptrdiff_t left = keys_of(slot) - first;
    return static_cast<int>(left > kKeyBlock ? kKeyBlock : (left < 0 ? 0 : left));
  }

  template <class Cells>
  void value_slots(std::ptrdiff_t first, Cells cells, std::ptrdiff_t cell_stride) const {
    constexpr int kQ = V::kQueries;
    int slot = 0;
    while (slot < slots) {
      const int count = count_of(slot, first);
      if (count == 0) {
        ++slot;
      } else if (slot + kQ <= slots && count_of(slot + kQ - 1, first) == count) {
        value_block<kQ>(slot, first, count, cells, cell_stride);
        slot += kQ;
      } else if (slot + 3 <= slots && count_of(slot + 2, first) == count) {
        value_block<3>(slot, first, count, cells, cell_stride);
        slot += 3;
      } else {
        value_block<1>(slot, first, count, cells, cell_stride);
        ++slot;
      }
    }
  }

  // The first `count` rows of a block of v as f32, `width` columns apart, +0 behind head_dim.
  void convert_values(const std::uint16_t* values, int count) {
    for (int j = 0; j < count; ++j) {
      const std::uint16_t* row = values + static_cast<std::ptrdiff_t>(j) * p.head_dim;
      for (int column = 0; column < width; column += kLanes) {
        const int left = p.head_dim - column;
        const Reg cells =
            left >= kLanes ? V::load_f16(row + column) : V::load_f16_n(row + column, left);
        V::store(shared + j * width + column, cells);
      }
    }
  }

  void value_pass() {
    const bool share = slots > V::kQueries || width != p.head_dim;
    std::ptrdiff_t block = 0;
    if (slots == 1 && p.head_dim % (2 * kLanes) == 0) {
      for (; keys_of(0) >= (block + 2) * kKeyBlock; block += 2) {
        for (int column = 0; column < p.head_dim; column += 2 * kLanes) {
          lone_columns<2>(0, block, column);
        }
      }
    }
    for (; block < blocks; ++block) {
      const std::ptrdiff_t first = block * kKeyBlock;
      if (share) {
        convert_values(adit::kernels::value_block(p, block), count_of(slots - 1, first));
        value_slots(first, FloatCells<V>{shared}, width);
      } else {
        value_slots(first, HalfCells<V>{adit::kernels::value_block(p, block)}, p.head_dim);
      }
    }
  }

  void divide_out(int slot, float den) const {
    float* out = out_of(slot);
    const Reg d = V::set1(den);
    int column = 0;
    for (; column + kLanes <= p.head_dim; column += kLanes) {
      V::store(out + column, V::div(V::load(out + column), d));
    }
    const int left = p.head_dim - column;
    if (left > 0) V::store_n(out + column, V::div(V::load_n(out + column, left), d), left);
  }

  void run() {
    score_pass();
    for (int slot = 0; slot < slots; ++slot) {
      for (int i = 0; i < p.head_dim; ++i) out_of(slot)[i] = 0.0f;
    }
    // Every slot's den waits behind the scores: attend_scratch_floats counts it.
    float* dens = p.scratch + slots * stride;
    for (int slot = 0; slot < slots; ++slot) dens[slot] = soften(scores_of(slot), keys_of(slot));
    value_pass();
    for (int slot = 0; slot < slots; ++slot) divide_out(slot, dens[slot]);
  }
};

}  // namespace
}  // namespace adit::kernels
