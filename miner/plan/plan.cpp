// SPDX-License-Identifier: MIT
#include "miner/plan/plan.hpp"

#include <algorithm>

#include "common/model/model_parts.hpp"
#include "common/model/pack_format.hpp"
#include "common/model/safetensors.hpp"
#include "kernels/indexer/indexer.h"
#include "kernels/linear/params.h"
#include "miner/plan/cards.hpp"

namespace adit::miner {
namespace {

using kernels::ScaleGroup;
using kernels::WeightForm;
using model::Part;
using model::PartKind;
using model::PartRole;

constexpr std::uint64_t kF16Bytes = 2;

std::uint64_t u(int value) {
  return static_cast<std::uint64_t>(value);
}

// What the packer chooses: the layers' linears in 4 bits, embedding and head in 8.
WeightForm form_of(const Part& part, int bits) {
  return bits == 4 && part.layer >= 0 ? WeightForm::kU4 : WeightForm::kI8;
}

bool is_routed(PartRole role) {
  return role == PartRole::kExpertsGate || role == PartRole::kExpertsUp || role == PartRole::kExpertsDown;
}

std::uint64_t bytes_of(const Part& part, int bits, ScaleGroup group) {
  std::uint64_t total = 0;
  for (const auto& tensor : model::part_tensors(part, form_of(part, bits), group)) {
    std::uint64_t bytes = model::safetensors::dtype_bytes(tensor.dtype);
    for (const std::uint64_t dim : tensor.shape) bytes *= dim;
    total += bytes;
  }
  return total;
}

// Of `whole`, a part's bytes or weights, what one token reads.
std::uint64_t read_of(const model::ModelConfig& config, const Part& part, std::uint64_t whole) {
  if (part.role == PartRole::kEmbedding && !config.tied_head) return whole / u(part.m);
  if (is_routed(part.role)) return whole / u(config.moe.experts) * u(config.moe.per_token);
  return whole;
}

PackSize pack_size(const model::ModelConfig& config, const std::vector<Part>& parts, int bits,
                   ScaleGroup group) {
  PackSize out{.bits = bits};
  std::vector<model::safetensors::Tensor> all;
  for (const Part& part : parts) {
    out.token_bytes += read_of(config, part, bytes_of(part, bits, group));
    for (auto& tensor : model::part_tensors(part, form_of(part, bits), group)) all.push_back(std::move(tensor));
  }
  const auto placed = model::safetensors::place(std::move(all));
  if (!placed.empty()) out.bytes = placed.back().offset + placed.back().bytes;
  return out;
}

}  // namespace

Footprint footprint(const model::ModelConfig& config, ScaleGroup group, model::KvForm kv) {
  Footprint out;
  const std::vector<Part> parts = model::model_parts(config);
  for (const Part& part : parts) {
    const bool is_stored = part.kind == PartKind::kLinear || part.kind == PartKind::kMatrix;
    if (is_stored) out.weights += u(part.m) * u(part.k);
  }
  out.active_weights = model::active_weights(config);
  out.packs[kEightBit] = pack_size(config, parts, 8, group);
  out.packs[kFourBit] = pack_size(config, parts, 4, group);
  const std::uint64_t layers = u(config.layers);
  if (config.is_mla()) {
    out.kv_position_bytes = layers * u(config.mla.kv_rank + config.mla.rope_dim) * kF16Bytes;
  } else {
    const std::uint64_t row = kv == model::KvForm::kI8 ? u(config.head_dim) + sizeof(float)
                                                       : u(config.head_dim) * kF16Bytes;
    out.kv_position_bytes = layers * u(config.kv_heads) * 2 * row;
  }
  if (config.indexer.top_k > 0) {
    out.kv_rows_max = u(config.indexer.top_k);
    out.index_position_bytes =
        layers * kernels::index_block_bytes(config.indexer.head_dim) / kernels::kKeyBlock;
  }
  return out;
}

std::uint64_t kv_bytes(const Footprint& size, std::uint64_t positions) {
  return positions * (size.kv_position_bytes + size.index_position_bytes);
}

DevicePlan plan_device(const model::ModelConfig& config, const Footprint& size, const Device& device,
                       std::uint64_t context, double source_bits) {
  DevicePlan out{.device = device, .packs = {}, .recommended = 0};
  const std::uint64_t position = size.kv_position_bytes + size.index_position_bytes;
  const std::uint64_t rows = size.kv_rows_max > 0 ? std::min(size.kv_rows_max, context) : context;
  const std::uint64_t read_kv = rows * size.kv_position_bytes + context * size.index_position_bytes;
  for (std::size_t i = 0; i < size.packs.size(); ++i) {
    const PackSize& pack = size.packs[i];
    PackPlan& plan = out.packs[i];
    const std::uint64_t fixed = pack.bytes + device.overhead_bytes;
    if (fixed < device.memory_bytes) {
      plan.context_max =
          std::min((device.memory_bytes - fixed) / std::max<std::uint64_t>(1, position), u(config.context));
    }
    plan.fits = plan.context_max >= context;
    plan.tokens_per_second =
        kBandwidthShare * device.bytes_per_second / static_cast<double>(pack.token_bytes + read_kv);
  }
  const PackPlan& eight = out.packs[kEightBit];
  const bool is_worth_eight = source_bits == 0 || source_bits > kFourBitSource;
  if (eight.fits && is_worth_eight && eight.tokens_per_second >= kComfortable) {
    out.recommended = 8;
  } else if (out.packs[kFourBit].fits) {
    out.recommended = 4;
  }
  return out;
}

std::vector<Device> card_devices() {
  std::vector<Device> out;
  for (const Card& card : cards()) {
    out.push_back({.name = std::string(card.name),
                   .memory_bytes = static_cast<std::uint64_t>(card.memory_gib * (1ULL << 30)),
                   .bytes_per_second = card.bandwidth_gb * 1e9,
                   .overhead_bytes = kCardOverheadBytes});
  }
  return out;
}

}  // namespace adit::miner
