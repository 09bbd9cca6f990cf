// SPDX-License-Identifier: MIT
#include "common/model/leaf_table.hpp"

#include <algorithm>
#include <cstring>

#include "common/base/check.hpp"
#include "kernels/attention/attention.h"
#include "kernels/hash/hash_rows.h"

namespace adit::model {
namespace {

using kernels::kDigestBytes;
using kernels::kKeyBlock;

// Rows hashed by one call.
constexpr int kHashRows = 64;

// K || V of positions [first, first + count), all in one block of 32, to out [count][2][head_dim].
void gather_block(const KvCache& cache, int layer, int head, int head_dim, int first, int count,
                  std::uint16_t* out) {
  const auto dim = static_cast<std::size_t>(head_dim);
  const int begin = first % kKeyBlock;
  const std::uint16_t* k = cache.keys(layer, head, first) + begin;
  const std::uint16_t* v = cache.values(layer, head, first) + static_cast<std::size_t>(begin) * dim;
  const auto rows = static_cast<std::size_t>(count);
  for (std::size_t d = 0; d < dim; ++d) {
    for (std::size_t i = 0; i < rows; ++i) out[i * 2 * dim + d] = k[d * kKeyBlock + i];
  }
  for (std::size_t i = 0; i < rows; ++i) {
    std::memcpy(out + (i * 2 + 1) * dim, v + i * dim, dim * sizeof(std::uint16_t));
  }
}

// The same of an int8 cache, to out [count][codes of K | scale | codes of V | scale].
void gather_int8(const KvCache& cache, int layer, int head, int head_dim, int first, int count,
                 std::uint16_t* out) {
  const auto dim = static_cast<std::size_t>(head_dim);
  const std::size_t half = dim + sizeof(float);
  const auto* k = reinterpret_cast<const std::uint8_t*>(cache.keys(layer, head, first));
  const auto* v = reinterpret_cast<const std::uint8_t*>(cache.values(layer, head, first));
  auto* bytes = reinterpret_cast<std::uint8_t*>(out);
  const auto begin = static_cast<std::size_t>(first % kKeyBlock);
  const auto rows = static_cast<std::size_t>(count);
  for (std::size_t d = 0; d < dim; ++d) {
    for (std::size_t i = 0; i < rows; ++i) bytes[i * 2 * half + d] = k[d * kKeyBlock + begin + i];
  }
  for (std::size_t i = 0; i < rows; ++i) {
    const std::size_t scale = kernels::kv_scale_at(first + static_cast<int>(i), head_dim);
    std::uint8_t* row = bytes + i * 2 * half;
    std::memcpy(row + dim, k + scale, sizeof(float));
    std::memcpy(row + half, v + (begin + i) * dim, dim);
    std::memcpy(row + half + dim, v + scale, sizeof(float));
  }
}

// The cached row of one position of an MLA model.
void gather_latent(const KvCache& cache, const ModelConfig& config, int layer, int position,
                   std::uint16_t* out) {
  const int cells = config.mla.kv_rank + config.mla.rope_dim;
  std::memcpy(out, cache.latent_row(layer, position), static_cast<std::size_t>(cells) * sizeof(std::uint16_t));
  if (config.indexer.top_k == 0) return;
  const int dim = config.indexer.head_dim;
  const std::uint8_t* block = cache.index_block(layer, position);
  auto* bytes = reinterpret_cast<std::uint8_t*>(out + cells);
  std::memcpy(bytes, block + kernels::index_key_at(position, dim), static_cast<std::size_t>(dim));
  std::memcpy(bytes + dim, block + kernels::index_scale_at(position, dim), sizeof(float));
}

std::size_t leaf_cells(const ModelConfig& config, KvForm form) {
  if (form == KvForm::kI8) return static_cast<std::size_t>(config.head_dim) + sizeof(float);
  if (!config.is_mla()) return static_cast<std::size_t>(2 * config.head_dim);
  const int index = config.indexer.top_k > 0 ? config.indexer.head_dim / 2 + 2 : 0;
  return static_cast<std::size_t>(config.mla.kv_rank + config.mla.rope_dim + index);
}

}  // namespace

LeafTable::LeafTable(const ModelConfig& config, kernels::Isa isa, int rows_max, int threads, KvForm form)
    : config_(config),
      shape_{config.layers, config.kv_heads},
      isa_(isa),
      form_(form),
      kv_cells_(leaf_cells(config, form)),
      leaves_(static_cast<std::size_t>(rows_max) * proof::lane_count(shape_) * kDigestBytes),
      history_(static_cast<std::size_t>(config.layers * config.hidden) *
               static_cast<std::size_t>(std::min(rows_max, kDeferredRows))),
      kept_(config.is_mla() ? 0
                            : static_cast<std::size_t>(config.layers * config.kv_heads) * kv_cells_ *
                                  static_cast<std::size_t>(std::min(rows_max, kDeferredRows))) {
  for (int worker = 0; worker < threads; ++worker) {
    Scratch& scratch = scratch_.emplace_back();
    scratch.rows = AlignedArray<std::uint16_t>(kHashRows * kv_cells_);
    scratch.digests = AlignedArray<std::uint8_t>(kHashRows * kDigestBytes);
    scratch.places.reserve(kHashRows);
  }
}

void LeafTable::begin(const StepPlan& plan) { plan_ = &plan; }

std::uint8_t* LeafTable::leaf(int row, std::size_t lane) {
  return leaves_.data() + (static_cast<std::size_t>(row) * proof::lane_count(shape_) + lane) * kDigestBytes;
}

void LeafTable::residual(int worker, int layer, const float* x, int begin, int end) {
  const auto hidden = static_cast<std::size_t>(config_.hidden);
  const float* from = x + static_cast<std::size_t>(begin) * hidden;
  if (!is_deferred()) {
    hash_residual(worker, from, layer, begin, end - begin);
    return;
  }
  float* kept = history_.data() + static_cast<std::size_t>(layer * plan_->rows() + begin) * hidden;
  std::memcpy(kept, from, static_cast<std::size_t>(end - begin) * hidden * sizeof(float));
}

template <class LeafOf>
void LeafTable::hash_each(int worker, const char* domain, const void* rows, std::size_t bytes,
                          std::size_t count, const LeafOf& leaf_of) {
  std::uint8_t* digests = scratch_[static_cast<std::size_t>(worker)].digests.data();
  const auto* from = static_cast<const std::uint8_t*>(rows);
  for (std::size_t first = 0; first < count; first += kHashRows) {
    const std::size_t here = std::min(std::size_t{kHashRows}, count - first);
    kernels::hash_rows(isa_, domain, from + first * bytes, bytes, bytes, here, digests);
    for (std::size_t i = 0; i < here; ++i) {
      std::uint8_t* to = leaf_of(first + i);
      if (to != nullptr) std::memcpy(to, digests + i * kDigestBytes, kDigestBytes);
    }
  }
}

// `count` rows from x on, the first being row `row` of `layer`; rows of further layers may follow.
void LeafTable::hash_residual(int worker, const float* x, int layer, int row, int count) {
  const auto leaf_of = [&](std::size_t i) -> std::uint8_t* {
    const int at = row + static_cast<int>(i);
    const int layer_of = layer + at / plan_->rows();
    const int row_of = at % plan_->rows();
    const std::size_t lane = proof::residual_lane(shape_, layer_of);
    if (layer_of < config_.layers - 1) return leaf(row_of, lane);
    return row_of < plan_->wanted() ? leaf(plan_->wanted_row(row_of), lane) : nullptr;
  };
  hash_each(worker, proof::kResidualDomain, x, static_cast<std::size_t>(config_.hidden) * sizeof(float),
            static_cast<std::size_t>(count), leaf_of);
}

void LeafTable::keep_keys_values(int layer, int row, int head) {
  const auto gather = form_ == KvForm::kI8 ? gather_int8 : gather_block;
  gather(*plan_->segment_of(row).cache, layer, head, config_.head_dim, plan_->row(row).position, 1,
         kept_.data() + kept_at(layer, row, head));
}

void LeafTable::keys_values(int worker, int layer, int begin, int end) {
  add_keys_values(worker, layer, begin, end);
  flush_keys_values(worker);
}

void LeafTable::flush_keys_values(int worker) {
  Scratch& scratch = scratch_[static_cast<std::size_t>(worker)];
  hash_each(worker, proof::kKvDomain, scratch.rows.data(), kv_cells_ * sizeof(std::uint16_t), scratch.places.size(),
            [&](std::size_t i) { return leaf(scratch.places[i].row, scratch.places[i].lane); });
  scratch.places.clear();
}

void LeafTable::add_latent(int worker, int layer, int begin, int end) {
  Scratch& scratch = scratch_[static_cast<std::size_t>(worker)];
  for (int row = begin; row < end; ++row) {
    if (scratch.places.size() == kHashRows) flush_keys_values(worker);
    gather_latent(*plan_->segment_of(row).cache, config_, layer, plan_->row(row).position,
                  scratch.rows.data() + scratch.places.size() * kv_cells_);
    scratch.places.push_back({row, proof::kv_lane(shape_, layer, 0)});
  }
}

void LeafTable::add_keys_values(int worker, int layer, int begin, int end) {
  if (config_.is_mla()) return add_latent(worker, layer, begin, end);
  Scratch& scratch = scratch_[static_cast<std::size_t>(worker)];
  for (int row = begin; row < end;) {
    // The rows of one segment that stand in one block of 32 positions.
    const PlanRow& first = plan_->row(row);
    int count = 1;
    while (row + count < end && plan_->row(row + count).segment == first.segment &&
           (first.position + count) % kKeyBlock != 0) {
      ++count;
    }
    for (int head = 0; head < config_.kv_heads; ++head) {
      if (scratch.places.size() + static_cast<std::size_t>(count) > kHashRows) flush_keys_values(worker);
      const auto gather = form_ == KvForm::kI8 ? gather_int8 : gather_block;
      gather(*plan_->segment_of(row).cache, layer, head, config_.head_dim, first.position, count,
             scratch.rows.data() + scratch.places.size() * kv_cells_);
      for (int i = 0; i < count; ++i) {
        scratch.places.push_back({row + i, proof::kv_lane(shape_, layer, head)});
      }
    }
    row += count;
  }
}

void LeafTable::finish_layers(int worker, int begin, int end) {
  const int rows = plan_->rows();
  const auto offset = static_cast<std::size_t>(begin * rows) * static_cast<std::size_t>(config_.hidden);
  hash_residual(worker, history_.data() + offset, begin, 0, (end - begin) * rows);
  if (!config_.is_mla()) return hash_kept(worker, begin, end);
  for (int layer = begin; layer < end; ++layer) add_latent(worker, layer, 0, rows);
  flush_keys_values(worker);
}

void LeafTable::hash_kept(int worker, int begin, int end) {
  const int heads = config_.kv_heads;
  const int of_layer = plan_->rows() * heads;
  const auto leaf_of = [&](std::size_t i) {
    const int at = begin * of_layer + static_cast<int>(i);
    return leaf(at % of_layer / heads, proof::kv_lane(shape_, at / of_layer, at % heads));
  };
  hash_each(worker, proof::kKvDomain, kept_.data() + kept_at(begin, 0, 0), kv_cells_ * sizeof(std::uint16_t),
            static_cast<std::size_t>((end - begin) * of_layer), leaf_of);
}

void LeafTable::append(int segment) const {
  const Segment& part = plan_->segments()[static_cast<std::size_t>(segment)];
  const std::size_t row_bytes = proof::lane_count(shape_) * kDigestBytes;
  const std::uint8_t* leaves = leaves_.data() + static_cast<std::size_t>(plan_->first_row(segment)) * row_bytes;
  for (std::size_t i = 0; i < part.tokens.size(); ++i) {
    const int position = part.first_position + static_cast<int>(i);
    if (part.trace != nullptr)
      part.trace->append(static_cast<std::uint32_t>(position), leaves + i * row_bytes);
    std::uint8_t* kept = part.cache->leaves(position);
    if (kept == nullptr) continue;
    std::memcpy(kept + static_cast<std::size_t>(position % kKeyBlock) * row_bytes, leaves + i * row_bytes,
                row_bytes);
  }
}

}  // namespace adit::model
