// SPDX-License-Identifier: MIT
// common/model/part_rows.hpp
//
// Which stored rows make up a part: the place where the orders of other formats become ours.
//
// In       names: of the tensors a part is made of, several for experts that are stored apart.
// Errors   kNotFound, kInvalidArgument (shape), kUnimplemented (storage) naming file, offset and tensor.
// Threads  pure.
// Source   llama.cpp conversion/llama.py (permuted q and k), conversion/deepseek.py; DeepSeek-V3
//          inference/model.py (interleaved RoPE, kv_b: for each head nope_dim rows of keys, v_dim of values)
// Tests    tests/unit/common/model/source_formats_test.cpp
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "common/base/result.hpp"
#include "common/model/model_config.hpp"
#include "common/model/model_parts.hpp"
#include "common/model/stored_tensors.hpp"

namespace adit::model {

enum class RowOrder : std::uint8_t {
  kPlain,
  // Heads whose halves are interleaved: stored 2i, 2i+1 are ours i, i + d/2.
  kInterleavedHeads,
  // Heads of nope_dim plain rows and rope_dim interleaved ones.
  kMlaQuery,
  // kv_rank plain rows, then rope_dim interleaved ones.
  kMlaLatent,
  // Rows of kv_b that give values, and, transposed, those that give keys.
  kKvBValue,
  kKvBKey,
  // Of each expert the gate's rows and then those of up, in one tensor.
  kGateOfBoth,
  kUpOfBoth,
};

// Names of the tensors of one part, and the order of their rows.
struct PartNames {
  std::vector<std::string> tensors;
  RowOrder order = RowOrder::kPlain;
  std::string bias;
};

struct PartRows {
  // Equal shapes; part row r is of tensor r / (part.m / tensors.size()).
  std::vector<const StoredTensor*> tensors;
  RowOrder order = RowOrder::kPlain;
  const StoredTensor* bias = nullptr;
  // Rows cannot be given as they are stored.
  bool is_converted = false;
};

// Looks the tensors up and checks shapes and storage.
[[nodiscard]] Result<PartRows> find_part(const Part& part, const ModelConfig& config, const PartNames& names,
                                         const StoredTensors& stored, const std::string& label);

struct StoredRow {
  const StoredTensor* tensor = nullptr;
  std::uint64_t row = 0;
};
// Where a row of a part lies. For kKvBKey: the first row of its head.
[[nodiscard]] StoredRow locate(const PartRows& rows, const Part& part, const ModelConfig& config, int row);

}  // namespace adit::model
