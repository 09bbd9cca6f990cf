// SPDX-License-Identifier: MIT
// kernels/attention/attention_vec.h
//
// Attention over a vector type V (core/vec_*.h), included by one source per instruction set. Scores: a vector
// lane is a key, so the canonical dot<8> of each key is made of eight accumulators, added in the order of the
// tree. Values: a lane is a column. With more than kSharing slots a block of keys or values is converted to f32
// once and shared.
//
// In       as attention.h, rows * group <= kSlotsMax. Out: the same bits as reference.cpp. head_dim % 8 == 0,
//          head_dim <= kHeadDimMax.
// Threads  pure.
// Tests    tests/unit/kernels/attention_test.cpp
#pragma once

#include "kernels/attention/cells_vec.h"
#include "kernels/attention/softmax_vec.h"

namespace adit::kernels {
namespace {

// Stored: HalfCells or ByteCells.
template <class V, class Stored>
struct AttentionKernels : AttentionSlots {
  using Reg = typename V::Reg;
  static constexpr bool kIsScaled = Stored::kForm == KvForm::kI8;
  static constexpr int kLanes = V::kLanes;
  static constexpr int kParts = kKeyBlock / kLanes;
  static constexpr bool kIsWide = kLanes >= 16;
  // Slots that a kernel takes side by side, and column registers for each of them.
  static constexpr int kScoreSlots = 6;
  static constexpr int kValueSlots = 6;
  static constexpr int kColumns = kIsWide ? 4 : 2;
  static constexpr int kSharing = 4;

  explicit AttentionKernels(const AttendParams& params)
      : AttentionSlots(params), width((params.head_dim + kLanes - 1) / kLanes * kLanes) {}

  // head_dim rounded up to whole vectors.
  const int width;
  alignas(64) float shared[kHeadDimMax * kKeyBlock];

  // Key registers that go together: with those of all slots, enough sums to hide the latency of an fma.
  template <int Q>
  static constexpr int kTogether = kIsWide || Q > 4 ? 2 : 1;

  // Lane `lane` of the tree's eight, for Q slots. Inlined, as what follows: else the sums go through memory.
  template <int Q, int T, class Cells>
  [[gnu::always_inline]] void add_lane(const float* const* q, Cells cells, int lane, int part,
                                       Reg (&sum)[Q][T]) const {
#pragma GCC unroll 8
    for (int i = 0; i < Q; ++i) {
#pragma GCC unroll 2
      for (int k = 0; k < T; ++k) sum[i][k] = V::zero();
    }
    for (std::ptrdiff_t d = lane; d < p.head_dim; d += 8) {
      Reg keys[T];
#pragma GCC unroll 2
      for (int k = 0; k < T; ++k) keys[k] = cells.load(d * kKeyBlock + (part + k) * kLanes);
#pragma GCC unroll 8
      for (int i = 0; i < Q; ++i) {
        const Reg query = V::set1(q[i][d]);
#pragma GCC unroll 2
        for (int k = 0; k < T; ++k) sum[i][k] = V::fma(query, keys[k], sum[i][k]);
      }
    }
  }

  // Lanes `lane` and `lane` + 4, added. Few slots take them side by side.
  template <int Q, int T, class Cells>
  [[gnu::always_inline]] void add_pair(const float* const* q, Cells cells, int lane, int part,
                                       Reg (&sum)[Q][T]) const {
    Reg far[Q][T];
    if constexpr (Q > 4) {
      add_lane<Q, T>(q, cells, lane, part, sum);
      add_lane<Q, T>(q, cells, lane + 4, part, far);
    } else {
#pragma GCC unroll 8
      for (int i = 0; i < Q; ++i) {
#pragma GCC unroll 2
        for (int k = 0; k < T; ++k) sum[i][k] = far[i][k] = V::zero();
      }
      for (std::ptrdiff_t d = lane; d < p.head_dim; d += 8) {
        Reg near_keys[T];
        Reg far_keys[T];
#pragma GCC unroll 2
        for (int k = 0; k < T; ++k) {
          near_keys[k] = cells.load(d * kKeyBlock + (part + k) * kLanes);
          far_keys[k] = cells.load((d + 4) * kKeyBlock + (part + k) * kLanes);
        }
#pragma GCC unroll 8
        for (int i = 0; i < Q; ++i) {
          const Reg near_query = V::set1(q[i][d]);
          const Reg far_query = V::set1(q[i][d + 4]);
#pragma GCC unroll 2
          for (int k = 0; k < T; ++k) {
            sum[i][k] = V::fma(near_query, near_keys[k], sum[i][k]);
            far[i][k] = V::fma(far_query, far_keys[k], far[i][k]);
          }
        }
      }
    }
    add_to<Q, T>(sum, far);
  }

