// SPDX-License-Identifier: MIT
// tests/unit/kernels/random_linear.hpp
//
// A linear layer with owned, tiled weights, made from plain row-major codes, and its result by definition.
//
// Threads  one.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <utility>
#include <vector>

#include "kernels/linear/linear.h"
#include "tests/unit/kernels/kernel_test.hpp"

namespace adit::kernels {

// Every size of a scale's group.
inline constexpr std::array<ScaleGroup, 4> kScaleGroups{ScaleGroup::k32, ScaleGroup::k64, ScaleGroup::k128,
                                                        ScaleGroup::kRow};

// A group size, and the largest scale: beyond what a packer writes, as it writes, or small (int32 sums).
inline ScaleGroup random_group(Random& random) {
  return kScaleGroups[static_cast<std::size_t>(random.between(0, 3))];
}
inline int random_scale_max(Random& random) {
  constexpr std::array<int, 4> kMax{65535, 1023, 1023, 3};
  return kMax[static_cast<std::size_t>(random.between(0, 3))];
}

class TestLinear {
 public:
  // Codes are zero: int8 0, u4 0; scales 1, offsets 0, row scales 1.
  TestLinear(WeightForm form, ActForm act, int m, int k, ScaleGroup group = ScaleGroup::k32)
      : form_(form), act_(act), group_(group), m_(m), k_(k) {
    codes_.assign(static_cast<std::size_t>(m) * static_cast<std::size_t>(k), 0);
    scales_.assign(static_cast<std::size_t>(m) * groups(), 1);
    offsets_.assign(scales_.size(), 0);
    rs_.assign(static_cast<std::size_t>(m), 1.0f);
  }

  static TestLinear random(Random& random, WeightForm form, ActForm act, int m, int k, int scale_max,
                           ScaleGroup group = ScaleGroup::k32) {
    TestLinear layer(form, act, m, k, group);
    for (int& code : layer.codes_)
      code = form == WeightForm::kU4 ? random.between(0, 15) : random.between(-128, 127);
    for (int& scale : layer.scales_) scale = random.between(0, scale_max);
    for (int& offset : layer.offsets_) {
      offset = form == WeightForm::kU4
                   ? random.between(-std::min(8 * scale_max, 32768), std::min(8 * scale_max, 32767))
                   : 0;
    }
    for (float& scale : layer.rs_) scale = random.wide();
    if (random.between(0, 1) == 1) layer.bias_ = random.wide_row(m);
    layer.misaligned_ = random.between(0, 1) * random.between(1, 63);
    layer.build();
    return layer;
  }

  // All row-major: codes [m][k], scales and offsets [m][groups].
  void set(std::vector<int> codes, std::vector<int> scales, std::vector<int> offsets,
           std::vector<float> rs, std::vector<float> bias) {
    codes_ = std::move(codes);
    scales_ = std::move(scales);
    offsets_ = std::move(offsets);
    rs_ = std::move(rs);
    bias_ = std::move(bias);
  }
  int& code(int row, int column) { return codes_[index(row, column)]; }
  void set_scales(int scale) { std::fill(scales_.begin(), scales_.end(), scale); }
  std::int64_t weight(int row, int column) const {
    const std::size_t at =
        static_cast<std::size_t>(row) * groups() + static_cast<std::size_t>(column / columns_a_scale());
    return static_cast<std::int64_t>(scales_[at]) * codes_[index(row, column)] + offsets_[at];
  }

  // Lays the codes out in tiles and computes both proofs.
  void build();
  const LinearWeights& view() const { return view_; }

  // The definition, with X given.
  float result(int row, const std::vector<std::int64_t>& x, float scale) const {
    std::int64_t acc = 0;
    for (int column = 0; column < k_; ++column)
      acc += weight(row, column) * x[static_cast<std::size_t>(column)];
    float y = (static_cast<float>(acc) * rs_[static_cast<std::size_t>(row)]) * scale;
    if (!bias_.empty()) y = y + bias_[static_cast<std::size_t>(row)];
    return y;
  }

 private:
  // By division, unlike the kernels.
  int columns_a_scale() const {
    const int columns = static_cast<int>(group_);
    return columns == 0 ? k_ : columns;
  }
  std::size_t groups() const {
    return static_cast<std::size_t>((k_ + columns_a_scale() - 1) / columns_a_scale());
  }
  std::size_t index(int row, int column) const {
    return static_cast<std::size_t>(row) * static_cast<std::size_t>(k_) +
           static_cast<std::size_t>(column);
  }
  void place_code(int row, int column);

