// SPDX-License-Identifier: MIT
// common/model/gguf_blocks.hpp
//
// The block formats of GGUF tensors: rows of any GgufType to floats.
//
// In       a whole row: a multiple of the type's block.
// Errors   kInvalidArgument naming the first column that is not finite.
// Exact    d, m, dmin are f16; a value is d * code, d * code + m, (d * scale) * code or (d * scale) * code -
//          dmin * minimum, each operation rounded as f32, without fma; MXFP4: a power of two times a code.
// Threads  pure.
// Source   github.com/ggml-org/ggml docs/gguf.md and the layouts of the blocks in ggml-common.h
// Tests    tests/unit/common/model/gguf_test.cpp
#pragma once

#include <cstdint>

#include "common/base/bytes.hpp"
#include "common/base/result.hpp"
#include "common/model/gguf.hpp"

namespace adit::model {

// Whether the number is one of GgufType.
[[nodiscard]] bool gguf_is_read(std::uint32_t type);
[[nodiscard]] Result<void> gguf_decode_row(GgufType type, ByteView row, std::uint64_t values, float* out);

// The 6-bit scale and minimum of one of the 8 groups of a Q4_K or Q5_K block.
struct KScale {
  int scale = 0;
  int minimum = 0;
};
// packed: 12 bytes.
[[nodiscard]] KScale k_scale(const std::uint8_t* packed, int group);
// out: [256]. Q4_K, Q5_K, Q6_K.
void dequantize_k_block(GgufType type, const std::uint8_t* block, float* out);

}  // namespace adit::model
