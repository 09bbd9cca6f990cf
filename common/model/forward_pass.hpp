// SPDX-License-Identifier: MIT
// common/model/forward_pass.hpp
//
// The inside of Forward: its buffers, and the stages of a layer as every worker runs them.
//
// In       as forward.hpp.
// Shapes   all row buffers are [rows][width]; the last layer's second half works on wanted rows only.
// Threads  worker functions run on all workers at once and meet at barriers. Steps of few rows are
//          replicated: each worker keeps its own residual rows and computes norms and quantisation for
//          itself, which is cheaper than meeting. Wider steps split rows.
// Source   kernels/NUMERICS.md
// Tests    tests/unit/common/model/forward_test.cpp
#pragma once

#include <array>
#include <atomic>
#include <initializer_list>
#include <memory>
#include <span>
#include <vector>

#include "common/model/aligned_array.hpp"
#include "common/model/forward.hpp"
#include "common/model/leaf_table.hpp"
#include "common/model/share_pile.hpp"
#include "common/model/step_plan.hpp"
#include "common/model/thread_team.hpp"
#include "common/model/work_pile.hpp"
#include "kernels/linear/linear.h"

namespace adit::model {

// Steps of at most this many rows are replicated on every worker.
inline constexpr int kReplicatedRows = 4;

// Readers of one row whose low-rank rows are held at once.
inline constexpr std::size_t kReadersMax = 4;

class Forward::Pass {
 public:
  Pass(const Pack& pack, const ForwardOptions& options);
  ~Pass();

  [[nodiscard]] Result<void> step(std::span<const Segment> segments);
  [[nodiscard]] Result<const float*> logits(int first, int count);
  [[nodiscard]] const StepPlan& plan() const { return plan_; }
  [[nodiscard]] const ForwardOptions& options() const { return options_; }
  [[nodiscard]] const ModelConfig& config() const { return pack_.config(); }
  [[nodiscard]] ThreadTeam& team() { return team_; }

 private:
  // The rows between A and B, quantised: by run of the plan, then reader of the row.
  using LowRows = std::vector<std::array<kernels::ActBuffer, kReadersMax>>;
  // A quantised row in either form; each linear says which one it reads.
  struct Act {
    kernels::ActBuffer a16;
    kernels::ActBuffer a8;
    [[nodiscard]] kernels::ActBuffer& of(const kernels::LinearWeights& reader) {
      return reader.act == kernels::ActForm::kA16 ? a16 : a8;
    }
  };
  // Quantised inputs of the linears that read the hidden row, the attention's output and the gated unit.
  struct Acts {
    Act hidden;
    Act attention;
    Act gated;
  };
  // The `count` rows of one buffer as adapters see them: the first is row `first` of the step, or of the wanted
  // rows; what their A gave lies in `low`.
  struct AdaptedRows {
    LowRows& low;
    int layer = -1;
    bool is_wanted = false;
    int count = 0;
    int first = 0;
  };
  // What one worker owns. In a shared step all workers use worker 0's rows and acts.
  struct Worker {
    AlignedArray<float> x;       // [rows][hidden], residual
    AlignedArray<float> last_x;  // [rows][hidden], residual of the wanted rows in the last layer
    AlignedArray<float> norm;    // [rows][hidden]
    Acts acts;
    Acts last_acts;
    LowRows low;
    std::vector<float> scratch;  // attention
    std::vector<float> low_scratch;
  };

  [[nodiscard]] Result<void> check(std::span<const Segment> segments) const;
  void prepare(std::span<const Segment> segments);
  void prepare_act(Act& act, int rows, int width) const;
  void prepare_acts(Acts& acts, int rows) const;

  // Worker w's rows and state for stages that go by rows.
  [[nodiscard]] Worker& mine(int w) { return workers_[is_replicated_ ? static_cast<std::size_t>(w) : 0]; }
  [[nodiscard]] Share my_rows(int w, int rows) const {
    return is_replicated_ ? Share{0, rows} : share_of(rows, team_.size(), w);
  }
  // Worker w's rows as adapters see them, all or the wanted ones.
  [[nodiscard]] AdaptedRows adapted(int w, int layer, bool is_wanted) {
    return {mine(w).low, layer, is_wanted, is_wanted ? plan_.wanted() : plan_.rows()};
  }
  // The same for buffers that all workers share in every step.
  [[nodiscard]] AdaptedRows adapted_shared(int layer, bool is_wanted) {
    return {workers_[0].low, layer, is_wanted, is_wanted ? plan_.wanted() : plan_.rows()};
  }
  // A barrier that only shared steps need.
  void meet_if_shared(int w) {
    if (!is_replicated_) team_.barrier(w);
  }

