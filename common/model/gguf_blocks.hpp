// SPDX-License-Identifier: MIT
// common/model/gguf_blocks.hpp
//
// The block formats of GGUF tensors: F32, F16, Q8_0, Q4_0 and Q4_1 rows to floats.
//
// In       a whole row: a multiple of the type's block.
// Errors   kInvalidArgument naming the first column that is not finite.
// Exact    d and m are f16; a value is d * code or d * code + m, rounded as f32, without fma.
// Threads  pure.
// Source   github.com/ggml-org/ggml docs/gguf.md and the layouts of block_q4_0, block_q4_1, block_q8_0
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

}  // namespace adit::model
