// SPDX-License-Identifier: MIT
// Blocks of 256: Q4_K, Q5_K and Q6_K.
#include <algorithm>

#include "common/base/bytes.hpp"
#include "common/model/gguf_blocks.hpp"
#include "kernels/core/numerics.h"

namespace adit::model {

KScale k_scale(const std::uint8_t* packed, int group) {
  const std::uint8_t* s = packed + group;
  if (group < 4) return {s[0] & 63, s[4] & 63};
  return {(s[4] & 15) | (s[-4] >> 6) << 4, (s[4] >> 4) | (s[0] >> 6) << 4};
}

namespace {

// Q4_K: d, dmin, 12 bytes of scales, 128 of nibbles. Q5_K: 32 bytes of fifth bits before the nibbles.
void dequantize_q45_k(const std::uint8_t* block, bool five, float* out) {
  const float d = kernels::f32_from_f16(load_le<std::uint16_t>(block));
  const float dmin = kernels::f32_from_f16(load_le<std::uint16_t>(block + 2));
  const std::uint8_t* fifth = block + 16;
  const std::uint8_t* nibbles = block + (five ? 48 : 16);
  for (int group = 0; group < 8; ++group) {
    const KScale scale = k_scale(block + 4, group);
    const float step = d * static_cast<float>(scale.scale), low = dmin * static_cast<float>(scale.minimum);
    const std::uint8_t* from = nibbles + group / 2 * 32;
    for (int i = 0; i < 32; ++i) {
      int code = group % 2 == 0 ? from[i] & 15 : from[i] >> 4;
      if (five) code += (fifth[i] >> group & 1) << 4;
      out[group * 32 + i] = step * static_cast<float>(code) - low;
    }
  }
}

// 128 low nibbles, 64 bytes of two upper bits, 16 signed scales of 16 values, d.
void dequantize_q6_k(const std::uint8_t* block, float* out) {
  const float d = kernels::f32_from_f16(load_le<std::uint16_t>(block + 208));
  for (int half = 0; half < 2; ++half) {
    const std::uint8_t* low = block + 64 * half;
    const std::uint8_t* high = block + 128 + 32 * half;
    const std::uint8_t* scales = block + 192 + 8 * half;
    for (int i = 0; i < 128; ++i) {
      const int nibble = i < 64 ? low[i] & 15 : low[i - 64] >> 4;
      const int code = (nibble | (high[i % 32] >> (2 * (i / 32)) & 3) << 4) - 32;
      const float step = d * static_cast<float>(load_le<std::int8_t>(scales + i / 16));
      out[128 * half + i] = step * static_cast<float>(code);
    }
  }
}

}  // namespace

void dequantize_k_block(GgufType type, const std::uint8_t* block, float* out) {
  if (type == GgufType::kQ6K) {
    dequantize_q6_k(block, out);
  } else {
    dequantize_q45_k(block, type == GgufType::kQ5K, out);
  }
}

}  // namespace adit::model
