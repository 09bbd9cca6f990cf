// SPDX-License-Identifier: MIT
// kernels/linear/act_buffer.h
//
// The quantised activations of n tokens: what a linear layer reads.
//
// Shapes   hi, lo   [n][k_pad] int8. A16: X = 256 hi + lo. A8g32: X = 2^shift * hi, lo unused.
//          sum_hi, sum_lo   [n][k_pad/32] int32, sums of hi and lo over each group
//          bias_hi, bias_lo   [n][k_pad/32] int32, -128 times those sums: what the +128 of int8 codes adds
//          shift    [n][k_pad/32] int32, 0..6 (A16: 0)
//          pair_hi, pair_lo   [n][ceil(k_pad/64)] int32: sum_hi (sum_lo) of two neighbouring groups as
//                   int16, the lower group in the low half; A16 only
//          before_hi, before_lo   [n][k_pad/32 + 1] int32: sums of hi (times 2^shift) and of lo over the groups before
//                   each, and over all: differences are the sums over any run of groups
//          scale    [n] f32, the token scale `as`
//          sq_hi, sq_lo   [n] u64: sums of squares of what an int32 accumulator sees (A16: of each plane;
//                   A8g32: of 2^shift * hi), for the Cauchy-Schwarz proof
//          wide     [n][k_pad] int16, 2^shift * hi or 256 hi + lo, columns of each four in the order
//                   0 2 1 3; filled only when prepared for kAvx2
//          panel_a16, panel_a8   panels (panel.h) of tokens 0.., 3 or 4 in each; filled only when prepared for kAvx512
//                   and at least kPanelsFrom tokens
//          product  A16 from kProductsFrom tokens on has these panels, of 4, instead, where they are faster
//          Columns k..k_pad are 0. k_pad = k rounded up to 32. All arrays are 64-byte aligned.
// Errors   prepare throws std::bad_alloc when memory is short, as a std::vector would.
// Threads  prepare: one thread, before any quantize. Then each token is written by one thread, and read by
//          any after that.
// Tests    tests/unit/kernels/quantize_test.cpp
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

#include "kernels/core/isa.h"
#include "kernels/linear/panel.h"
#include "kernels/linear/params.h"

namespace adit::kernels {

class ActBuffer {
 public:
  ActBuffer() = default;

  // Shapes the buffer for n tokens of k columns; keeps its memory when it is large enough. products: whether A16 has
  // them from kProductsFrom tokens on.
  void prepare(Isa isa, ActForm form, int n, int k, bool products = has_ports_for_additions());
  // Tokens [begin, begin + count) as a buffer of their own, without panels. It borrows this one's memory, and is good
  // until this one is prepared again.
  ActBuffer tokens(int begin, int count) const;

  ActForm form() const { return form_; }
  int n() const { return n_; }
  int k() const { return k_; }
  int k_pad() const { return k_pad_; }
  int groups() const { return k_pad_ / kGroup; }
  int pairs() const { return (groups() + 1) / 2; }

