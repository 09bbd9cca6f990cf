// SPDX-License-Identifier: MIT
#include "kernels/linear/linear.h"

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <initializer_list>

#include "kernels/core/by_isa.h"
#include "kernels/linear/paths.h"
#include "kernels/linear/sparse.h"

namespace adit::kernels {
namespace {

// |acc| < 2^31 in either way of proving it.
constexpr std::uint64_t kNarrowLimit = 1ULL << 31;
constexpr std::uint64_t kSquareLimit = 1ULL << 62;

// The static proof: |X| of one accumulated plane is at most 128 (A16) or 127 * 64 (A8g32).
bool always_fits(const LinearWeights& weights, ActForm form) {
  const std::uint64_t largest = form == ActForm::kA16 ? 128 : 127 * 64;
  return weights.abs_row_max <= (kNarrowLimit - 1) / largest;
}

// The largest sum of squares of X with which max |W|^2 * |X|^2 < 2^62; everything if the sum always fits.
std::uint64_t square_limit(const LinearWeights& weights, ActForm form) {
  if (weights.sq_row_max == 0 || always_fits(weights, form)) return ~std::uint64_t{0};
  return (kSquareLimit - 1) / weights.sq_row_max;
}

// Two neighbouring group sums of a plane, at most 32 * 128 in size, as the int16 halves of one int32.
void fill_pairs(ActBuffer& act, int token) {
  if (act.form() != ActForm::kA16) return;
  const int groups = act.groups();
  for (int pair = 0; pair < act.pairs(); ++pair) {
    const auto join = [&](const std::int32_t* sums) {
      const std::uint32_t low = static_cast<std::uint32_t>(sums[2 * pair]) & 0xffffu;
      const std::uint32_t high =
          2 * pair + 1 < groups ? static_cast<std::uint32_t>(sums[2 * pair + 1]) << 16 : 0;
      return static_cast<std::int32_t>(low | high);
    };
    act.pair_hi(token)[pair] = join(act.sum_hi(token));
    act.pair_lo(token)[pair] = join(act.sum_lo(token));
  }
}

void fill_before(ActBuffer& act, int token) {
  const int groups = act.groups();
  const std::int32_t* const sum_hi = act.sum_hi(token);
  const std::int32_t* const sum_lo = act.sum_lo(token);
  const std::int32_t* const shift = act.shift(token);
  std::int32_t* const before_hi = act.before_hi(token);
  std::int32_t* const before_lo = act.before_lo(token);
  std::int32_t hi = 0;
  std::int32_t lo = 0;
  for (int group = 0; group < groups; ++group) {
    before_hi[group] = hi;
    before_lo[group] = lo;
    hi += sum_hi[group] * (1 << shift[group]);
    lo += sum_lo[group];
  }
  before_hi[groups] = hi;
  before_lo[groups] = lo;
}

// A token's place in its panel.
template <int kPlanes>
void fill_panel(const ActBuffer& act, int token, PanelGroup<kPlanes>* panel) {
  const int slot = token % kPanelTokens<kPlanes>;
  const int groups = act.groups();
  for (int plane = 0; plane < kPlanes; ++plane) {
    const std::int8_t* x = plane == 0 ? act.hi(token) : act.lo(token);
    const std::int32_t* sum = plane == 0 ? act.sum_hi(token) : act.sum_lo(token);
    for (int group = 0; group < groups; ++group) {
      PanelGroup<kPlanes>& to = panel[group];
      std::memcpy(to.x[plane][slot], x + std::ptrdiff_t{group} * kGroup, kGroup);
      to.start_i8[plane][slot] = sum[group] * -128;
      to.start_u4[plane][slot] = sum[group] * -kPanelCentre;
      to.sum[plane][slot] = sum[group] * 65536;
    }
  }
  const std::int32_t* shift = act.shift(token);
  for (int group = 0; kPlanes == 1 && group < groups; ++group) {
    panel[group].shift[slot] = shift[group];
    panel[group].high_shift[slot] = kPanelHighBits - shift[group];
    panel[group].upper_shift[slot] = (kPanelHighBits - shift[group] - 16) * 65536;
  }
}

void fill_product_scalar(ActBuffer& act, int token) {
  const int slot = token % kProductTokens;
  const auto value = [&](int column) { return 256 * act.hi(token)[column] + act.lo(token)[column]; };
  ProductGroup* const panel = act.product(token);
  for (int group = 0; group < act.groups(); ++group) {
    ProductGroup& to = panel[group];
    std::uint32_t start = 1u << 15;
    for (int i = 0; i < kGroup / 4; ++i) {
      const int column = group * kGroup + 4 * i;
      constexpr int kOrder[] = {0, 2, 1, 3};
      for (int c = 0; c < 4; ++c) to.x[slot][i][c] = static_cast<std::int16_t>(value(column + kOrder[c]));
      for (int c = 0; c < 4; c += 2) start -= static_cast<std::uint32_t>(value(column + c) * value(column + c + 1));
    }
    to.start[slot] = start;
    to.set_sum(slot, 256 * act.sum_hi(token)[group] + act.sum_lo(token)[group]);
  }
}

}  // namespace

void linear_dense(Isa isa, const LinearCall& call) {
  ADIT_BY_ISA(isa, linear_scalar, linear_avx2, linear_avx512, linear_neon)(call);
}

void zero_token(ActBuffer& act, int token) {
  const auto width = static_cast<std::size_t>(act.k_pad());
  const auto groups = static_cast<std::size_t>(act.groups());
  std::memset(act.hi(token), 0, width);
  if (act.form() == ActForm::kA16) std::memset(act.lo(token), 0, width);
  for (std::int32_t* row : {act.sum_hi(token), act.sum_lo(token), act.bias_hi(token),
                            act.bias_lo(token), act.shift(token)}) {
    std::memset(row, 0, groups * sizeof(std::int32_t));
  }
  if (act.has_wide()) std::memset(act.wide(token), 0, width * sizeof(std::int16_t));
  act.sq_hi(token) = 0;
  act.sq_lo(token) = 0;
  act.scale(token) = 0.0f;
}

bool quantize(Isa isa, const float* x, std::size_t ldx, ActBuffer& act, int token_begin,
              int token_end) {
  const auto quantize_token =
      ADIT_BY_ISA(isa, quantize_token_scalar, quantize_token_avx2, quantize_token_avx512, quantize_token_neon);
  const auto fill_product = ADIT_BY_ISA(isa, fill_product_scalar, fill_product_scalar, fill_product_avx512,
                                        fill_product_scalar);
  bool finite = true;
  for (int token = token_begin; token < token_end; ++token) {
    finite &= quantize_token(x + static_cast<std::size_t>(token) * ldx, act, token);
    fill_pairs(act, token);
    fill_before(act, token);
    if (act.has_products()) fill_product(act, token);
    if (!act.has_panels()) continue;
    act.form() == ActForm::kA16 ? fill_panel(act, token, act.panel_a16(token))
                                : fill_panel(act, token, act.panel_a8(token));
  }
  return finite;
}

bool fits_int32(const LinearWeights& weights, const ActBuffer& act, int token) {
  return std::max(act.sq_hi(token), act.sq_lo(token)) <= square_limit(weights, act.form());
}

bool raised_offsets_fit(const LinearWeights& weights) {
  const std::size_t count = static_cast<std::size_t>(weights.m_pad) * static_cast<std::size_t>(scales_of(weights));
  int largest = 0, highest = 0, lowest = 0;
  for (std::size_t i = 0; i < count; ++i) {
    const int s = weights.s[i];
    const int raised = weights.o[i] + kPanelCentre * s;
    largest = s > largest ? s : largest;
    highest = raised > highest ? raised : highest;
    lowest = raised < lowest ? raised : lowest;
  }
  return largest <= INT16_MAX && highest <= INT16_MAX && lowest >= INT16_MIN;
}

void linear(Isa isa, const LinearWeights& weights, const ActBuffer& act, float* y, std::size_t ldy,
            int tile_begin, int tile_end, const NextTiles& next) {
  // A buffer prepared for another instruction set lacks what the AVX2 version reads.
  const Isa used = isa == Isa::kAvx2 && !act.has_wide() ? Isa::kScalar : isa;
  const LinearCall call{
      &weights, &act, y, ldy, tile_begin, tile_end, square_limit(weights, act.form()), &next};
  weights.storage == Storage::kDense ? linear_dense(used, call) : linear_sparse(used, call);
}

int effective_weight(const LinearWeights& weights, int row, int column) {
  const auto tile = static_cast<std::size_t>(row / kTileRows);
  const auto lane = static_cast<std::size_t>(row % kTileRows);
  const auto k_pad = static_cast<std::size_t>(weights.k_pad);
  const auto at = static_cast<std::size_t>(column);
  const std::size_t group = (tile * static_cast<std::size_t>(scales_of(weights)) +
                             (at / kGroup >> scale_shift(weights.group))) *
                                kTileRows +
                            lane;
  int code = 0;
  if (weights.form == WeightForm::kU4) {
    const std::size_t block = tile * (k_pad / 8) + at / 8;
    const int byte = weights.q[(block * kTileRows + lane) * 4 + at % 4];
    code = at % 8 < 4 ? byte & 15 : byte >> 4;
  } else {
    const std::size_t block = tile * (k_pad / 4) + at / 4;
    code = weights.storage == Storage::kDense
               ? weights.q[(block * kTileRows + lane) * 4 + at % 4] - 128
               : sparse_code(weights, row, column);
  }
  return static_cast<int>(weights.s[group]) * code + (weights.o == nullptr ? 0 : weights.o[group]);
}

void embedding_row(const LinearWeights& weights, int row, float* x) {
  for (int column = 0; column < weights.k; ++column) {
    x[column] = static_cast<float>(effective_weight(weights, row, column)) * weights.rs[row];
  }
}

}  // namespace adit::kernels