  WeightForm form_;
  ActForm act_;
  ScaleGroup group_;
  int m_;
  int k_;
  int misaligned_ = 0;
  std::size_t first_ = 0;
  std::vector<int> codes_;
  std::vector<int> scales_;
  std::vector<int> offsets_;
  std::vector<float> rs_;
  std::vector<float> bias_;
  std::vector<std::uint8_t> q_;
  std::vector<std::uint16_t> s_;
  std::vector<std::int16_t> o_;
  std::vector<float> rs_pad_;
  std::vector<float> bias_pad_;
  LinearWeights view_;
};

inline void TestLinear::place_code(int row, int column) {
  const auto tile = static_cast<std::size_t>(row / kTileRows);
  const auto lane = static_cast<std::size_t>(row % kTileRows);
  const auto at = static_cast<std::size_t>(column);
  const auto k_pad = static_cast<std::size_t>(view_.k_pad);
  const int code = codes_[index(row, column)];
  if (form_ == WeightForm::kI8) {
    q_[first_ + ((tile * (k_pad / 4) + at / 4) * kTileRows + lane) * 4 + at % 4] =
        static_cast<std::uint8_t>(code + 128);
  } else {
    std::uint8_t& byte =
        q_[first_ + ((tile * (k_pad / 8) + at / 8) * kTileRows + lane) * 4 + at % 4];
    const int other = at % 8 < 4 ? byte & 0xf0 : byte & 0x0f;
    byte = static_cast<std::uint8_t>(other | (at % 8 < 4 ? code : code << 4));
  }
}

inline void TestLinear::build() {
  const auto round_up = [](int n, int to) { return (n + to - 1) / to * to; };
  view_ = LinearWeights{.form = form_,
                        .act = act_,
                        .group = group_,
                        .m = m_,
                        .k = k_,
                        .m_pad = round_up(m_, kTileRows),
                        .k_pad = round_up(k_, kGroup)};
  const auto cells = static_cast<std::size_t>(view_.m_pad) * static_cast<std::size_t>(view_.k_pad);
  // Padding codes may be anything: activations and scales are 0 there.
  // The codes start on a cache line, as in a pack, or `misaligned_` bytes behind one.
  q_.assign((form_ == WeightForm::kI8 ? cells : cells / 2) + 128, 0xa7);
  const auto address = reinterpret_cast<std::uintptr_t>(q_.data());
  first_ = (64 - address % 64) % 64 + static_cast<std::size_t>(misaligned_);
  s_.assign(static_cast<std::size_t>(view_.m_pad) * groups(), 0);
  o_.assign(s_.size(), 0);
  for (int row = 0; row < m_; ++row) {
    std::uint64_t abs_sum = 0;
    std::uint64_t sq_sum = 0;
    for (int column = 0; column < k_; ++column) {
      place_code(row, column);
      const auto magnitude = static_cast<std::uint64_t>(std::llabs(weight(row, column)));
      abs_sum += magnitude;
      sq_sum += magnitude * magnitude;
    }
    view_.abs_row_max = std::max(view_.abs_row_max, abs_sum);
    view_.sq_row_max = std::max(view_.sq_row_max, sq_sum);
    for (std::size_t group = 0; group < groups(); ++group) {
      const std::size_t at =
          (static_cast<std::size_t>(row / kTileRows) * groups() + group) * kTileRows +
          static_cast<std::size_t>(row % kTileRows);
      s_[at] =
          static_cast<std::uint16_t>(scales_[static_cast<std::size_t>(row) * groups() + group]);
      o_[at] =
          static_cast<std::int16_t>(offsets_[static_cast<std::size_t>(row) * groups() + group]);
    }
  }
  rs_pad_ = rs_;
  rs_pad_.resize(static_cast<std::size_t>(view_.m_pad));
  bias_pad_ = bias_;
  if (!bias_.empty()) bias_pad_.resize(static_cast<std::size_t>(view_.m_pad));
  view_.q = q_.data() + first_;
  view_.s = s_.data();
  view_.o = form_ == WeightForm::kU4 ? o_.data() : nullptr;
  view_.rs = rs_pad_.data();
  view_.bias = bias_.empty() ? nullptr : bias_pad_.data();
  view_.raised_fit = form_ == WeightForm::kU4 && raised_offsets_fit(view_);
}

// The effective integers X of one token.
inline std::vector<std::int64_t> effective_activations(const ActBuffer& act, int token) {
  std::vector<std::int64_t> x(static_cast<std::size_t>(act.k_pad()));
  for (int i = 0; i < act.k_pad(); ++i) {
    const std::int64_t hi = act.hi(token)[i];
    x[static_cast<std::size_t>(i)] = act.form() == ActForm::kA16
                                         ? 256 * hi + act.lo(token)[i]
                                         : hi * (1 << act.shift(token)[i / kGroup]);
  }
  return x;
}

// y [n][m] of the whole layer on activations x [n][k].
inline std::vector<float> run_linear(Isa isa, const LinearWeights& weights,
                                     const std::vector<float>& x, int n, bool products = true) {
  ActBuffer act;
  act.prepare(isa, weights.act, n, weights.k, products);
  EXPECT_TRUE(quantize(isa, x.data(), static_cast<std::size_t>(weights.k), act, 0, n));
  std::vector<float> y(static_cast<std::size_t>(n) * static_cast<std::size_t>(weights.m), -9.0f);
  linear(isa, weights, act, y.data(), static_cast<std::size_t>(weights.m), 0, tile_count(weights));
  return y;
}

struct Forms {
  WeightForm weights;
  ActForm act;
};
inline constexpr std::array<Forms, 4> kLinearForms{
    Forms{WeightForm::kI8, ActForm::kA16}, Forms{WeightForm::kI8, ActForm::kA8g32},
    Forms{WeightForm::kU4, ActForm::kA16}, Forms{WeightForm::kU4, ActForm::kA8g32}};

inline std::string form_name(const Forms& forms) {
  return std::string(forms.weights == WeightForm::kI8 ? "i8" : "u4") +
         (forms.act == ActForm::kA16 ? "/a16" : "/a8g32");
}

// Every vector version against the scalar one.
inline void expect_scalar_bits(const TestLinear& layer, const std::vector<float>& x, int n, const std::string& what) {
  const std::vector<float> want = run_linear(Isa::kScalar, layer.view(), x, n);
  for (const Isa isa : vector_isas()) {
    for (const bool products : {true, false}) {
      if (!products && n < kProductsFrom) continue;
      ASSERT_TRUE(same_bits(run_linear(isa, layer.view(), x, n, products), want))
          << isa_name(isa) << ", " << what << ", m " << layer.view().m << ", k " << layer.view().k << ", n " << n
          << (products ? "" : ", without products");
    }
  }
}

}  // namespace adit::kernels
