// SPDX-License-Identifier: MIT
#include "common/model/gguf_blocks.hpp"

#include <cmath>

#include "kernels/core/numerics.h"

namespace adit::model {
namespace {

void dequantize_q4_0(const std::uint8_t* block, float* out) {
  const float d = kernels::f32_from_f16(load_le<std::uint16_t>(block));
  for (int i = 0; i < 16; ++i) {
    out[i] = d * static_cast<float>((block[2 + i] & 15) - 8);
    out[i + 16] = d * static_cast<float>((block[2 + i] >> 4) - 8);
  }
}

void dequantize_q4_1(const std::uint8_t* block, float* out) {
  const float d = kernels::f32_from_f16(load_le<std::uint16_t>(block));
  const float m = kernels::f32_from_f16(load_le<std::uint16_t>(block + 2));
  for (int i = 0; i < 16; ++i) {
    out[i] = d * static_cast<float>(block[4 + i] & 15) + m;
    out[i + 16] = d * static_cast<float>(block[4 + i] >> 4) + m;
  }
}

void dequantize_q8_0(const std::uint8_t* block, float* out) {
  const float d = kernels::f32_from_f16(load_le<std::uint16_t>(block));
  for (int i = 0; i < 32; ++i) out[i] = d * static_cast<float>(load_le<std::int8_t>(block + 2 + i));
}

void dequantize_row(GgufType type, const std::uint8_t* from, std::uint64_t values, float* out) {
  switch (type) {
    case GgufType::kF32: std::memcpy(out, from, values * 4); return;
    case GgufType::kF16:
      for (std::uint64_t i = 0; i < values; ++i) {
        out[i] = kernels::f32_from_f16(load_le<std::uint16_t>(from + 2 * i));
      }
      return;
    case GgufType::kQ4_0:
      for (std::uint64_t b = 0; b < values / 32; ++b) dequantize_q4_0(from + 18 * b, out + 32 * b);
      return;
    case GgufType::kQ4_1:
      for (std::uint64_t b = 0; b < values / 32; ++b) dequantize_q4_1(from + 20 * b, out + 32 * b);
      return;
    case GgufType::kQ8_0:
      for (std::uint64_t b = 0; b < values / 32; ++b) dequantize_q8_0(from + 34 * b, out + 32 * b);
      return;
  }
}

}  // namespace

bool gguf_is_read(std::uint32_t type) {
  return type <= 3 || type == static_cast<std::uint32_t>(GgufType::kQ8_0);
}

Result<void> gguf_decode_row(GgufType type, ByteView row, std::uint64_t values, float* out) {
  dequantize_row(type, row.data(), values, out);
  for (std::uint64_t i = 0; i < values; ++i) {
    if (!std::isfinite(out[i])) return invalid_argument("column {} is not a finite number", i);
  }
  return {};
}

}  // namespace adit::model
