// SPDX-License-Identifier: MIT
// common/model/step_plan.hpp
//
// What one forward step computes: rows of several sequences, flat, and how their attention is cut up.
//
// In       segments: each a run of consecutive positions of one sequence; a sequence at most once.
// Out      rows in segment order; `wanted` rows are those at or after their segment's first_wanted: only they
//          go through the last layer's attention and feed-forward and through the head. Neighbouring segments with
//          the same adapter are one run.
// Threads  a plain value, built by one thread and read by many.
// Tests    tests/unit/common/model/forward_test.cpp
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "common/base/strong.hpp"
#include "common/model/adapter.hpp"
#include "common/model/kv_cache.hpp"
#include "common/proof/trace.hpp"

namespace adit::model {

struct Segment {
  KvCache* cache = nullptr;
  // May be null: then no leaves are appended.
  proof::TraceBuilder* trace = nullptr;
  int first_position = 0;
  std::span<const TokenId> tokens;
  // A position; INT_MAX for none.
  int first_wanted = 0;
  // Null: the model as it is. Made for the model's pack.
  const Adapter* adapter = nullptr;
};

struct PlanRow {
  int segment = 0;
  int position = 0;
  TokenId token = 0;
};

// Attention of `count` consecutive rows for query heads [head, head + heads) of one kv head.
struct AttentionUnit {
  int segment = 0;
  // Row of the step, and of the output: the same in all layers but the last, where only wanted rows count.
  int row = 0;
  int out_row = 0;
  int count = 0;
  int kv_head = 0;
  int head = 0;
  int heads = 0;
};

// Consecutive rows [begin, end) that one adapter belongs to, and those of the wanted rows.
struct AdapterRun {
  const Adapter* adapter = nullptr;
  int begin = 0;
  int end = 0;
  int wanted_begin = 0;
  int wanted_end = 0;
};

class StepPlan {
 public:
  struct Shape {
    int heads = 0;
    int kv_heads = 0;
    int threads = 1;
  };
  void build(const Shape& shape, std::span<const Segment> segments);

  [[nodiscard]] int rows() const { return static_cast<int>(rows_.size()); }
  [[nodiscard]] int wanted() const { return static_cast<int>(wanted_.size()); }
  [[nodiscard]] const PlanRow& row(int index) const { return rows_[static_cast<std::size_t>(index)]; }
  // The step's row of wanted row i.
  [[nodiscard]] int wanted_row(int index) const { return wanted_[static_cast<std::size_t>(index)]; }
  [[nodiscard]] std::span<const Segment> segments() const { return segments_; }
  [[nodiscard]] const Segment& segment_of(int row_index) const {
    return segments_[static_cast<std::size_t>(row(row_index).segment)];
  }
  // The step's first row of a segment.
  [[nodiscard]] int first_row(int segment) const { return first_rows_[static_cast<std::size_t>(segment)]; }
  [[nodiscard]] std::span<const AttentionUnit> units(bool last_layer) const {
    return last_layer ? last_units_ : units_;
  }
  // Rows without an adapter are in none.
  [[nodiscard]] std::span<const AdapterRun> runs() const { return runs_; }
  // The most keys that a row of this step sees.
  [[nodiscard]] int keys_max() const { return keys_max_; }

 private:
  void add_run(const Adapter* adapter, int count, int wanted);
  void add_units(const Shape& shape, AttentionUnit rows, std::vector<AttentionUnit>& out) const;

  std::vector<Segment> segments_;
  std::vector<PlanRow> rows_;
  std::vector<int> wanted_;
  std::vector<int> first_rows_;
  std::vector<AdapterRun> runs_;
  std::vector<AttentionUnit> units_;
  std::vector<AttentionUnit> last_units_;
  int keys_max_ = 0;
};

// Query rows that share the keys they load.
inline constexpr int kAttentionRows = 16;

}  // namespace adit::model
