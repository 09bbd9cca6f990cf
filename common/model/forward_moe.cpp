// SPDX-License-Identifier: MIT
// The stages of a layer of experts, as every worker runs them.
#include "common/model/forward_moe.hpp"

#include <algorithm>

#include "kernels/linear/tile_rows.h"
#include "kernels/moe/route.h"
#include "kernels/ops/rows.h"
#include "kernels/swiglu/swiglu.h"

namespace adit::model {
namespace {

using kernels::LinearWeights;

// Router rows that are taken at once.
constexpr int kRouterRows = 16;
constexpr int kPiecesAThread = 6;

std::size_t cells_of(int rows, int width) {
  return static_cast<std::size_t>(rows) * static_cast<std::size_t>(width);
}

template <class T>
void grow(std::vector<T>& values, std::size_t count) {
  if (values.size() < count) values.resize(count);
}

kernels::RouteShape route_shape(const MoeShape& moe, const float* bias) {
  return {.experts = moe.experts,
          .per_token = moe.per_token,
          .groups = moe.groups,
          .groups_per_token = moe.groups_per_token,
          .group_top = moe.group_top,
          .is_sigmoid = moe.router == Router::kSigmoid,
          .normalise = moe.normalise,
          .scale = static_cast<float>(moe.scale),
          .bias = bias};
}

// One expert's part of a matrix that holds all experts' rows.
LinearWeights expert_of(const LinearWeights& all, int expert, int rows) {
  return kernels::tile_rows(all, expert * rows, rows);
}

}  // namespace

Forward::Pass::Experts::Experts(const ModelConfig& c, const ForwardOptions& options)
    : config(c),
      logits(cells_of(options.rows_max, c.moe.experts)),
      hidden(static_cast<std::size_t>(c.moe.experts)),
      gated(static_cast<std::size_t>(c.moe.experts)),
      scratch(static_cast<std::size_t>(options.threads)),
      piles(static_cast<std::size_t>(c.layers)) {
  const std::size_t floats = std::max(kernels::route_scratch_floats(c.moe.experts),
                                      static_cast<std::size_t>(c.hidden));
  for (std::vector<float>& worker : scratch) worker.resize(floats);
}

void Forward::Pass::Experts::prepare(int rows) {
  const MoeShape& m = config.moe;
  const int count = rows * m.per_token;
  chosen.resize(static_cast<std::size_t>(count));
  weights.resize(static_cast<std::size_t>(count));
  pair_of.resize(static_cast<std::size_t>(count));
  grow(gate, cells_of(count, m.ffn));
  grow(up, cells_of(count, m.ffn));
  grow(out, cells_of(count, config.hidden));
  grow(shared_gate, cells_of(rows, m.shared_ffn));
  grow(shared_up, cells_of(rows, m.shared_ffn));
  for (Piles& p : piles) {
    for (WorkPile* pile : {&p.router, &p.gate_up, &p.down}) pile->reset();
  }
}

void Forward::Pass::Experts::group(const LayerWeights& layer, int rows, kernels::Isa isa) {
  const MoeShape& m = config.moe;
  const int count = rows * m.per_token;
  std::vector<int> counts(static_cast<std::size_t>(m.experts), 0);
  for (int i = 0; i < count; ++i) ++counts[static_cast<std::size_t>(chosen[static_cast<std::size_t>(i)])];
  std::vector<int> places(counts.size(), -1);
  active.clear();
  int first = 0;
  for (int e = 0; e < m.experts; ++e) {
    const int here = counts[static_cast<std::size_t>(e)];
    if (here == 0) continue;
    const std::size_t place = active.size();
    places[static_cast<std::size_t>(e)] = static_cast<int>(place);
    active.push_back({.expert = e, .first_pair = first, .count = 0});
    hidden[place].prepare(isa, layer.experts_gate.act, here, config.hidden);
    gated[place].prepare(isa, layer.experts_down.act, here, m.ffn);
    first += here;
  }
  pairs.resize(static_cast<std::size_t>(count));
  for (int i = 0; i < count; ++i) {
    const int place = places[static_cast<std::size_t>(chosen[static_cast<std::size_t>(i)])];
    Active& expert = active[static_cast<std::size_t>(place)];
    const int pair = expert.first_pair + expert.count;
    pair_of[static_cast<std::size_t>(i)] = pair;
    pairs[static_cast<std::size_t>(pair)] = {.row = i / m.per_token, .active = place, .token = expert.count++};
  }
  if (m.shared_ffn > 0) shared_gated.prepare(isa, layer.shared_down.act, rows, m.shared_ffn);
}

void Forward::Pass::experts(int w, int layer) {
  const ModelConfig& c = pack_.config();
  const LayerWeights& weights = pack_.layers()[static_cast<std::size_t>(layer)];
  const bool last = layer == c.layers - 1;
  Worker& worker = mine(w);
  const int count = last ? plan_.wanted() : plan_.rows();
  AlignedArray<float>& x = last ? worker.last_x : worker.x;
  kernels::ActBuffer& act = (last ? worker.last_acts : worker.acts).hidden.of(weights.experts_gate);
  normalise(worker, x, projected_.data(), weights.ffn_norm, act, my_rows(w, count));
  lower(w, adapted(w, layer, last), {PartRole::kSharedGate, PartRole::kSharedUp}, act, my_rows(w, count));
  meet_if_shared(w);
  choose_experts(w, layer, count);
  Experts& e = *experts_;
  if (e.advises) want_experts(w, weights);
  quantise_pairs(w, nullptr);
  team_.barrier(w);
  expert_gate_up(w, layer, act);
  team_.barrier(w);
  quantise_pairs(w, e.gate.data());
  if (c.moe.shared_ffn > 0) {
    const Share shared = share_of(count, team_.size(), w);
    quantise(e.shared_gate.data(), c.moe.shared_ffn, e.shared_gated, shared);
    lower(w, adapted_shared(layer, last), {PartRole::kSharedDown}, e.shared_gated, shared);
  }
  team_.barrier(w);
  expert_down(w, layer);
  team_.barrier(w);
  const Share rows = my_rows(w, count);
  for (int row = rows.begin; row < rows.end; ++row) add_experts(w, row, row_of(x, row, c.hidden));
  const Share leaves = share_of(count, team_.size(), w);
  leaves_.residual(w, layer, x.data(), leaves.begin, leaves.end);
}

void Forward::Pass::choose_experts(int w, int layer, int count) {
  const ModelConfig& c = pack_.config();
  const LayerWeights& weights = pack_.layers()[static_cast<std::size_t>(layer)];
  Experts& e = *experts_;
  const int n = c.moe.experts;
  const int pieces = (n + kRouterRows - 1) / kRouterRows;
  e.piles[static_cast<std::size_t>(layer)].router.take(count * pieces, 1, [&](Share unit) {
    const int row = unit.begin / pieces;
    const int begin = unit.begin % pieces * kRouterRows;
    kernels::router_logits(options_.isa, row_of(mine(w).norm, row, c.hidden), weights.router, c.hidden, begin,
                           std::min(begin + kRouterRows, n), row_of(e.logits, row, n));
  });
  team_.barrier(w);
  const kernels::RouteShape shape = route_shape(c.moe, weights.router_bias);
  const Share rows = share_of(count, team_.size(), w);
  bool finite = true;
  for (int row = rows.begin; row < rows.end; ++row) {
    const std::size_t first = cells_of(row, c.moe.per_token);
    finite = kernels::route(options_.isa, shape, row_of(e.logits, row, n),
                            e.scratch[static_cast<std::size_t>(w)].data(), e.chosen.data() + first,
                            e.weights.data() + first) &&
             finite;
  }
  if (!finite) is_finite_.store(false, std::memory_order_relaxed);
  team_.barrier(w);
  if (w == 0) e.group(weights, count, options_.isa);
  team_.barrier(w);
}

// The chosen experts' pages begin to come in, all of them at once.
void Forward::Pass::want_experts(int w, const LayerWeights& weights) {
  const ModelConfig& c = pack_.config();
  const std::vector<Experts::Active>& active = experts_->active;
  const Share share = share_of(static_cast<int>(active.size()), team_.size(), w);
  const auto want_all = [&](const LinearWeights& linear, int rows) {
    for (int i = share.begin; i < share.end; ++i) {
      want(linear, active[static_cast<std::size_t>(i)].expert * rows, rows);
    }
  };
  want_all(weights.experts_gate, c.moe.ffn);
  want_all(weights.experts_up, c.moe.ffn);
  want_all(weights.experts_down, c.hidden);
}

// The inputs of the experts' first linears (gate null: the normed rows), or of their last.
void Forward::Pass::quantise_pairs(int w, const float* gate) {
  const ModelConfig& c = pack_.config();
  Experts& e = *experts_;
  const Share share = share_of(static_cast<int>(e.pairs.size()), team_.size(), w);
  bool finite = true;
  for (int i = share.begin; i < share.end; ++i) {
    const Experts::Pair& pair = e.pairs[static_cast<std::size_t>(i)];
    const auto place = static_cast<std::size_t>(pair.active);
    const float* from =
        gate == nullptr ? row_of(mine(w).norm, pair.row, c.hidden) : gate + cells_of(i, c.moe.ffn);
    kernels::ActBuffer& act = gate == nullptr ? e.hidden[place] : e.gated[place];
    finite = kernels::quantize(options_.isa, from, 0, act, pair.token, pair.token + 1) && finite;
  }
  if (!finite) is_finite_.store(false, std::memory_order_relaxed);
}

void Forward::Pass::expert_gate_up(int w, int layer, const kernels::ActBuffer& act) {
  const ModelConfig& c = pack_.config();
  const LayerWeights& weights = pack_.layers()[static_cast<std::size_t>(layer)];
  Experts& e = *experts_;
  const auto swiglu = [&](float* gate, const float* up, int width, int rows, Share tiles) {
    const int begin = std::min(tiles.begin * kernels::kTileRows, width);
    const int n = std::min(tiles.end * kernels::kTileRows, width) - begin;
    for (int row = 0; n > 0 && row < rows; ++row) {
      float* g = gate + cells_of(row, width) + begin;
      kernels::swiglu(options_.isa, g, up + cells_of(row, width) + begin, n, g);
    }
  };
  if (c.moe.shared_ffn > 0) {
    const int width = c.moe.shared_ffn;
    const AdaptedRows rows = adapted(w, layer, layer == c.layers - 1);
    split_tiles(piles_[static_cast<std::size_t>(layer)].gate_up, kernels::tile_count(weights.shared_gate),
                act.n(), team_.size(), w, [&](Share tiles) {
                  multiply(weights.shared_gate, act, e.shared_gate.data(), width, tiles);
                  multiply(weights.shared_up, act, e.shared_up.data(), width, tiles);
                  raise(w, rows, PartRole::kSharedGate, e.shared_gate.data(), width, tiles);
                  raise(w, rows, PartRole::kSharedUp, e.shared_up.data(), width, tiles);
                  swiglu(e.shared_gate.data(), e.shared_up.data(), width, act.n(), tiles);
                });
  }
  const int ffn = c.moe.ffn;
  take_experts(e.piles[static_cast<std::size_t>(layer)].gate_up, ffn, [&](std::size_t place, Share tiles) {
    const Experts::Active& expert = e.active[place];
    float* gate = e.gate.data() + cells_of(expert.first_pair, ffn);
    float* up = e.up.data() + cells_of(expert.first_pair, ffn);
    multiply(expert_of(weights.experts_gate, expert.expert, ffn), e.hidden[place], gate, ffn, tiles);
    multiply(expert_of(weights.experts_up, expert.expert, ffn), e.hidden[place], up, ffn, tiles);
    swiglu(gate, up, ffn, expert.count, tiles);
  });
}

void Forward::Pass::expert_down(int w, int layer) {
  const ModelConfig& c = pack_.config();
  const LayerWeights& weights = pack_.layers()[static_cast<std::size_t>(layer)];
  Experts& e = *experts_;
  if (c.moe.shared_ffn > 0) {
    const AdaptedRows rows = adapted_shared(layer, layer == c.layers - 1);
    split_tiles(piles_[static_cast<std::size_t>(layer)].down, kernels::tile_count(weights.shared_down),
                e.shared_gated.n(), team_.size(), w, [&](Share tiles) {
                  multiply(weights.shared_down, e.shared_gated, projected_.data(), c.hidden, tiles);
                  raise(w, rows, PartRole::kSharedDown, projected_.data(), c.hidden, tiles);
                });
  }
  take_experts(e.piles[static_cast<std::size_t>(layer)].down, c.hidden, [&](std::size_t place, Share tiles) {
    const Experts::Active& expert = e.active[place];
    multiply(expert_of(weights.experts_down, expert.expert, c.hidden), e.gated[place],
             e.out.data() + cells_of(expert.first_pair, c.hidden), c.hidden, tiles);
  });
}

// Calls body(place in active, tiles of one expert's `rows` rows) for the pieces that this worker gets.
template <class Body>
void Forward::Pass::take_experts(WorkPile& pile, int rows, Body&& body) {
  const int tiles = rows / kernels::kTileRows;
  const int active = static_cast<int>(experts_->active.size());
  const int pieces = std::clamp(team_.size() * kPiecesAThread / active, 1, tiles);
  pile.take(active * pieces, 1, [&](Share unit) {
    body(static_cast<std::size_t>(unit.begin / pieces), share_of(tiles, pieces, unit.begin % pieces));
  });
}

// x = x + (the weighted sum of one row's experts, and the shared one).
void Forward::Pass::add_experts(int w, int row, float* x) {
  const ModelConfig& c = pack_.config();
  Experts& e = *experts_;
  float* sum = e.scratch[static_cast<std::size_t>(w)].data();
  std::fill(sum, sum + c.hidden, 0.0f);
  for (int slot = 0; slot < c.moe.per_token; ++slot) {
    const std::size_t at = cells_of(row, c.moe.per_token) + static_cast<std::size_t>(slot);
    kernels::add_scaled(options_.isa, sum, e.weights[at], e.out.data() + cells_of(e.pair_of[at], c.hidden),
                        c.hidden);
  }
  if (c.moe.shared_ffn > 0) kernels::add_rows(options_.isa, sum, row_of(projected_, row, c.hidden), c.hidden);
  kernels::add_rows(options_.isa, x, sum, c.hidden);
}

}  // namespace adit::model
