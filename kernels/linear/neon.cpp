// SPDX-License-Identifier: MIT
// The linear layer with NEON's dot product. A vector of 16 rows x 4 columns is four registers of four rows; sdot
// multiplies one with four activations, which a lane of a register of sixteen holds. Codes of int8 become signed
// by flipping their top bit. The planes of A16 are joined group by group, 256 hi + lo: the joined sum fits int32
// (32 * 128 * 32639). Products with s and o are added in int64, or in int32 where A8g32 sums are proved to fit.
#include <cstddef>
#include <cstdint>

#include <arm_neon.h>

#include "kernels/linear/paths.h"
#include "kernels/linear/tile.h"

namespace adit::kernels {
namespace {

constexpr int kBlockTokens = 4;
constexpr int kChunkBytes = 384 * 1024;
// Registers of four rows: all of a tile, and what a pass over it takes with as many activation planes at once, so
// that its sums stay in registers.
constexpr int kTileRegs = 4;
constexpr int regs_of(int planes) {
  return planes <= 2 ? kTileRegs : 8 / planes;
}

// Four rows of sixteen columns of a group, `half` 0 or 1: register j has columns 4j .. 4j + 3.
template <bool kU4>
void load_codes(const std::uint8_t* group, int half, int reg, int8x16_t (&codes)[4]) {
  if (kU4) {
    for (int j = 0; j < 2; ++j) {
      const uint8x16_t both = vld1q_u8(group + (2 * half + j) * 64 + reg * 16);
      codes[2 * j] = vreinterpretq_s8_u8(vandq_u8(both, vdupq_n_u8(15)));
      codes[2 * j + 1] = vreinterpretq_s8_u8(vshrq_n_u8(both, 4));
    }
  } else {
    for (int j = 0; j < 4; ++j) {
      const uint8x16_t raised = vld1q_u8(group + (4 * half + j) * 64 + reg * 16);
      codes[j] = vreinterpretq_s8_u8(veorq_u8(raised, vdupq_n_u8(128)));
    }
  }
}

// What a block of tokens reads of a call.
template <int kPlanes>
struct Tokens {
  Tokens(const ActBuffer& act, int token)
      : stride(act.k_pad()),
        groups(act.groups()),
        plane{act.hi(token), kPlanes == 2 ? act.lo(token) : nullptr},
        sum{act.sum_hi(token), kPlanes == 2 ? act.sum_lo(token) : nullptr},
        shift(act.shift(token)) {}

  std::int32_t shift_of(int t, int group) const { return kPlanes == 2 ? 0 : shift[t * groups + group]; }
  // The group's sum of X.
  std::int32_t sum_of(int t, int group) const {
    const std::ptrdiff_t cell = t * groups + group;
    return kPlanes == 2 ? 256 * sum[0][cell] + sum[1][cell] : sum[0][cell] * (1 << shift[cell]);
  }

