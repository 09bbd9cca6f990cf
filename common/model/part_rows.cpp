// SPDX-License-Identifier: MIT
#include "common/model/part_rows.hpp"

#include <algorithm>

namespace adit::model {
namespace {

struct Shape {
  std::uint64_t rows = 0;
  std::uint64_t columns = 0;
};

// Of each of the part's tensors.
Shape expected_shape(const Part& part, const ModelConfig& config, const PartNames& names) {
  const std::uint64_t rows = static_cast<std::uint64_t>(part.m) / names.tensors.size();
  switch (names.order) {
    case RowOrder::kKvBValue:
    case RowOrder::kKvBKey:
      return {static_cast<std::uint64_t>(config.heads * (config.mla.nope_dim + config.mla.v_dim)),
              static_cast<std::uint64_t>(config.mla.kv_rank)};
    case RowOrder::kGateOfBoth:
    case RowOrder::kUpOfBoth:
      return {2 * rows, static_cast<std::uint64_t>(part.k)};
    default:
      return {rows, static_cast<std::uint64_t>(part.k)};
  }
}

Result<const StoredTensor*> find_tensor(const std::string& name, const Shape& shape, bool is_vector,
                                        const StoredTensors& stored, const std::string& label) {
  const StoredTensor* tensor = stored.find(name);
  if (tensor == nullptr) return not_found("{}: no tensor {}", label, name);
  if (tensor->rows != shape.rows || tensor->columns != shape.columns ||
      (is_vector && tensor->dimensions != 1)) {
    return invalid_argument(
        "{}: offset {}: tensor {}: {} columns and {} rows, expected {} columns and {} rows", tensor->file,
        tensor->offset, name, tensor->columns, tensor->rows, shape.columns, shape.rows);
  }
  if (!tensor->type && !tensor->is_f8) {
    return unimplemented("{}: offset {}: tensor {}: type {} is not read", tensor->file, tensor->offset, name,
                         tensor->type_name);
  }
  if (tensor->is_f8 && tensor->scales == nullptr) {
    return not_found("{}: offset {}: tensor {}: F8 without its {}_scale_inv", tensor->file, tensor->offset,
                     name, name);
  }
  return tensor;
}

// The stored index of our dimension i of d that RoPE turns.
int interleaved(int i, int d) {
  const int half = d / 2;
  return 2 * (i % half) + i / half;
}

}  // namespace

Result<PartRows> find_part(const Part& part, const ModelConfig& config, const PartNames& names,
                           const StoredTensors& stored, const std::string& label) {
  PartRows out;
  out.order = names.order;
  out.is_converted = names.order == RowOrder::kKvBKey;
  const Shape shape = expected_shape(part, config, names);
  const bool is_vector = part.kind == PartKind::kVector;
  for (const std::string& name : names.tensors) {
    ADIT_TRY(const StoredTensor* tensor, find_tensor(name, shape, is_vector, stored, label));
    const bool same = out.tensors.empty() || tensor->type == out.tensors[0]->type;
    out.is_converted = out.is_converted || !same || tensor->is_f8;
    out.tensors.push_back(tensor);
  }
  if (!part.has_bias) return out;
  const Shape bias{1, static_cast<std::uint64_t>(part.m)};
  ADIT_TRY(out.bias, find_tensor(names.bias, bias, true, stored, label));
  return out;
}

StoredRow locate(const PartRows& rows, const Part& part, const ModelConfig& config, int row) {
  const MlaShape& mla = config.mla;
  const int each = part.m / static_cast<int>(rows.tensors.size());
  const StoredTensor* tensor = rows.tensors[static_cast<std::size_t>(row / each)];
  int at = row % each;
  switch (rows.order) {
    case RowOrder::kPlain:
      break;
    case RowOrder::kInterleavedHeads: {
      const int in_head = at % config.head_dim;
      at += interleaved(in_head, config.head_dim) - in_head;
      break;
    }
    case RowOrder::kMlaQuery: {
      const int turned = at % config.head_dim - mla.nope_dim;
      if (turned >= 0) at += interleaved(turned, mla.rope_dim) - turned;
      break;
    }
    case RowOrder::kMlaLatent: {
      const int turned = at - mla.kv_rank;
      if (turned >= 0) at += interleaved(turned, mla.rope_dim) - turned;
      break;
    }
    case RowOrder::kKvBValue:
      at = at / mla.v_dim * (mla.nope_dim + mla.v_dim) + mla.nope_dim + at % mla.v_dim;
      break;
    case RowOrder::kKvBKey:
      at = at / mla.kv_rank * (mla.nope_dim + mla.v_dim);
      break;
    case RowOrder::kGateOfBoth:
      at += at / config.moe.ffn * config.moe.ffn;
      break;
    case RowOrder::kUpOfBoth:
      at += (at / config.moe.ffn + 1) * config.moe.ffn;
      break;
  }
  return {tensor, static_cast<std::uint64_t>(at)};
}

}  // namespace adit::model