  template <int Q, int T>
  [[gnu::always_inline]] static void add_to(Reg (&a)[Q][T], const Reg (&b)[Q][T]) {
#pragma GCC unroll 8
    for (int i = 0; i < Q; ++i) {
#pragma GCC unroll 2
      for (int k = 0; k < T; ++k) a[i][k] = V::add(a[i][k], b[i][k]);
    }
  }

  // The 32 scales of an int8 block of keys or values.
  const float* scales_of(const std::uint16_t* block) const {
    return reinterpret_cast<const float*>(reinterpret_cast<const char*>(block) + kv_scale_at(0, p.head_dim));
  }
  // Scores of the keys from `key` on of a block, from their dot products.
  [[gnu::always_inline]] void store_score(float* scores, Reg dot, std::ptrdiff_t block, int key) const {
    if constexpr (kIsScaled) dot = V::mul(dot, V::load(scales_of(key_block(p, block)) + key));
    V::store(scores, V::mul(dot, V::set1(p.scale)));
  }

  template <int Q, class Cells>
  void score_block(int slot, std::ptrdiff_t block, Cells cells) const {
    constexpr int T = kTogether<Q>;
    const float* const* q = q_of + slot;
    for (int part = 0; part < kParts; part += T) {
      Reg even[Q][T];
      Reg odd[Q][T];
      Reg other[Q][T];
      add_pair<Q, T>(q, cells, 0, part, even);
      add_pair<Q, T>(q, cells, 2, part, other);
      add_to<Q, T>(even, other);
      add_pair<Q, T>(q, cells, 1, part, odd);
      add_pair<Q, T>(q, cells, 3, part, other);
      add_to<Q, T>(odd, other);
      add_to<Q, T>(even, odd);
#pragma GCC unroll 8
      for (int i = 0; i < Q; ++i) {
        float* scores = scores_of(slot + i) + block * kKeyBlock + part * kLanes;
#pragma GCC unroll 2
        for (int k = 0; k < T; ++k) store_score(scores + k * kLanes, even[i][k], block, (part + k) * kLanes);
      }
    }
  }

  // A lone query: the tree's eight lanes side by side, so that no sum waits for the one before it.
  template <class Cells>
  void score_lone(int slot, std::ptrdiff_t block, Cells cells) const {
    constexpr int T = kTogether<1>;
    const float* q = q_of[slot];
    float* scores = scores_of(slot) + block * kKeyBlock;
    for (int part = 0; part < kParts; part += T) {
      Reg sum[8][T];
      for (int lane = 0; lane < 8; ++lane) {
        for (int i = 0; i < T; ++i) sum[lane][i] = V::zero();
      }
      for (std::ptrdiff_t d = 0; d < p.head_dim; d += 8) {
#pragma GCC unroll 8
        for (int lane = 0; lane < 8; ++lane) {
          const Reg weight = V::set1(q[d + lane]);
#pragma GCC unroll 2
          for (int i = 0; i < T; ++i) {
            const Reg key = cells.load((d + lane) * kKeyBlock + (part + i) * kLanes);
            sum[lane][i] = V::fma(weight, key, sum[lane][i]);
          }
        }
      }
      for (int i = 0; i < T; ++i) {
        const auto pair = [&](int lane) { return V::add(sum[lane][i], sum[lane + 4][i]); };
        const Reg dot = V::add(V::add(pair(0), pair(2)), V::add(pair(1), pair(3)));
        store_score(scores + (part + i) * kLanes, dot, block, (part + i) * kLanes);
      }
    }
  }

