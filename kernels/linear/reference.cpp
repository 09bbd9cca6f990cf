// SPDX-License-Identifier: MIT
// The canonical linear layer in plain integers: what every other version is compared with, bit for
// bit.
#include <algorithm>
#include <array>
#include <cmath>

#include "kernels/core/numerics.h"
#include "kernels/linear/paths.h"
#include "kernels/linear/quantize_numbers.h"

namespace adit::kernels {
namespace {

constexpr int kTokenBlock = 8;

using GroupWeights = std::array<std::array<std::int32_t, kTileRows>, kGroup>;

// The codes of one group of one tile, [column][row]: q for int8, 0..15 for u4.
void decode_group(const LinearWeights& weights, int tile, int group, GroupWeights& out) {
  const bool is_u4 = weights.form == WeightForm::kU4;
  const int columns_a_block = is_u4 ? 8 : 4;
  const int blocks = kGroup / columns_a_block;
  const std::size_t first =
      static_cast<std::size_t>(tile) * static_cast<std::size_t>(weights.k_pad / columns_a_block) +
      static_cast<std::size_t>(group * blocks);
  const std::uint8_t* bytes = weights.q + first * kTileRows * 4;
  for (int block = 0; block < blocks; ++block) {
    for (int row = 0; row < kTileRows; ++row) {
      for (int i = 0; i < 4; ++i) {
        const int byte = bytes[(block * kTileRows + row) * 4 + i];
        const auto r = static_cast<std::size_t>(row);
        const auto column = static_cast<std::size_t>(block * columns_a_block + i);
        out[column][r] = is_u4 ? (byte & 15) : byte - 128;
        if (is_u4) out[column + 4][r] = byte >> 4;
      }
    }
  }
}

// X[token][column], the effective integers of one group.
void load_group(const ActBuffer& act, int token, int group, std::array<std::int32_t, kGroup>& x) {
  const std::int8_t* hi = act.hi(token) + group * kGroup;
  const std::int8_t* lo = act.lo(token) + group * kGroup;
  const int shift = act.shift(token)[group];
  for (std::size_t i = 0; i < kGroup; ++i) {
    x[i] = act.form() == ActForm::kA16 ? 256 * hi[i] + lo[i] : hi[i] * (1 << shift);
  }
}

void add_group(const LinearWeights& weights, const GroupWeights& codes, int tile, int group,
               const std::array<std::int32_t, kGroup>& x, std::int64_t* acc) {
  std::array<std::int32_t, kTileRows> dot{};
  std::int32_t sum = 0;
  for (std::size_t column = 0; column < kGroup; ++column) {
    const std::int32_t value = x[column];
    sum += value;
    for (std::size_t row = 0; row < kTileRows; ++row) dot[row] += codes[column][row] * value;
  }
  const std::size_t at =
      (static_cast<std::size_t>(tile) * static_cast<std::size_t>(scales_of(weights)) +
       static_cast<std::size_t>(group >> scale_shift(weights.group))) *
      kTileRows;
  for (std::size_t row = 0; row < kTileRows; ++row) {
    acc[row] += static_cast<std::int64_t>(weights.s[at + row]) * dot[row];
    if (weights.o != nullptr) acc[row] += static_cast<std::int64_t>(weights.o[at + row]) * sum;
  }
}

void store_rows(const LinearCall& call, int tile, int token, const std::int64_t* acc) {
  const LinearWeights& weights = *call.weights;
  const int rows = std::min(kTileRows, weights.m - tile * kTileRows);
  float* y = call.y + static_cast<std::size_t>(token) * call.ldy + tile * kTileRows;
  for (int row = 0; row < rows; ++row) {
    float value = (static_cast<float>(acc[row]) * weights.rs[tile * kTileRows + row]) *
                  call.act->scale(token);
    if (weights.bias != nullptr) value = value + weights.bias[tile * kTileRows + row];
    y[row] = value;
  }
}

void linear_block(const LinearCall& call, int tile, int first, int count) {
  std::array<std::array<std::int64_t, kTileRows>, kTokenBlock> acc{};
  GroupWeights codes;
  std::array<std::int32_t, kGroup> x;
  for (int group = 0; group < call.act->groups(); ++group) {
    decode_group(*call.weights, tile, group, codes);
    for (int i = 0; i < count; ++i) {
      load_group(*call.act, first + i, group, x);
      add_group(*call.weights, codes, tile, group, x, acc[static_cast<std::size_t>(i)].data());
    }
  }
  for (int i = 0; i < count; ++i)
    store_rows(call, tile, first + i, acc[static_cast<std::size_t>(i)].data());
}

std::int8_t to_i8(std::int32_t value) {
  return static_cast<std::int8_t>(value);
}

void set_sums(ActBuffer& act, int token, int group, std::int32_t sum_hi, std::int32_t sum_lo,
              int shift) {
  act.sum_hi(token)[group] = sum_hi;
  act.sum_lo(token)[group] = sum_lo;
  act.bias_hi(token)[group] = -128 * sum_hi;
  act.bias_lo(token)[group] = -128 * sum_lo;
  act.shift(token)[group] = shift;
}

void quantize_group_a16(const float* x, int count, float inverse, ActBuffer& act, int token,
                        int group) {
  std::int32_t sum_hi = 0;
  std::int32_t sum_lo = 0;
  for (int i = 0; i < kGroup; ++i) {
    const int column = group * kGroup + i;
    const std::int32_t xq =
        i < count ? static_cast<std::int32_t>(nearbyintf(x[column] * inverse)) : 0;
    const std::int32_t hi = (xq + 128) >> 8;
    const std::int32_t lo = xq - 256 * hi;
    act.hi(token)[column] = to_i8(hi);
    act.lo(token)[column] = to_i8(lo);
    sum_hi += hi;
    sum_lo += lo;
    act.sq_hi(token) += static_cast<std::uint64_t>(hi * hi);
    act.sq_lo(token) += static_cast<std::uint64_t>(lo * lo);
  }
  set_sums(act, token, group, sum_hi, sum_lo, 0);
}

void quantize_group_a8(const float* x, int count, float amax, float inverse, ActBuffer& act,
                       int token, int group) {
  float group_amax = 0.0f;
  for (int i = 0; i < count; ++i)
    group_amax = std::max(group_amax, std::fabs(x[group * kGroup + i]));
  const int shift = group_shift(group_amax, amax);
  const float group_inverse = inverse * static_cast<float>(1 << (kShiftMax - shift));
  std::int32_t sum = 0;
  for (int i = 0; i < kGroup; ++i) {
    const int column = group * kGroup + i;
    const std::int32_t xq =
        i < count ? static_cast<std::int32_t>(nearbyintf(x[column] * group_inverse)) : 0;
    act.hi(token)[column] = to_i8(xq);
    sum += xq;
    act.sq_hi(token) += static_cast<std::uint64_t>(xq * xq) << (2 * shift);
  }
  set_sums(act, token, group, sum, 0, shift);
}

}  // namespace

bool quantize_token_scalar(const float* x, ActBuffer& act, int token) {
  std::uint32_t magnitude = 0;
  for (int i = 0; i < act.k(); ++i) magnitude = std::max(magnitude, bits_of(x[i]) & 0x7fffffffu);
  const float amax = float_of(magnitude);
  if (magnitude >= kInfinityBits || amax < kAmaxFloor) {
    zero_token(act, token);
    return magnitude < kInfinityBits;
  }
  act.sq_hi(token) = 0;
  act.sq_lo(token) = 0;
  const bool is_a16 = act.form() == ActForm::kA16;
  const float inverse = is_a16 ? kA16Max / amax : kA8Max / amax;
  act.scale(token) = is_a16 ? amax / kA16Max : (amax / kA8Max) * kA8Unit;
  for (int group = 0; group < act.groups(); ++group) {
    const int count = std::min(kGroup, act.k() - group * kGroup);
    if (is_a16) {
      quantize_group_a16(x, count, inverse, act, token, group);
    } else {
      quantize_group_a8(x, count, amax, inverse, act, token, group);
    }
  }
  return true;
}

void linear_scalar(const LinearCall& call) {
  for (int tile = call.tile_begin; tile < call.tile_end; ++tile) {
    for (int token = 0; token < call.act->n(); token += kTokenBlock) {
      linear_block(call, tile, token, std::min(kTokenBlock, call.act->n() - token));
    }
  }
}

}  // namespace adit::kernels
