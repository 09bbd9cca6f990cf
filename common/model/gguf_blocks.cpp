// SPDX-License-Identifier: MIT
#include "common/model/gguf_blocks.hpp"

#include <array>
#include <bit>
#include <cmath>

#include "kernels/core/numerics.h"

namespace adit::model {
namespace {

constexpr std::array<float, 16> kIq4NlValues{-127, -104, -83, -65, -49, -35, -22, -10,
                                             1,    13,   25,  38,  53,  69,  89,  113};
// E2M1: sign, 2 bits of exponent, 1 of significand. Without a negative zero, as in ggml.
constexpr std::array<float, 16> kE2M1Values{0.0f, 0.5f,  1.0f,  1.5f,  2.0f,  3.0f,  4.0f,  6.0f,
                                            0.0f, -0.5f, -1.0f, -1.5f, -2.0f, -3.0f, -4.0f, -6.0f};

float f16_at(const std::uint8_t* from) {
  return kernels::f32_from_f16(load_le<std::uint16_t>(from));
}

void dequantize_q4_0(const std::uint8_t* block, float* out) {
  const float d = f16_at(block);
  for (int i = 0; i < 16; ++i) {
    out[i] = d * static_cast<float>((block[2 + i] & 15) - 8);
    out[i + 16] = d * static_cast<float>((block[2 + i] >> 4) - 8);
  }
}

void dequantize_q4_1(const std::uint8_t* block, float* out) {
  const float d = f16_at(block), m = f16_at(block + 2);
  for (int i = 0; i < 16; ++i) {
    out[i] = d * static_cast<float>(block[4 + i] & 15) + m;
    out[i + 16] = d * static_cast<float>(block[4 + i] >> 4) + m;
  }
}

// The 5-bit code of value i: nibbles as in Q4_0, the fifth bits in one little-endian word.
int five_bits(const std::uint8_t* nibbles, std::uint32_t fifth, int i) {
  const int low = i < 16 ? nibbles[i] & 15 : nibbles[i - 16] >> 4;
  return low | static_cast<int>(fifth >> i & 1) << 4;
}

void dequantize_q5_0(const std::uint8_t* block, float* out) {
  const float d = f16_at(block);
  const auto fifth = load_le<std::uint32_t>(block + 2);
  for (int i = 0; i < 32; ++i) out[i] = d * static_cast<float>(five_bits(block + 6, fifth, i) - 16);
}

void dequantize_q5_1(const std::uint8_t* block, float* out) {
  const float d = f16_at(block), m = f16_at(block + 2);
  const auto fifth = load_le<std::uint32_t>(block + 4);
  for (int i = 0; i < 32; ++i) out[i] = d * static_cast<float>(five_bits(block + 8, fifth, i)) + m;
}

void dequantize_q8_0(const std::uint8_t* block, float* out) {
  const float d = f16_at(block);
  for (int i = 0; i < 32; ++i) out[i] = d * static_cast<float>(load_le<std::int8_t>(block + 2 + i));
}

void dequantize_iq4_nl(const std::uint8_t* block, float* out) {
  const float d = f16_at(block);
  for (std::size_t i = 0; i < 16; ++i) {
    out[i] = d * kIq4NlValues[block[2 + i] & 15];
    out[i + 16] = d * kIq4NlValues[block[2 + i] >> 4];
  }
}

void dequantize_mxfp4(const std::uint8_t* block, float* out) {
  // 2^(e - 127) as f32; 2^-127 is a subnormal number.
  const std::uint32_t e = block[0];
  const float d = std::bit_cast<float>(e == 0 ? 0x00400000u : e << 23);
  for (std::size_t i = 0; i < 16; ++i) {
    out[i] = d * kE2M1Values[block[1 + i] & 15];
    out[i + 16] = d * kE2M1Values[block[1 + i] >> 4];
  }
}

using Dequantize = void (*)(const std::uint8_t* block, float* out);

void each_block(Dequantize dequantize, const std::uint8_t* from, std::uint64_t bytes, std::uint64_t values,
                float* out) {
  for (std::uint64_t b = 0; b < values / 32; ++b) dequantize(from + bytes * b, out + 32 * b);
}

void dequantize_row(GgufType type, const std::uint8_t* from, std::uint64_t values, float* out) {
  switch (type) {
    case GgufType::kF32:
      std::memcpy(out, from, values * 4);
      return;
    case GgufType::kF16:
      for (std::uint64_t i = 0; i < values; ++i) out[i] = f16_at(from + 2 * i);
      return;
    case GgufType::kBF16:
      for (std::uint64_t i = 0; i < values; ++i) {
        out[i] = std::bit_cast<float>(std::uint32_t{load_le<std::uint16_t>(from + 2 * i)} << 16);
      }
      return;
    case GgufType::kQ4_0:
      return each_block(dequantize_q4_0, from, 18, values, out);
    case GgufType::kQ4_1:
      return each_block(dequantize_q4_1, from, 20, values, out);
    case GgufType::kQ5_0:
      return each_block(dequantize_q5_0, from, 22, values, out);
    case GgufType::kQ5_1:
      return each_block(dequantize_q5_1, from, 24, values, out);
    case GgufType::kQ8_0:
      return each_block(dequantize_q8_0, from, 34, values, out);
    case GgufType::kIq4Nl:
      return each_block(dequantize_iq4_nl, from, 18, values, out);
    case GgufType::kMxfp4:
      return each_block(dequantize_mxfp4, from, 17, values, out);
    case GgufType::kQ4K:
    case GgufType::kQ5K:
    case GgufType::kQ6K: {
      const std::uint64_t bytes = gguf_type_info(static_cast<std::uint32_t>(type))->block_bytes;
      for (std::uint64_t b = 0; b < values / 256; ++b)
        dequantize_k_block(type, from + bytes * b, out + 256 * b);
      return;
    }
  }
}

}  // namespace

bool gguf_is_read(std::uint32_t type) {
  constexpr std::array kRead{GgufType::kF32,  GgufType::kF16,  GgufType::kQ4_0,  GgufType::kQ4_1,
                             GgufType::kQ5_0, GgufType::kQ5_1, GgufType::kQ8_0,  GgufType::kQ4K,
                             GgufType::kQ5K,  GgufType::kQ6K,  GgufType::kIq4Nl, GgufType::kBF16,
                             GgufType::kMxfp4};
  for (const GgufType known : kRead) {
    if (type == static_cast<std::uint32_t>(known)) return true;
  }
  return false;
}

Result<void> gguf_decode_row(GgufType type, ByteView row, std::uint64_t values, float* out) {
  dequantize_row(type, row.data(), values, out);
  for (std::uint64_t i = 0; i < values; ++i) {
    if (!std::isfinite(out[i])) return invalid_argument("column {} is not a finite number", i);
  }
  return {};
}

}  // namespace adit::model