  template <class Cells>
  void score_slots(std::ptrdiff_t block, Cells cells) const {
    int slot = 0;
    while (slot < slots && keys_of[slot] <= block * kKeyBlock) ++slot;
    for (; slot + kScoreSlots <= slots; slot += kScoreSlots) score_block<kScoreSlots>(slot, block, cells);
    for (; slot + 4 <= slots; slot += 4) score_block<4>(slot, block, cells);
    for (; slot + 3 <= slots; slot += 3) score_block<3>(slot, block, cells);
    for (; slot + 2 <= slots; slot += 2) score_block<2>(slot, block, cells);
    for (; slot < slots; ++slot) score_lone(slot, block, cells);
  }

  void score_pass() {
    for (std::ptrdiff_t block = 0; block < blocks; ++block) {
      const Stored keys(key_block(p, block));
      if (slots > kSharing) {
        for (int i = 0; i < p.head_dim * kKeyBlock; i += kLanes) V::store(shared + i, keys.load(i));
        score_slots(block, FloatCells<V>{shared});
      } else {
        score_slots(block, keys);
      }
    }
  }

  template <int Q, int C, class Cells>
  void value_columns(int slot, std::ptrdiff_t first, int count, int column, Cells cells,
                     std::ptrdiff_t cell_stride) const {
    Reg num[Q][C];
    const float* weights[Q];
#pragma GCC unroll 8
    for (int i = 0; i < Q; ++i) {
      weights[i] = scores_of(slot + i) + first;
#pragma GCC unroll 4
      for (int c = 0; c < C; ++c) num[i][c] = V::zero();
    }
    for (int j = 0; j < count; ++j) {
      Reg v[C];
#pragma GCC unroll 4
      for (int c = 0; c < C; ++c) v[c] = cells.load(j * cell_stride + column + c * kLanes);
#pragma GCC unroll 8
      for (int i = 0; i < Q; ++i) {
        const Reg weight = V::set1(weights[i][j]);
#pragma GCC unroll 4
        for (int c = 0; c < C; ++c) num[i][c] = V::fma(weight, v[c], num[i][c]);
      }
    }
    const int left = p.head_dim - column;
#pragma GCC unroll 8
    for (int i = 0; i < Q; ++i) {
      float* out = out_of[slot + i] + column;
      if (C > 1 || left >= kLanes) {
#pragma GCC unroll 4
        for (int c = 0; c < C; ++c)
          V::store(out + c * kLanes, V::add(V::load(out + c * kLanes), num[i][c]));
      } else {
        V::store_n(out, V::add(V::load_n(out, left), num[i][0]), left);
      }
    }
  }

  template <int Q, class Cells>
  void value_block(int slot, std::ptrdiff_t first, int count, Cells cells,
                   std::ptrdiff_t cell_stride) const {
    int column = 0;
    for (; column + kColumns * kLanes <= p.head_dim; column += kColumns * kLanes) {
      value_columns<Q, kColumns>(slot, first, count, column, cells, cell_stride);
    }
    for (; column < width; column += kLanes) {
      value_columns<Q, 1>(slot, first, count, column, cells, cell_stride);
    }
  }

  // A lone query and two whole blocks, whose sums do not depend on each other.
  template <int C>
  void lone_columns(int slot, std::ptrdiff_t pair, int column) const {
    const Stored cells[2] = {Stored(adit::kernels::value_block(p, pair)),
                             Stored(adit::kernels::value_block(p, pair + 1))};
    const float* weights = scores_of(slot) + pair * kKeyBlock;
    Reg num[2][C];
    for (int c = 0; c < C; ++c) num[0][c] = num[1][c] = V::zero();
    for (int j = 0; j < kKeyBlock; ++j) {
#pragma GCC unroll 2
      for (int block = 0; block < 2; ++block) {
        const Reg weight = V::set1(weights[block * kKeyBlock + j]);
#pragma GCC unroll 4
        for (int c = 0; c < C; ++c) {
          num[block][c] = V::fma(weight, cells[block].load(j * p.head_dim + column + c * kLanes), num[block][c]);
        }
      }
    }
    float* out = out_of[slot] + column;
    for (int block = 0; block < 2; ++block) {
      for (int c = 0; c < C; ++c)
        V::store(out + c * kLanes, V::add(V::load(out + c * kLanes), num[block][c]));
    }
  }