  std::int8_t* hi(int token) { return hi_ + row(token); }
  const std::int8_t* hi(int token) const { return hi_ + row(token); }
  std::int8_t* lo(int token) { return lo_ + row(token); }
  const std::int8_t* lo(int token) const { return lo_ + row(token); }
  std::int32_t* sum_hi(int token) { return sum_hi_ + group_row(token); }
  const std::int32_t* sum_hi(int token) const { return sum_hi_ + group_row(token); }
  std::int32_t* sum_lo(int token) { return sum_lo_ + group_row(token); }
  const std::int32_t* sum_lo(int token) const { return sum_lo_ + group_row(token); }
  std::int32_t* bias_hi(int token) { return bias_hi_ + group_row(token); }
  const std::int32_t* bias_hi(int token) const { return bias_hi_ + group_row(token); }
  std::int32_t* bias_lo(int token) { return bias_lo_ + group_row(token); }
  const std::int32_t* bias_lo(int token) const { return bias_lo_ + group_row(token); }
  std::int32_t* shift(int token) { return shift_ + group_row(token); }
  const std::int32_t* shift(int token) const { return shift_ + group_row(token); }
  std::int32_t* pair_hi(int token) { return pair_hi_ + pair_row(token); }
  const std::int32_t* pair_hi(int token) const { return pair_hi_ + pair_row(token); }
  std::int32_t* pair_lo(int token) { return pair_lo_ + pair_row(token); }
  const std::int32_t* pair_lo(int token) const { return pair_lo_ + pair_row(token); }
  std::int32_t* before_hi(int token) { return before_hi_ + before_row(token); }
  const std::int32_t* before_hi(int token) const { return before_hi_ + before_row(token); }
  std::int32_t* before_lo(int token) { return before_lo_ + before_row(token); }
  const std::int32_t* before_lo(int token) const { return before_lo_ + before_row(token); }
  std::uint64_t& sq_hi(int token) { return sq_hi_[token]; }
  std::uint64_t sq_hi(int token) const { return sq_hi_[token]; }
  std::uint64_t& sq_lo(int token) { return sq_lo_[token]; }
  std::uint64_t sq_lo(int token) const { return sq_lo_[token]; }
  float& scale(int token) { return scale_[token]; }
  float scale(int token) const { return scale_[token]; }
  bool has_wide() const { return wide_ != nullptr; }
  std::int16_t* wide(int token) { return wide_ + row(token); }
  const std::int16_t* wide(int token) const { return wide_ + row(token); }
  bool has_panels() const { return panels_ != nullptr && !products_; }
  bool has_products() const { return panels_ != nullptr && products_; }
  // The panel that holds the token.
  PanelGroup<2>* panel_a16(int token) { return panel<PanelGroup<2>>(token); }
  const PanelGroup<2>* panel_a16(int token) const { return panel<PanelGroup<2>>(token); }
  PanelGroup<1>* panel_a8(int token) { return panel<PanelGroup<1>>(token); }
  const PanelGroup<1>* panel_a8(int token) const { return panel<PanelGroup<1>>(token); }
  ProductGroup* product(int token) { return panel<ProductGroup>(token); }
  const ProductGroup* product(int token) const { return panel<ProductGroup>(token); }

 private:
  std::size_t row(int token) const {
    return static_cast<std::size_t>(token) * static_cast<std::size_t>(k_pad_);
  }
  std::size_t group_row(int token) const { return row(token) / kGroup; }

  std::size_t pair_row(int token) const {
    return static_cast<std::size_t>(token) * static_cast<std::size_t>(pairs());
  }

  std::size_t before_row(int token) const {
    return static_cast<std::size_t>(token) * static_cast<std::size_t>(groups() + 1);
  }

  template <class Group>
  Group* panel(int token) const {
    return static_cast<Group*>(panels_) + static_cast<std::ptrdiff_t>(token / Group::kTokens) * groups();
  }

  struct Free {
    void operator()(std::uint8_t* memory) const;
  };
  std::unique_ptr<std::uint8_t, Free> memory_;
  std::size_t capacity_ = 0;
  ActForm form_ = ActForm::kA16;
  int n_ = 0;
  int k_ = 0;
  int k_pad_ = 0;
  std::int8_t* hi_ = nullptr;
  std::int8_t* lo_ = nullptr;
  std::int32_t* sum_hi_ = nullptr;
  std::int32_t* sum_lo_ = nullptr;
  std::int32_t* bias_hi_ = nullptr;
  std::int32_t* bias_lo_ = nullptr;
  std::int32_t* shift_ = nullptr;
  std::int32_t* pair_hi_ = nullptr;
  std::int32_t* pair_lo_ = nullptr;
  std::int32_t* before_hi_ = nullptr;
  std::int32_t* before_lo_ = nullptr;
  std::uint64_t* sq_hi_ = nullptr;
  std::uint64_t* sq_lo_ = nullptr;
  float* scale_ = nullptr;
  std::int16_t* wide_ = nullptr;
  void* panels_ = nullptr;
  // What lies there.
  bool products_ = false;
};

}  // namespace adit::kernels
