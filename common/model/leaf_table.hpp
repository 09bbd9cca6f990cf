// SPDX-License-Identifier: MIT
// common/model/leaf_table.hpp
//
// The trace leaves of one forward step: hashes of the residual rows and of the keys and values it computed.
//
// In       begin() with the step's plan; then residual rows as layers finish, and keys and values as stored.
// Shapes   residual rows [n][hidden] f32; leaves [row][lane][32]. A key-value leaf hashes K || V of one kv head
//          (f16; int8: K's codes and scale, then V's); MLA: the latent row (f16), then the indexer's key (int8) and its scale (f32), if there is one.
// Exact    a leaf depends on its row's bytes only, not on when or with what else it was hashed.
// Threads  calls for distinct rows, or distinct layers, may run side by side.
// Source   design: receipts and audit, "Trace"
// Tests    tests/unit/common/model/forward_test.cpp
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "common/model/aligned_array.hpp"
#include "common/model/model_config.hpp"
#include "common/model/step_plan.hpp"
#include "common/proof/trace.hpp"
#include "kernels/core/isa.h"

namespace adit::model {

// Steps of at most this many rows are hashed after their last layer, all layers side by side.
inline constexpr int kDeferredRows = 16;

class LeafTable {
 public:
  LeafTable(const ModelConfig& config, kernels::Isa isa, int rows_max, int threads,
            KvForm form = KvForm::kF16);

  void begin(const StepPlan& plan);
  // Whether residual rows are only kept by residual() and hashed by finish_layers().
  [[nodiscard]] bool is_deferred() const { return plan_->rows() <= kDeferredRows; }

  // Rows [begin, end) of layer `layer`: x [..][hidden] holds the step's row i at x + i * hidden, or, for the
  // last layer, the wanted row i.
  void residual(int worker, int layer, const float* x, int begin, int end);
  // Deferred steps: keeps a row's key and value of one kv head, just stored. (An MLA model's rows stay in the cache.)
  void keep_keys_values(int layer, int row, int head);
  // Other steps: keys and values of the step's rows [begin, end).
  void keys_values(int worker, int layer, int begin, int end);
  // Deferred steps: everything of layers [begin, end).
  void finish_layers(int worker, int begin, int end);
  // Appends the leaves of one segment's rows to its trace, and keeps them where its cache keeps leaves.
  void append(int segment) const;

 private:
  [[nodiscard]] std::uint8_t* leaf(int row, std::size_t lane);
  // Hashes `count` rows of `bytes` each, one after another; leaf_of(i) says where the digest of row i goes, null: nowhere.
  template <class LeafOf>
  void hash_each(int worker, const char* domain, const void* rows, std::size_t bytes, std::size_t count,
                 const LeafOf& leaf_of);
  void hash_residual(int worker, const float* x, int layer, int row, int count);
  void hash_kept(int worker, int begin, int end);
  void add_keys_values(int worker, int layer, int begin, int end);
  void add_latent(int worker, int layer, int begin, int end);
  void flush_keys_values(int worker);
  // Of `kept_`.
  [[nodiscard]] std::size_t kept_at(int layer, int row, int head) const {
    return static_cast<std::size_t>((layer * plan_->rows() + row) * config_.kv_heads + head) * kv_cells_;
  }

  ModelConfig config_;
  proof::TraceShape shape_;
  kernels::Isa isa_;
  KvForm form_;
  // Cells of 2 bytes that one key-value leaf hashes.
  std::size_t kv_cells_;
  const StepPlan* plan_ = nullptr;
  AlignedArray<std::uint8_t> leaves_;
  // [layer][row][hidden] of a deferred step.
  AlignedArray<float> history_;
  // [layer][row][kv head][kv_cells_] of a deferred step.
  AlignedArray<std::uint16_t> kept_;
  struct Place {
    int row = 0;
    std::size_t lane = 0;
  };
  // Rows gathered for the next call of hash_rows, and where their digests go.
  struct Scratch {
    AlignedArray<std::uint16_t> rows;
    AlignedArray<std::uint8_t> digests;
    std::vector<Place> places;
  };
  std::vector<Scratch> scratch_;
};

}  // namespace adit::model
