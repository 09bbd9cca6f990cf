// SPDX-License-Identifier: MIT
// kernels/attention/cells_vec.h
//
// What attention_vec.h reads, over a vector type V (core/vec_*.h), and the slots that it works on: a slot is one query
// row of one head. Included by one source per instruction set.
//
// In       as attention.h, rows * group <= kSlotsMax.
// Out      load: a vector of f32 from cell `at` on; load_n: its first n lanes, the others +0.
// Threads  pure.
// Tests    tests/unit/kernels/attention_test.cpp
#pragma once

#include "kernels/attention/paths.h"

namespace adit::kernels {
namespace {

// Cells of a block as they lie, f16 or int8, or f32 cells converted before. scales: of int8, 32 of them.
template <class V>
struct HalfCells {
  static constexpr KvForm kForm = KvForm::kF16;
  const std::uint16_t* cells;
  explicit HalfCells(const std::uint16_t* block) : cells(block) {}
  typename V::Reg load(std::ptrdiff_t at) const { return V::load_f16(cells + at); }
  typename V::Reg load_n(std::ptrdiff_t at, int n) const { return V::load_f16_n(cells + at, n); }
};
template <class V>
struct ByteCells {
  static constexpr KvForm kForm = KvForm::kI8;
  const std::int8_t* cells;
  explicit ByteCells(const std::uint16_t* block) : cells(reinterpret_cast<const std::int8_t*>(block)) {}
  typename V::Reg load(std::ptrdiff_t at) const { return V::load_i8(cells + at); }
  typename V::Reg load_n(std::ptrdiff_t at, int n) const { return V::load_i8_n(cells + at, n); }
};
template <class V>
struct FloatCells {
  const float* cells;
  typename V::Reg load(std::ptrdiff_t at) const { return V::load(cells + at); }
};

struct AttentionSlots {
  explicit AttentionSlots(const AttendParams& params)
      : p(params),
        slots(params.rows * params.group),
        blocks((params.first_keys + params.rows - 1 + kKeyBlock - 1) / kKeyBlock),
        stride(blocks * kKeyBlock + kScorePad),
        scratch(aligned(params.scratch)) {
    int slot = 0;
    for (int row = 0; row < p.rows; ++row) {
      for (int head = 0; head < p.group; ++head, ++slot) {
        const auto r = static_cast<std::size_t>(row);
        const std::ptrdiff_t column = static_cast<std::ptrdiff_t>(head) * p.head_dim;
        q_of[slot] = p.q + r * p.q_stride + column;
        out_of[slot] = p.out + r * p.out_stride + column;
        keys_of[slot] = p.first_keys + row;
      }
    }
  }

  const AttendParams& p;
  const int slots;
  const std::ptrdiff_t blocks;
  // Scores from slot to slot.
  const std::ptrdiff_t stride;
  float* const scratch;
  const float* q_of[kSlotsMax];
  float* out_of[kSlotsMax];
  int keys_of[kSlotsMax];
  float dens[kSlotsMax];

  // On a cache line, so that no vector crosses one: attend_scratch_floats counts it.
  static float* aligned(float* floats) {
    const auto past = reinterpret_cast<std::uintptr_t>(floats) % (kScorePad * sizeof(float));
    return past == 0 ? floats : floats + (kScorePad - past / sizeof(float));
  }
  float* scores_of(int slot) const { return scratch + slot * stride; }
  // Keys of the block that begins at `first` which a slot sees.
  int count_of(int slot, std::ptrdiff_t first) const {
    const std::ptrdiff_t left = keys_of[slot] - first;
    return static_cast<int>(left > kKeyBlock ? kKeyBlock : (left < 0 ? 0 : left));
  }
};

}  // namespace
}  // namespace adit::kernels
