// SPDX-License-Identifier: MIT
// The stages of an MLA layer up to the attention's output, as every worker runs them.
#include "common/model/forward_mla.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>

#include "kernels/indexer/top_k.h"
#include "kernels/linear/tile_rows.h"
#include "kernels/mla/latent_attention.h"
#include "kernels/norm/rms_norm.h"
#include "kernels/ops/rows.h"
#include "kernels/rope/rope.h"

namespace adit::model {
namespace {

using kernels::LinearWeights;

constexpr int kGroupMax = 16;
// Positions that a thread scores at once for a step of few rows; a multiple of kKeyBlock.
constexpr int kIndexPiece = 1024;
// Those of the query latent.
constexpr std::array<PartRole, 2> kQueryReaders{PartRole::kAttnQB, PartRole::kIndexQB};

std::size_t cells_of(int rows, int width) {
  return static_cast<std::size_t>(rows) * static_cast<std::size_t>(width);
}

template <class T>
void grow(std::vector<T>& values, std::size_t count) {
  // Room for twice as much: it is not made again at every block of a growing sequence.
  if (values.size() < count) values.resize(2 * count);
}

}  // namespace

int latent_group(int heads, int threads) {
  int group = std::clamp(heads / threads, 1, kGroupMax);
  while (heads % group != 0) --group;
  return group;
}

Forward::Pass::Latent::Latent(const ModelConfig& c, const ForwardOptions& options)
    : workers(static_cast<std::size_t>(options.threads)), piles(static_cast<std::size_t>(c.layers)) {
  const int n = options.rows_max;
  const bool has_rank = c.mla.q_rank > 0;
  const bool has_index = c.indexer.top_k > 0;
  q_in = has_rank ? c.mla.q_rank : c.heads * c.head_dim;
  cells = kv_in = c.mla.kv_rank + c.mla.rope_dim;
  index_k = has_index ? c.indexer.head_dim : 0;
  index_w = has_index ? c.indexer.heads : 0;
  scale = static_cast<float>(c.rope.score_factor / std::sqrt(static_cast<double>(c.head_dim)));
  inputs = AlignedArray<float>(cells_of(n, width()));
  if (has_rank) q = AlignedArray<float>(cells_of(n, c.heads * c.head_dim));
  query = AlignedArray<float>(cells_of(n, c.heads * cells));
  output = AlignedArray<float>(cells_of(n, c.heads * c.mla.kv_rank));
  if (has_index) index_q = AlignedArray<float>(cells_of(n, c.indexer.heads * c.indexer.head_dim));
}

void Forward::Pass::Latent::prepare(const Pack& pack, const StepPlan& plan, kernels::Isa isa) {
  const ModelConfig& c = pack.config();
  const IndexerShape& x = c.indexer;
  const int group = latent_group(c.heads, static_cast<int>(workers.size()));
  const bool selects = x.top_k > 0 && plan.keys_max() > x.top_k;
  // A row that sees more than top_k attends to top_k.
  const int keys = selects ? x.top_k : plan.keys_max();
  for (Worker& worker : workers) {
    grow(worker.attention, kernels::latent_scratch_floats(kAttentionRows, group, cells, keys));
    if (!selects) continue;
    worker.scales.resize(static_cast<std::size_t>(x.heads));
    worker.scratch.resize(kernels::index_scratch_bytes(x.heads, x.head_dim));
    if (plan.rows() > kReplicatedRows) grow(worker.scores, static_cast<std::size_t>(plan.keys_max()));
  }
  if (selects) {
    chosen.resize(cells_of(plan.rows(), x.top_k));
    index_int8.resize(cells_of(plan.rows(), x.heads * x.head_dim));
    index_weights.resize(cells_of(plan.rows(), x.heads));
    if (plan.rows() <= kReplicatedRows) grow(scores, cells_of(plan.rows(), plan.keys_max()));
  }
  const LayerWeights& layer = pack.layers().front();
  if (c.mla.q_rank > 0) q_a.prepare(isa, layer.q_b.act, plan.rows(), c.mla.q_rank);
  for (Piles& p : piles) {
    for (WorkPile* pile : {&p.q_b, &p.heads, &p.index_rows, &p.index_scores, &p.top_k, &p.out_heads}) {
      pile->reset();
    }
  }
}

// Linears that read `act` and write side by side into rows of `ldy` floats; their tiles in a row.
void Forward::Pass::multiply_side_by_side(WorkPile& pile, std::span<const LinearWeights* const> linears,
                                          std::span<const PartRole> roles, const AdaptedRows& rows,
                                          const kernels::ActBuffer& act, float* y, int ldy, int w) {
  int total = 0;
  for (const LinearWeights* linear : linears) total += kernels::tile_count(*linear);
  split_tiles(pile, total, act.n(), team_.size(), w, [&](Share piece) {
    int before = 0;
    int column = 0;
    for (std::size_t i = 0; i < linears.size(); ++i) {
      const int tiles = kernels::tile_count(*linears[i]);
      const Share own{std::clamp(piece.begin - before, 0, tiles), std::clamp(piece.end - before, 0, tiles)};
      multiply(*linears[i], act, y + column, ldy, own);
      raise(w, rows, roles[i], y + column, ldy, own);
      before += tiles;
      column += linears[i]->m;
    }
  });
}

void Forward::Pass::latent_inputs(int w, int layer) {
  const LayerWeights& weights = pack_.layers()[static_cast<std::size_t>(layer)];
  Worker& worker = mine(w);
  const LinearWeights& first = weights.q_a.m > 0 ? weights.q_a : weights.q;
  const std::array<PartRole, 4> roles{weights.q_a.m > 0 ? PartRole::kAttnQA : PartRole::kAttnQ,
                                      PartRole::kAttnKvA, PartRole::kIndexK, PartRole::kIndexW};
  const AdaptedRows adapted = this->adapted(w, layer, false);
  kernels::ActBuffer& act = worker.acts.hidden.of(first);
  normalise(worker, worker.x, nullptr, weights.attn_norm, act, my_rows(w, plan_.rows()));
  lower(w, adapted, roles, act, my_rows(w, plan_.rows()));
  meet_if_shared(w);
  const std::array<const LinearWeights*, 4> linears{&first, &weights.kv_a, &weights.index_k,
                                                    &weights.index_w};
  const std::size_t count = pack_.config().indexer.top_k > 0 ? 4 : 2;
  multiply_side_by_side(piles_[static_cast<std::size_t>(layer)].qkv, std::span(linears).first(count), roles,
                        adapted, act, latent_->inputs.data(), latent_->width(), w);
  team_.barrier(w);
  const Share rows = share_of(plan_.rows(), team_.size(), w);
  for (int row = rows.begin; row < rows.end; ++row) store_latent_row(layer, row);
  lower(w, adapted_shared(layer, false), kQueryReaders, latent_->q_a, rows);
  team_.barrier(w);
  if (!leaves_.is_deferred()) leaves_.keys_values(w, layer, rows.begin, rows.end);
}

// One row: the norms of q_a and c, the cached row, the indexer's key.
void Forward::Pass::store_latent_row(int layer, int row) {
  const ModelConfig& c = pack_.config();
  const LayerWeights& weights = pack_.layers()[static_cast<std::size_t>(layer)];
  Latent& l = *latent_;
  const kernels::Isa isa = options_.isa;
  const int half = c.mla.rope_dim / 2;
  const float* cosine = row_of(cosine_, row, half);
  const float* sine = row_of(sine_, row, half);
  float* q_a = row_of(l.inputs, row, l.width());
  float* kv = q_a + l.q_in;
  bool finite = kernels::all_finite(isa, kv, l.kv_in);
  if (c.mla.q_rank > 0) {
    kernels::rms_norm(isa, q_a, weights.q_a_norm, c.mla.q_rank, c.norm_eps, q_a);
    finite = kernels::quantize(isa, q_a, 0, l.q_a, row, row + 1) && finite;
  }
  kernels::rms_norm(isa, kv, weights.kv_a_norm, c.mla.kv_rank, c.norm_eps, kv);
  kernels::rope(isa, kv + c.mla.kv_rank, 1, c.mla.rope_dim, cosine, sine);
  const KvCache& cache = *plan_.segment_of(row).cache;
  const int position = plan_.row(row).position;
  kernels::store_latent(isa, kv, c.mla.kv_rank, kv + c.mla.kv_rank, c.mla.rope_dim,
                        cache.latent_row(layer, position));
  if (c.indexer.top_k > 0) {
    float* key = kv + l.kv_in;
    const int dim = c.indexer.head_dim;
    finite = kernels::all_finite(isa, key, dim + c.indexer.heads) && finite;
    kernels::layer_norm(isa, key, weights.index_k_norm, weights.index_k_norm_bias, dim, key);
    kernels::rope(isa, key, 1, c.mla.rope_dim, cosine, sine);
    kernels::hadamard(isa, key, dim);
    std::uint8_t* block = cache.index_block(layer, position);
    auto* cell = reinterpret_cast<std::int8_t*>(block + kernels::index_key_at(position, dim));
    float scale = 0;
    finite = kernels::quantize_int8(isa, key, dim, cell, scale) && finite;
    std::memcpy(block + kernels::index_scale_at(position, dim), &scale, sizeof scale);
  }
  if (!finite) is_finite_.store(false, std::memory_order_relaxed);
}

void Forward::Pass::latent_attention(int w, int layer) {
  const ModelConfig& c = pack_.config();
  const LayerWeights& weights = pack_.layers()[static_cast<std::size_t>(layer)];
  Latent& l = *latent_;
  Latent::Piles& piles = l.piles[static_cast<std::size_t>(layer)];
  const bool has_index = c.indexer.top_k > 0 && plan_.keys_max() > c.indexer.top_k;
  if (c.mla.q_rank > 0) {
    const std::array<const LinearWeights*, 1> q_b{&weights.q_b};
    const AdaptedRows adapted = adapted_shared(layer, false);
    multiply_side_by_side(piles.q_b, q_b, kQueryReaders, adapted, l.q_a, l.q.data(), c.heads * c.head_dim, w);
    if (has_index) {
      const Share tiles = share_of(kernels::tile_count(weights.index_q_b), team_.size(), w);
      const int width = c.indexer.heads * c.indexer.head_dim;
      multiply(weights.index_q_b, l.q_a, l.index_q.data(), width, tiles);
      raise(w, adapted, PartRole::kIndexQB, l.index_q.data(), width, tiles);
    }
    team_.barrier(w);
  }
  piles.heads.take(c.heads, 1, [&](Share piece) { latent_query(w, layer, piece.begin); });
  if (has_index) {
    piles.index_rows.take(plan_.rows(), 1, [&](Share piece) { index_query(w, piece.begin); });
    team_.barrier(w);
    choose_positions(w, layer);
  }
  team_.barrier(w);
  const std::span<const AttentionUnit> units = plan_.units(layer == c.layers - 1);
  piles_[static_cast<std::size_t>(layer)].attention.take(
      static_cast<int>(units.size()), 1,
      [&](Share piece) { attend_latent(w, layer, units[static_cast<std::size_t>(piece.begin)]); });
  team_.barrier(w);
  piles.out_heads.take(c.heads, 1, [&](Share piece) { latent_output(w, layer, piece.begin); });
  team_.barrier(w);
}

// One head of all rows: q_nope into the latent space, q_pe turned.
void Forward::Pass::latent_query(int w, int layer, int head) {
  const ModelConfig& c = pack_.config();
  Latent& l = *latent_;
  const MlaShape& m = c.mla;
  const LinearWeights k_b =
      kernels::tile_rows(pack_.layers()[static_cast<std::size_t>(layer)].k_b, head * m.kv_rank, m.kv_rank);
  float* q = m.q_rank > 0 ? l.q.data() : l.inputs.data();
  const int q_width = m.q_rank > 0 ? c.heads * c.head_dim : l.width();
  q += head * c.head_dim;
  kernels::ActBuffer& act = l.workers[static_cast<std::size_t>(w)].head;
  act.prepare(options_.isa, k_b.act, plan_.rows(), m.nope_dim);
  quantise(q, q_width, act, {0, plan_.rows()});
  const int width = c.heads * l.cells;
  multiply(k_b, act, l.query.data() + head * l.cells, width, {0, kernels::tile_count(k_b)});
  bool finite = true;
  for (int row = 0; row < plan_.rows(); ++row) {
    const float* q_pe = q + cells_of(row, q_width) + m.nope_dim;
    float* query = row_of(l.query, row, width) + head * l.cells;
    std::copy(q_pe, q_pe + m.rope_dim, query + m.kv_rank);
    finite = finite && kernels::all_finite(options_.isa, query, l.cells);
    kernels::rope(options_.isa, query + m.kv_rank, 1, m.rope_dim, row_of(cosine_, row, m.rope_dim / 2),
                  row_of(sine_, row, m.rope_dim / 2));
  }
  if (!finite) is_finite_.store(false, std::memory_order_relaxed);
}

// The indexer's queries of a row that sees more than top_k positions, as integers.
void Forward::Pass::index_query(int w, int row) {
  const ModelConfig& c = pack_.config();
  Latent& l = *latent_;
  const IndexerShape& x = c.indexer;
  if (plan_.row(row).position < x.top_k) return;
  const int half = c.mla.rope_dim / 2;
  const int width = x.heads * x.head_dim;
  float* scales = l.workers[static_cast<std::size_t>(w)].scales.data();
  bool finite = true;
  for (int h = 0; h < x.heads; ++h) {
    float* q = row_of(l.index_q, row, width) + h * x.head_dim;
    kernels::rope(options_.isa, q, 1, c.mla.rope_dim, row_of(cosine_, row, half), row_of(sine_, row, half));
    kernels::hadamard(options_.isa, q, x.head_dim);
    std::int8_t* out = l.index_int8.data() + cells_of(row, width) + h * x.head_dim;
    finite = kernels::quantize_int8(options_.isa, q, x.head_dim, out, scales[h]) && finite;
  }
  const float* head_w = row_of(l.inputs, row, l.width()) + l.q_in + l.kv_in + l.index_k;
  finite = kernels::head_weights(head_w, scales, x.heads, l.index_weights.data() + cells_of(row, x.heads)) && finite;
  if (!finite) is_finite_.store(false, std::memory_order_relaxed);
}

// The positions that rows attend to, if they see more than top_k.
void Forward::Pass::choose_positions(int w, int layer) {
  Latent& l = *latent_;
  Latent::Piles& piles = l.piles[static_cast<std::size_t>(layer)];
  const int k = pack_.config().indexer.top_k;
  const int rows = plan_.rows();
  const auto select = [&](int row, const float* scores) {
    kernels::top_k(scores, plan_.row(row).position + 1, k, l.chosen.data() + cells_of(row, k));
  };
  if (rows > kReplicatedRows) {
    float* scores = l.workers[static_cast<std::size_t>(w)].scores.data();
    piles.index_scores.take(rows, 1, [&](Share piece) {
      const int seen = plan_.row(piece.begin).position + 1;
      if (seen <= k) return;
      score_positions(w, layer, piece.begin, {0, seen}, scores);
      select(piece.begin, scores);
    });
    return;
  }
  const int pieces = (plan_.keys_max() + kIndexPiece - 1) / kIndexPiece;
  piles.index_scores.take(rows * pieces, 1, [&](Share piece) {
    const int row = piece.begin / pieces;
    const int first = piece.begin % pieces * kIndexPiece;
    const int seen = plan_.row(row).position + 1;
    if (seen <= k || seen <= first) return;
    float* scores = l.scores.data() + cells_of(row, plan_.keys_max());
    score_positions(w, layer, row, {first, std::min(seen, first + kIndexPiece)}, scores + first);
  });
  team_.barrier(w);
  piles.top_k.take(rows, 1, [&](Share piece) {
    if (plan_.row(piece.begin).position < k) return;
    select(piece.begin, l.scores.data() + cells_of(piece.begin, plan_.keys_max()));
  });
}

// positions.begin: a multiple of kKeyBlock.
void Forward::Pass::score_positions(int w, int layer, int row, Share positions, float* out) {
  const IndexerShape& x = pack_.config().indexer;
  Latent& l = *latent_;
  kernels::IndexParams params;
  params.heads = x.heads;
  params.dim = x.head_dim;
  params.q = l.index_int8.data() + cells_of(row, x.heads * x.head_dim);
  params.weights = l.index_weights.data() + cells_of(row, x.heads);
  params.keys = plan_.segment_of(row).cache->index_keys(layer);
  params.keys.blocks += positions.begin / kernels::kKeyBlock;
  params.count = positions.end - positions.begin;
  params.out = out;
  params.scratch = l.workers[static_cast<std::size_t>(w)].scratch.data();
  kernels::index_scores(options_.isa, params);
}

void Forward::Pass::attend_latent(int w, int layer, const AttentionUnit& unit) {
  const ModelConfig& c = pack_.config();
  Latent& l = *latent_;
  kernels::LatentParams params;
  params.heads = unit.heads;
  params.kv_rank = c.mla.kv_rank;
  params.scale = l.scale;
  params.q_stride = cells_of(c.heads, l.cells);
  params.keys = plan_.segments()[static_cast<std::size_t>(unit.segment)].cache->latent(layer);
  params.out_stride = cells_of(c.heads, c.mla.kv_rank);
  params.scratch = l.workers[static_cast<std::size_t>(w)].attention.data();
  const int seen = plan_.row(unit.row).position + 1;
  const int top_k = c.indexer.top_k;
  // Rows that see at most top_k positions attend to all of them, and share what they load.
  const int whole = top_k == 0 ? unit.count : std::clamp(top_k - seen + 1, 0, unit.count);
  for (int i = 0; i < unit.count; i += params.rows) {
    params.rows = i < whole ? whole : 1;
    params.first_keys = i < whole ? seen + i : top_k;
    params.chosen = i < whole ? nullptr : l.chosen.data() + cells_of(unit.row + i, top_k);
    params.q = row_of(l.query, unit.row + i, c.heads * l.cells) + unit.head * l.cells;
    params.out = row_of(l.output, unit.out_row + i, c.heads * c.mla.kv_rank) + unit.head * c.mla.kv_rank;
    kernels::attend_latent(options_.isa, params);
  }
}

// One head of all rows that the layer goes on with: from the latent space to its values.
void Forward::Pass::latent_output(int w, int layer, int head) {
  const ModelConfig& c = pack_.config();
  const MlaShape& m = c.mla;
  Latent& l = *latent_;
  const LinearWeights v_b =
      kernels::tile_rows(pack_.layers()[static_cast<std::size_t>(layer)].v_b, head * m.v_dim, m.v_dim);
  const int rows = layer == c.layers - 1 ? plan_.wanted() : plan_.rows();
  kernels::ActBuffer& act = l.workers[static_cast<std::size_t>(w)].head;
  act.prepare(options_.isa, v_b.act, rows, m.kv_rank);
  quantise(l.output.data() + head * m.kv_rank, c.heads * m.kv_rank, act, {0, rows});
  multiply(v_b, act, attention_.data() + head * m.v_dim, attention_width_, {0, kernels::tile_count(v_b)});
}

}  // namespace adit::model