  void run(int w);
  void embed(int w);
  void attention_inputs(int w, int layer);
  void rotate_and_store(int w, int layer);
  void rotate_heads(const LayerWeights& weights, float* q, float* k, const float* cosine,
                    const float* sine) const;
  void attend(int w, int layer);
  void attention_output(int w, int layer);
  void feed_forward(int w, int layer);
  // forward_mla.cpp: the stages of an MLA layer that stand for attention_inputs to attend.
  void latent_inputs(int w, int layer);
  void store_latent_row(int layer, int row);
  void latent_attention(int w, int layer);
  void latent_query(int w, int layer, int head);
  void index_query(int w, int row);
  void choose_positions(int w, int layer);
  void score_positions(int w, int layer, int row, Share positions, float* out);
  void attend_latent(int w, int layer, const AttentionUnit& unit);
  void latent_output(int w, int layer, int head);
  void multiply_side_by_side(WorkPile& pile, std::span<const kernels::LinearWeights* const> linears,
                             std::span<const PartRole> roles, const AdaptedRows& rows,
                             const kernels::ActBuffer& act, float* y, int ldy, int w);
  // forward_moe.cpp: the stages of a layer of experts, for feed_forward.
  void experts(int w, int layer);
  void choose_experts(int w, int layer, int count);
  void want_experts(int w, const LayerWeights& weights);
  void quantise_pairs(int w, const float* gate);
  void expert_gate_up(int w, int layer, const kernels::ActBuffer& act);
  void expert_down(int w, int layer);
  void add_experts(int w, int row, float* x);
  template <class Body>
  void take_experts(WorkPile& pile, int rows, Body&& body);
  // forward_adapters.cpp. lower: A of those `readers` of rows [rows) of `act` that an adapter has. raise: adds B to
  // tiles [tiles) of a reader's result.
  void prepare_low_rows(Worker& worker, bool has_rows);
  void lower(int w, const AdaptedRows& at, std::span<const PartRole> readers, const kernels::ActBuffer& act,
             Share rows) {
    if (!plan_.runs().empty()) lower_runs(w, at, readers, act, rows);
  }
  void lower(int w, const AdaptedRows& at, std::initializer_list<PartRole> readers,
             const kernels::ActBuffer& act, Share rows) {
    lower(w, at, std::span(readers.begin(), readers.size()), act, rows);
  }
  void raise(int w, const AdaptedRows& at, PartRole reader, float* y, int ldy, Share tiles) {
    if (!plan_.runs().empty()) raise_runs(w, at, reader, y, ldy, tiles);
  }
  void lower_runs(int w, const AdaptedRows& at, std::span<const PartRole> readers,
                  const kernels::ActBuffer& act, Share rows);
  void raise_runs(int w, const AdaptedRows& at, PartRole reader, float* y, int ldy, Share tiles);
  void finish_trace(int w);
  // x = x + added, if there is something to add, and the quantised norm of x.
  void normalise(Worker& worker, AlignedArray<float>& x, const float* added, const float* weight,
                 kernels::ActBuffer& act, Share rows);
  void quantise(const float* x, int width, kernels::ActBuffer& act, Share rows);
  // Tiles [tiles) of one linear; the worker reads on at `next`, or right behind them.
  void multiply(const kernels::LinearWeights& weights, const kernels::ActBuffer& act, float* y, int ldy,
                Share tiles, const kernels::NextTiles& next = {}) const;
  // Where worker w's share of a linear begins.
  [[nodiscard]] kernels::NextTiles start_of(const kernels::LinearWeights& weights, int w) const {
    // A layer of another family has no such linear.
    if (weights.q == nullptr) return {};
    return {&weights, share_of(kernels::tile_count(weights), team_.size(), w).begin};
  }
  [[nodiscard]] kernels::NextTiles start_of_layer(int layer, int w) const;
  // Waits for the others; meanwhile `next` comes nearer.
  void meet(int w, const kernels::NextTiles& next) {
    team_.barrier(w, next.weights == nullptr ? nullptr : kernels::tile_codes(*next.weights, next.tile));
  }
  // Whether a piece ends worker w's share of `count`.
  [[nodiscard]] bool is_end_of_share(Share piece, int count, int w) const {
    return piece.end == share_of(count, team_.size(), w).end;
  }
  [[nodiscard]] float* row_of(AlignedArray<float>& rows, int row, int width) const {
    return rows.data() + static_cast<std::size_t>(row) * static_cast<std::size_t>(width);
  }

  const Pack& pack_;
  ForwardOptions options_;
  ThreadTeam team_;
  StepPlan plan_;
  LeafTable leaves_;
  int qkv_width_ = 0;
  int attention_width_ = 0;
  float attention_scale_ = 0;
  bool is_replicated_ = false;
  // The forms that the pack's linears read.
  bool has_a16_ = false;
  bool has_a8_ = false;

  std::vector<Worker> workers_;
  AlignedArray<float> qkv_;        // [rows][q | k | v]
  AlignedArray<float> attention_;  // [rows][attention_width_]
  AlignedArray<float> projected_;  // [rows][hidden]
  AlignedArray<float> gate_;       // [rows][ffn]
  AlignedArray<float> up_;         // [rows][ffn]
  AlignedArray<float> cosine_;     // [rows][rope_dim / 2]
  AlignedArray<float> sine_;
  AlignedArray<float> head_norm_;  // [logits_rows_max][hidden]
  AlignedArray<float> logits_;     // [logits_rows_max][vocab]
  kernels::ActBuffer head_act_;
  // The work of the stages that have a barrier between them.
  SharePile pile_;
  // Stages of the other attention and feed-forward families, whose work is taken in pieces.
  struct LayerPiles {
    WorkPile qkv, attention, gate_up, down;
  };
  std::vector<LayerPiles> piles_;
  // Of models that have them.
  struct Latent;
  struct Experts;
  std::unique_ptr<Latent> latent_;
  std::unique_ptr<Experts> experts_;
  std::atomic<bool> is_finite_{true};
};

}  // namespace adit::model