  std::ptrdiff_t stride;
  std::ptrdiff_t groups;
  const std::int8_t* plane[2];
  const std::int32_t* sum[2];
  const std::int32_t* shift;
};

// dot[t][r] = sum of code * X over one group; rows 4 (reg + r) .. of the tile. Inlined, so that dot has no address.
template <bool kU4, int kPlanes, int NT, int R>
__attribute__((always_inline)) inline void dot_group(const std::uint8_t* codes, const Tokens<kPlanes>& x,
                                                     int group, int reg, int32x4_t (&dot)[NT][R]) {
  int32x4_t sum[NT][kPlanes][R];
  for (int t = 0; t < NT; ++t) {
    for (int p = 0; p < kPlanes; ++p) {
      for (int r = 0; r < R; ++r) sum[t][p][r] = vdupq_n_s32(0);
    }
  }
  for (int half = 0; half < 2; ++half) {
    int8x16_t values[NT][kPlanes];
    for (int t = 0; t < NT; ++t) {
      for (int p = 0; p < kPlanes; ++p)
        values[t][p] = vld1q_s8(x.plane[p] + t * x.stride + group * kGroup + 16 * half);
    }
    for (int r = 0; r < R; ++r) {
      int8x16_t four[4];
      load_codes<kU4>(codes, half, reg + r, four);
      for (int t = 0; t < NT; ++t) {
        for (int p = 0; p < kPlanes; ++p) {
          int32x4_t s = vdotq_laneq_s32(sum[t][p][r], four[0], values[t][p], 0);
          s = vdotq_laneq_s32(s, four[1], values[t][p], 1);
          s = vdotq_laneq_s32(s, four[2], values[t][p], 2);
          sum[t][p][r] = vdotq_laneq_s32(s, four[3], values[t][p], 3);
        }
      }
    }
  }
  for (int t = 0; t < NT; ++t) {
    const int32x4_t shift = vdupq_n_s32(x.shift_of(t, group));
    for (int r = 0; r < R; ++r) {
      dot[t][r] = kPlanes == 2 ? vmlaq_n_s32(sum[t][kPlanes - 1][r], sum[t][0][r], 256)
                               : vshlq_s32(sum[t][0][r], shift);
    }
  }
}

// int32 sums of four rows: A8g32 under a proof.
struct Narrow {
  int32x4_t acc = vdupq_n_s32(0);
  void add(int32x4_t a, int32x4_t b) { acc = vmlaq_s32(acc, a, b); }
  float32x4_t value() const { return vcvtq_f32_s32(acc); }
};

// int64 sums of four rows, each rounded once.
struct Wide {
  int64x2_t low = vdupq_n_s64(0);
  int64x2_t high = vdupq_n_s64(0);
  void add(int32x4_t a, int32x4_t b) {
    low = vmlal_s32(low, vget_low_s32(a), vget_low_s32(b));
    high = vmlal_high_s32(high, a, b);
  }
  float32x4_t value() const {
    return float32x4_t{static_cast<float>(vgetq_lane_s64(low, 0)), static_cast<float>(vgetq_lane_s64(low, 1)),
                       static_cast<float>(vgetq_lane_s64(high, 0)),
                       static_cast<float>(vgetq_lane_s64(high, 1))};
  }
};

void store_rows(const LinearCall& call, const Tile& tile, int index, int token, int reg, float32x4_t acc) {
  const int first = 4 * reg;
  float32x4_t y = vmulq_n_f32(vmulq_f32(acc, vld1q_f32(tile.rs + first)), call.act->scale(token));
  if (tile.bias != nullptr) y = vaddq_f32(y, vld1q_f32(tile.bias + first));
  float* out = call.y + static_cast<std::size_t>(token) * call.ldy + index * kTileRows + first;
  if (tile.rows - first >= 4) {
    vst1q_f32(out, y);
  } else {
    float rows[4];
    vst1q_f32(rows, y);
    for (int i = 0; first + i < tile.rows; ++i) out[i] = rows[i];
  }
}

template <class Acc, bool kU4, int kPlanes, int NT>
void tile_tokens(const LinearCall& call, const Tile& tile, int index, int token) {
  constexpr int R = regs_of(kPlanes * NT);
  const Tokens<kPlanes> x(*call.act, token);
  const int groups = call.act->groups();
  for (int reg = 0; reg < kTileRegs; reg += R) {
    Acc acc[NT][R];
    for (int group = 0; group < groups; ++group) {
      int32x4_t dot[NT][R];
      dot_group<kU4, kPlanes, NT, R>(tile.q + static_cast<std::ptrdiff_t>(group) * (kU4 ? 256 : 512), x,
                                     group, reg, dot);
      for (int r = 0; r < R; ++r) {
        const std::ptrdiff_t at = scales_at(tile, group) + 4 * (reg + r);
        const int32x4_t s = vreinterpretq_s32_u32(vmovl_u16(vld1_u16(tile.s + at)));
        for (int t = 0; t < NT; ++t) acc[t][r].add(dot[t][r], s);
        if (!kU4) continue;
        const int32x4_t o = vmovl_s16(vld1_s16(tile.o + at));
        for (int t = 0; t < NT; ++t) acc[t][r].add(o, vdupq_n_s32(x.sum_of(t, group)));
      }
    }
    for (int t = 0; t < NT; ++t) {
      for (int r = 0; r < R; ++r) store_rows(call, tile, index, token + t, reg + r, acc[t][r].value());
    }
  }
}

template <class Acc, bool kU4, int kPlanes>
void block_of_tile(const LinearCall& call, const Tile& tile, int index, int token, int count) {
  if (count == kBlockTokens) {
    tile_tokens<Acc, kU4, kPlanes, kBlockTokens>(call, tile, index, token);
    return;
  }
  if (count >= 2) tile_tokens<Acc, kU4, kPlanes, 2>(call, tile, index, token);
  if (count != 2) tile_tokens<Acc, kU4, kPlanes, 1>(call, tile, index, token + count - 1);
}

// Weights of one chunk of tiles stay in the second-level cache while all tokens pass over them, and the
// activations of one block of tokens in the first.
template <bool kU4>
void linear_form(const LinearCall& call) {
  const bool is_a16 = call.act->form() == ActForm::kA16;
  const int fitting = kChunkBytes / (call.weights->k_pad * kTileRows / (kU4 ? 2 : 1));
  const int chunk = fitting < 1 ? 1 : fitting;
  const int tokens = call.act->n();
  for (int first = call.tile_begin; first < call.tile_end; first += chunk) {
    const int last = first + chunk < call.tile_end ? first + chunk : call.tile_end;
    for (int begin = 0; begin < tokens; begin += kBlockTokens) {
      const int count = begin + kBlockTokens < tokens ? kBlockTokens : tokens - begin;
      const bool narrow = !is_a16 && block_fits(call, begin, begin + count);
      for (int index = first; index < last; ++index) {
        Tile tile;
        set_tile<kU4>(*call.weights, index, tile);
        if (is_a16) {
          block_of_tile<Wide, kU4, 2>(call, tile, index, begin, count);
        } else if (narrow) {
          block_of_tile<Narrow, kU4, 1>(call, tile, index, begin, count);
        } else {
          block_of_tile<Wide, kU4, 1>(call, tile, index, begin, count);
        }
      }
    }
  }
}

}  // namespace

void linear_neon(const LinearCall& call) {
  if (call.weights->form == WeightForm::kU4) {
    linear_form<true>(call);
  } else {
    linear_form<false>(call);
  }
}

}  // namespace adit::kernels
