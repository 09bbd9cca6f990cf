// SPDX-License-Identifier: MIT
// common/model/forward_mla.hpp
//
// What a forward pass keeps for layers with multi-head latent attention.
//
// Shapes   all row buffers are [rows][width].
// Threads  as forward_pass.hpp: written by stages, read after a barrier.
// Source   kernels/NUMERICS.md, "Latent attention", "Token selection"
// Tests    tests/unit/common/model/deepseek_test.cpp
#pragma once

#include <cstdint>
#include <vector>

#include "common/model/aligned_array.hpp"
#include "common/model/forward_pass.hpp"

namespace adit::model {

// Query heads that share the loaded rows of one unit of work: a divisor of `heads`, at most 16, and so few that a
// lone row gives every thread a unit.
[[nodiscard]] int latent_group(int heads, int threads);

struct Forward::Pass::Latent {
  Latent(const ModelConfig& config, const ForwardOptions& options);
  void prepare(const Pack& pack, const StepPlan& plan, kernels::Isa isa);

  // Widths of the first linears' outputs, side by side: q_a or q, kv_a, index_k, index_w.
  int q_in = 0;
  int kv_in = 0;
  int index_k = 0;
  int index_w = 0;
  int cells = 0;
  float scale = 0;

  AlignedArray<float> inputs;   // [rows][q_in | kv_in | index_k | index_w]
  AlignedArray<float> q;        // [rows][heads][head_dim], if queries have a rank of their own
  AlignedArray<float> query;    // [rows][heads][cells], latent
  AlignedArray<float> output;   // [rows][heads][kv_rank], latent
  AlignedArray<float> index_q;  // [rows][index heads][index dim]
  // The same as integers, and the heads' weights.
  std::vector<std::int8_t> index_int8;
  std::vector<std::int32_t> index_weights;
  // [rows][keys_max]: steps of few rows, whose scores are made by all threads together.
  std::vector<float> scores;
  kernels::ActBuffer q_a;
  // [rows][top_k]: the positions of rows that see more than top_k.
  std::vector<std::int32_t> chosen;

  struct Worker {
    // One head of all rows.
    kernels::ActBuffer head;
    std::vector<float> attention;
    // The indexer.
    std::vector<float> scales;
    std::vector<float> scores;
    std::vector<std::uint8_t> scratch;
  };
  std::vector<Worker> workers;
  struct Piles {
    WorkPile q_b, heads, index_rows, index_scores, top_k, out_heads;
  };
  std::vector<Piles> piles;

  [[nodiscard]] int width() const { return q_in + kv_in + index_k + index_w; }
};

}  // namespace adit::model
