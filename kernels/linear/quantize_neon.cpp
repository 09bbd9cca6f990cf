// SPDX-License-Identifier: MIT
// Activation quantisation with NEON: a group of 32 is eight registers.
#include <cstdint>
#include <cstring>

#include <arm_neon.h>

#include "kernels/core/numerics.h"
#include "kernels/linear/group_sums.h"
#include "kernels/linear/quantize_by.h"

namespace adit::kernels {
namespace {

constexpr int kRegs = kGroup / 4;

struct Group {
  float32x4_t part[kRegs];
};

// 32 values, +0 behind the last of `count`.
Group load_group(const float* x, int count) {
  Group group;
  float padded[kGroup] = {};
  if (count < kGroup) {
    std::memcpy(padded, x, static_cast<std::size_t>(count) * sizeof(float));
    x = padded;
  }
  for (int i = 0; i < kRegs; ++i) group.part[i] = vld1q_f32(x + 4 * i);
  return group;
}

// The bits of the largest |x|: ordered like the values, NaNs on top.
std::uint32_t magnitude_of(const Group& group) {
  uint32x4_t largest = vdupq_n_u32(0);
  for (int i = 0; i < kRegs; ++i)
    largest = vmaxq_u32(largest, vreinterpretq_u32_f32(vabsq_f32(group.part[i])));
  return vmaxvq_u32(largest);
}

// rint(x * scale) of 32 values; all fit int16.
struct Words {
  int16x8_t part[kRegs / 2];
};
Words to_words(const Group& group, float scale) {
  Words words;
  for (int i = 0; i < kRegs / 2; ++i) {
    const int32x4_t low = vcvtnq_s32_f32(vmulq_n_f32(group.part[2 * i], scale));
    const int32x4_t high = vcvtnq_s32_f32(vmulq_n_f32(group.part[2 * i + 1], scale));
    words.part[i] = vcombine_s16(vmovn_s32(low), vmovn_s32(high));
  }
  return words;
}

struct Bytes {
  int8x16_t part[2];
};
// The low byte of each word.
Bytes low_bytes(const Words& words) {
  Bytes bytes;
  for (int i = 0; i < 2; ++i)
    bytes.part[i] = vcombine_s8(vmovn_s16(words.part[2 * i]), vmovn_s16(words.part[2 * i + 1]));
  return bytes;
}

// (x + 128) >> 8.
Bytes high_bytes(const Words& words) {
  const int16x8_t round = vdupq_n_s16(128);
  Bytes bytes;
  for (int i = 0; i < 2; ++i) {
    bytes.part[i] = vcombine_s8(vshrn_n_s16(vaddq_s16(words.part[2 * i], round), 8),
                                vshrn_n_s16(vaddq_s16(words.part[2 * i + 1], round), 8));
  }
  return bytes;
}

void store(std::int8_t* at, const Bytes& bytes) {
  vst1q_s8(at, bytes.part[0]);
  vst1q_s8(at + 16, bytes.part[1]);
}

std::int32_t sum_bytes(const Bytes& bytes) {
  return vaddlvq_s8(bytes.part[0]) + vaddlvq_s8(bytes.part[1]);
}

std::uint32_t square_bytes(const Bytes& bytes) {
  const int32x4_t first = vdotq_s32(vdupq_n_s32(0), bytes.part[0], bytes.part[0]);
  return static_cast<std::uint32_t>(vaddvq_s32(vdotq_s32(first, bytes.part[1], bytes.part[1])));
}

void quantize_a16(const float* x, float inverse, ActBuffer& act, int token) {
  const GroupSums sums(act, token);
  std::uint64_t sq_hi = 0;
  std::uint64_t sq_lo = 0;
  for (int group = 0; group < act.groups(); ++group) {
    const Words words = to_words(load_group(x + group * kGroup, act.k() - group * kGroup), inverse);
    const Bytes hi = high_bytes(words);
    const Bytes lo = low_bytes(words);
    store(act.hi(token) + group * kGroup, hi);
    store(act.lo(token) + group * kGroup, lo);
    sums.set(group, sum_bytes(hi), sum_bytes(lo), 0);
    sq_hi += square_bytes(hi);
    sq_lo += square_bytes(lo);
  }
  act.sq_hi(token) = sq_hi;
  act.sq_lo(token) = sq_lo;
}

void quantize_a8(const float* x, float amax, float inverse, ActBuffer& act, int token) {
  const GroupSums sums(act, token);
  std::uint64_t sq = 0;
  for (int group = 0; group < act.groups(); ++group) {
    const Group values = load_group(x + group * kGroup, act.k() - group * kGroup);
    const int shift = group_shift(float_of(magnitude_of(values)), amax);
    const Bytes bytes = low_bytes(to_words(values, inverse * static_cast<float>(1 << (kShiftMax - shift))));
    store(act.hi(token) + group * kGroup, bytes);
    sums.set(group, sum_bytes(bytes), 0, shift);
    sq += static_cast<std::uint64_t>(square_bytes(bytes)) << (2 * shift);
  }
  act.sq_hi(token) = sq;
  act.sq_lo(token) = 0;
}

}  // namespace

bool quantize_token_neon(const float* x, ActBuffer& act, int token) {
  std::uint32_t magnitude = 0;
  for (int i = 0; i < act.k(); i += kGroup) {
    const std::uint32_t here = magnitude_of(load_group(x + i, act.k() - i));
    magnitude = here > magnitude ? here : magnitude;
  }
  return quantize_by(
      magnitude, act, token, [&](float inverse) { quantize_a16(x, inverse, act, token); },
      [&](float amax, float inverse) { quantize_a8(x, amax, inverse, act, token); });
}

}  // namespace adit::kernels
