// SPDX-License-Identifier: MIT
// common/model/prune.hpp
//
// One-shot pruning: which weights of a linear become 0.
//
// In       rows of f32 weights; scores |w|, or for Wanda |w| * norm of the input column over a text.
// Out      N:M: of every M neighbouring columns of a row the N with the highest scores stay. Unstructured: of
//          each row the given share with the lowest scores goes. Block: of each row of blocks the given share
//          of blocks with the lowest sums of scores goes. Of equal scores the lower column stays.
// Exact    the same weights and norms give the same choice, whatever the threads. The norms come from the f32
//          reference, whose last bits depend on the processor.
// Errors   kInvalidArgument: a pattern that is none. Rows whose inputs were not seen (Wanda) go by magnitude.
// Threads  const after construction.
// Source   Sun et al. 2023, "A Simple and Effective Pruning Approach for Large Language Models" (Wanda)
// Tests    tests/unit/common/model/prune_test.cpp
#pragma once

#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "common/model/pack_writer.hpp"
#include "common/model/reference.hpp"

namespace adit::model {

enum class PruneKind { kNOfM, kUnstructured, kBlock };

struct PrunePattern {
  PruneKind kind = PruneKind::kNOfM;
  // kNOfM: n of every m stay.
  int n = 2;
  int m = 4;
  // kUnstructured, kBlock: the share that goes, 0..1.
  double share = 0.5;
  // kBlock.
  int block_rows = 16;
  int block_columns = 64;
};
// "2:4", "unstructured:0.5", "block:16x64:0.5".
[[nodiscard]] Result<PrunePattern> parse_pattern(std::string_view text);
// The storages that can be worth it for a pattern, dense first, then the fastest.
[[nodiscard]] std::vector<StorageForm> storages_of(const PrunePattern& pattern);

// The norms [k] that weigh a row's columns; nullptr or no function: magnitude.
using RowNorms = std::function<const float*(int row)>;
// Sets weights of rows [count][k] to 0.
void prune_rows(const PrunePattern& pattern, const RowNorms& norms, int count, int k, float* rows);

// The norms of every linear's input columns, added up over a run of the reference.
class ColumnNorms {
 public:
  // To be given to Reference::observe.
  void add(const Part& part, int first, const float* x, int n);
  // Once, after the last add.
  void finish();
  // Of a row of a linear, [k]; nullptr if what it reads has not been seen (W_UK, W_UV, experts without a token).
  [[nodiscard]] const float* of(const std::string& name, int row) const;

 private:
  // By the first of the rows that read the same inputs.
  struct Seen {
    std::vector<double> squares;
    std::vector<float> norms;
  };
  std::map<std::string, std::map<int, Seen>, std::less<>> seen_;
};

class Pruner final : public PruneStep {
 public:
  // Layers from..to (ends included); norms: nullptr for magnitude.
  Pruner(const PrunePattern& pattern, int first_layer, int last_layer, const ColumnNorms* norms,
         std::vector<StorageForm> storages)
      : pattern_(pattern), first_(first_layer), last_(last_layer), norms_(norms), storages_(std::move(storages)) {}
  // Linears of the layers; never the embedding and the head.
  [[nodiscard]] bool prunes(const Part& part) const override {
    return part.kind == PartKind::kLinear && part.layer >= first_ && part.layer <= last_;
  }
  [[nodiscard]] Result<void> apply(const Part& part, int begin, int count, float* rows) const override;
  [[nodiscard]] std::span<const StorageForm> storages() const override { return storages_; }

 private:
  PrunePattern pattern_;
  int first_;
  int last_;
  const ColumnNorms* norms_;
  std::vector<StorageForm> storages_;
};

}  // namespace adit::model