  // Slots side by side go on to the last key of the last of them: behind its own last key a slot's p is +0, and
  // a product of +0 and a key's finite value changes nothing. (It can turn a num of -0 to +0, which is the same in
  // a total: that starts from +0 and so is never -0.)
  template <class Cells>
  void value_slots(std::ptrdiff_t first, Cells cells, std::ptrdiff_t cell_stride) const {
    int slot = 0;
    while (slot < slots && count_of(slot, first) == 0) ++slot;
    while (slot < slots) {
      const int left = slots - slot;
      const int taken = left >= kValueSlots ? kValueSlots : left >= 3 ? 3 : 1;
      const int count = count_of(slot + taken - 1, first);
      if (taken == kValueSlots) {
        value_block<kValueSlots>(slot, first, count, cells, cell_stride);
      } else if (taken == 3) {
        value_block<3>(slot, first, count, cells, cell_stride);
      } else {
        value_block<1>(slot, first, count, cells, cell_stride);
      }
      slot += taken;
    }
  }

  // The first `count` rows of a block of v as f32, `width` columns apart, +0 behind head_dim.
  void convert_values(Stored values, int count) {
    for (int j = 0; j < count; ++j) {
      const std::ptrdiff_t row = static_cast<std::ptrdiff_t>(j) * p.head_dim;
      for (int column = 0; column < width; column += kLanes) {
        const int left = p.head_dim - column;
        const Reg cells = left >= kLanes ? values.load(row + column) : values.load_n(row + column, left);
        V::store(shared + j * width + column, cells);
      }
    }
  }

  // Every slot's p of one block times the scales of its values, if they have any; +0 stays behind the last key.
  void weigh_values(std::ptrdiff_t block) const {
    if constexpr (kIsScaled) {
      const std::ptrdiff_t first = block * kKeyBlock;
      const float* scales = scales_of(adit::kernels::value_block(p, block));
      const int last = count_of(slots - 1, first);
      for (int part = 0; part < kKeyBlock && part < last; part += kLanes) {
        const int left = last - part;
        const Reg scale = left >= kLanes ? V::load(scales + part) : V::load_n(scales + part, left);
        for (int slot = 0; slot < slots; ++slot) {
          if (keys_of[slot] <= first) continue;
          float* weights = scores_of(slot) + first + part;
          V::store(weights, V::mul(V::load(weights), scale));
        }
      }
    }
  }

  void value_pass() {
    const bool share = slots > kSharing || width != p.head_dim;
    std::ptrdiff_t block = 0;
    if (slots == 1 && p.head_dim % (2 * kLanes) == 0) {
      for (; keys_of[0] >= (block + 2) * kKeyBlock; block += 2) {
        weigh_values(block);
        weigh_values(block + 1);
        for (int column = 0; column < p.head_dim; column += 2 * kLanes) {
          lone_columns<2>(0, block, column);
        }
      }
    }
    for (; block < blocks; ++block) {
      const std::ptrdiff_t first = block * kKeyBlock;
      const Stored values(adit::kernels::value_block(p, block));
      weigh_values(block);
      if (share) {
        convert_values(values, count_of(slots - 1, first));
        value_slots(first, FloatCells<V>{shared}, width);
      } else {
        value_slots(first, values, p.head_dim);
      }
    }
  }

  void divide_out(int slot) const {
    float* out = out_of[slot];
    const Reg d = V::set1(dens[slot]);
    int column = 0;
    for (; column + kLanes <= p.head_dim; column += kLanes) {
      V::store(out + column, V::div(V::load(out + column), d));
    }
    const int left = p.head_dim - column;
    if (left > 0) V::store_n(out + column, V::div(V::load_n(out + column, left), d), left);
  }

  void run() {
    score_pass();
    Softmax<V>::soften(scratch, stride, slots, [this](int slot) { return keys_of[slot]; }, dens);
    for (int slot = 0; slot < slots; ++slot) {
      for (int i = 0; i < p.head_dim; ++i) out_of[slot][i] = 0.0f;
    }
    value_pass();
    for (int slot = 0; slot < slots; ++slot) divide_out(slot);
  }
};

}  // namespace
}  // namespace adit::kernels
