// SPDX-License-Identifier: MIT
// The stages of a forward pass, as every worker runs them.
#include <algorithm>
#include <array>

#include "common/model/forward_pass.hpp"
#include "kernels/attention/attention.h"
#include "kernels/norm/rms_norm.h"
#include "kernels/ops/rows.h"
#include "kernels/rope/rope.h"
#include "kernels/swiglu/swiglu.h"

namespace adit::model {

void Forward::Pass::run(int w) {
  const int layers = pack_.config().layers;
  embed(w);
  for (int layer = 0; layer < layers; ++layer) {
    if (latent_) {
      latent_inputs(w, layer);
    } else {
      attention_inputs(w, layer);
      rotate_and_store(w, layer);
    }
    // Nothing of the last layer but keys and values is needed for rows whose logits are not.
    if (layer == layers - 1 && plan_.wanted() == 0) break;
    latent_ ? latent_attention(w, layer) : attend(w, layer);
    attention_output(w, layer);
    pack_.config().is_moe(layer) ? experts(w, layer) : feed_forward(w, layer);
  }
  finish_trace(w);
}

void Forward::Pass::embed(int w) {
  const ModelConfig& c = pack_.config();
  Worker& worker = mine(w);
  const Share rows = my_rows(w, plan_.rows());
  for (int i = rows.begin; i < rows.end; ++i) {
    kernels::embedding_row(pack_.embedding(), plan_.row(i).token, row_of(worker.x, i, c.hidden));
  }
  const Share tables = share_of(plan_.rows(), team_.size(), w);
  const int half = c.rope_dim() / 2;
  for (int i = tables.begin; i < tables.end; ++i) {
    kernels::rope_table(pack_.inv_freq().data(), half, plan_.row(i).position, row_of(cosine_, i, half),
                        row_of(sine_, i, half), c.rope.attention_factor);
  }
}

// One row after the other, so that it stays in the nearest cache from step to step.
void Forward::Pass::normalise(Worker& worker, AlignedArray<float>& x, const float* added, const float* weight,
                              kernels::ActBuffer& act, Share rows) {
  const ModelConfig& c = pack_.config();
  for (int i = rows.begin; i < rows.end; ++i) {
    float* row = row_of(x, i, c.hidden);
    if (added != nullptr) {
      kernels::add_rows(options_.isa, row,
                        added + static_cast<std::size_t>(i) * static_cast<std::size_t>(c.hidden), c.hidden);
    }
    kernels::rms_norm(options_.isa, row, weight, c.hidden, c.norm_eps, row_of(worker.norm, i, c.hidden));
    quantise(worker.norm.data(), c.hidden, act, {i, i + 1});
  }
}

void Forward::Pass::quantise(const float* x, int width, kernels::ActBuffer& act, Share rows) {
  if (rows.begin == rows.end) return;
  if (!kernels::quantize(options_.isa, x, static_cast<std::size_t>(width), act, rows.begin, rows.end)) {
    is_finite_.store(false, std::memory_order_relaxed);
  }
}

void Forward::Pass::multiply(const kernels::LinearWeights& weights, const kernels::ActBuffer& act, float* y,
                             int ldy, Share tiles, const kernels::NextTiles& next) const {
  if (tiles.begin >= tiles.end) return;
  kernels::linear(options_.isa, weights, act, y, static_cast<std::size_t>(ldy), tiles.begin, tiles.end,
                  next);
}

// The tiles that worker w reads first in `layer`; behind the last one those of the head.
kernels::NextTiles Forward::Pass::start_of_layer(int layer, int w) const {
  if (layer == pack_.config().layers) return start_of(pack_.head(), w);
  const LayerWeights& weights = pack_.layers()[static_cast<std::size_t>(layer)];
  const std::array<const kernels::LinearWeights*, 3> linears{&weights.q, &weights.k, &weights.v};
  int total = 0;
  for (const kernels::LinearWeights* linear : linears) total += kernels::tile_count(*linear);
  int tile = share_of(total, team_.size(), w).begin;
  for (const kernels::LinearWeights* linear : linears) {
    const int tiles = kernels::tile_count(*linear);
    if (tile < tiles) return {linear, tile};
    tile -= tiles;
  }
  return {};
}

void Forward::Pass::attention_inputs(int w, int layer) {
  const ModelConfig& c = pack_.config();
  const LayerWeights& weights = pack_.layers()[static_cast<std::size_t>(layer)];
  Worker& worker = mine(w);
  kernels::ActBuffer& act = worker.acts.hidden.of(weights.q);
  const AdaptedRows adapted = this->adapted(w, layer, false);
  normalise(worker, worker.x, nullptr, weights.attn_norm, act, my_rows(w, plan_.rows()));
  lower(w, adapted, {PartRole::kAttnQ, PartRole::kAttnK, PartRole::kAttnV}, act, my_rows(w, plan_.rows()));
  meet_if_shared(w);

  // The tiles of q, k and v in a row.
  const std::array<const kernels::LinearWeights*, 3> linears{&weights.q, &weights.k, &weights.v};
  const std::array<PartRole, 3> roles{PartRole::kAttnQ, PartRole::kAttnK, PartRole::kAttnV};
  const std::array<int, 3> columns{0, attention_width_, attention_width_ + c.kv_heads * c.head_dim};
  int total = 0;
  for (const kernels::LinearWeights* linear : linears) total += kernels::tile_count(*linear);
  split_tiles(pile_, total, plan_.rows(), team_.size(), w, [&](Share piece) {
    int before = 0;
    for (std::size_t i = 0; i < linears.size(); ++i) {
      const int tiles = kernels::tile_count(*linears[i]);
      kernels::NextTiles next;
      if (piece.end >= before + tiles && i + 1 < linears.size()) next = {linears[i + 1], 0};
      if (is_end_of_share(piece, total, w) && piece.end <= before + tiles) next = start_of(weights.o, w);
      const Share own{std::clamp(piece.begin - before, 0, tiles), std::clamp(piece.end - before, 0, tiles)};
      multiply(*linears[i], act, qkv_.data() + columns[i], qkv_width_, own, next);
      raise(w, adapted, roles[i], qkv_.data() + columns[i], qkv_width_, own);
      before += tiles;
    }
  });
  meet(w, start_of(weights.o, w));
}

void Forward::Pass::rotate_heads(const LayerWeights& weights, float* q, float* k, const float* cosine,
                                 const float* sine) const {
  const ModelConfig& c = pack_.config();
  const int group = c.heads / c.kv_heads;
  if (weights.q_norm != nullptr) {
    for (int head = 0; head < group; ++head) {
      float* row = q + static_cast<std::ptrdiff_t>(head) * c.head_dim;
      kernels::rms_norm(options_.isa, row, weights.q_norm, c.head_dim, c.norm_eps, row);
    }
    kernels::rms_norm(options_.isa, k, weights.k_norm, c.head_dim, c.norm_eps, k);
  }
  kernels::rope(options_.isa, q, group, c.head_dim, cosine, sine);
  kernels::rope(options_.isa, k, 1, c.head_dim, cosine, sine);
}

void Forward::Pass::rotate_and_store(int w, int layer) {
  const ModelConfig& c = pack_.config();
  const LayerWeights& weights = pack_.layers()[static_cast<std::size_t>(layer)];
  const int half = c.head_dim / 2;
  const int group = c.heads / c.kv_heads;
  // Units of one row and one kv head with its query heads.
  const Share units = share_of(plan_.rows() * c.kv_heads, team_.size(), w);
  bool finite = true;
  for (int unit = units.begin; unit < units.end; ++unit) {
    const int row = unit / c.kv_heads;
    const int head = unit % c.kv_heads;
    float* q = row_of(qkv_, row, qkv_width_) + head * group * c.head_dim;
    float* k = row_of(qkv_, row, qkv_width_) + attention_width_ + head * c.head_dim;
    const float* v = k + c.kv_heads * c.head_dim;
    finite = finite && kernels::all_finite(options_.isa, q, group * c.head_dim) &&
             kernels::all_finite(options_.isa, k, c.head_dim) &&
             kernels::all_finite(options_.isa, v, c.head_dim);
    rotate_heads(weights, q, k, row_of(cosine_, row, half), row_of(sine_, row, half));
    const KvCache& cache = *plan_.segment_of(row).cache;
    const int position = plan_.row(row).position;
    kernels::store_kv(options_.isa, c.head_dim, position % kKvBlock, k, v, cache.keys(layer, head, position),
                      cache.values(layer, head, position), options_.kv);
    if (leaves_.is_deferred()) leaves_.keep_keys_values(layer, row, head);
  }
  if (!finite) is_finite_.store(false, std::memory_order_relaxed);
  meet(w, start_of(pack_.layers()[static_cast<std::size_t>(layer)].o, w));
  if (!leaves_.is_deferred()) {
    const Share rows = share_of(plan_.rows(), team_.size(), w);
    leaves_.keys_values(w, layer, rows.begin, rows.end);
  }
}

void Forward::Pass::attend(int w, int layer) {
  const ModelConfig& c = pack_.config();
  const bool last = layer == c.layers - 1;
  const std::span<const AttentionUnit> units = plan_.units(last);
  kernels::AttendParams params;
  params.form = options_.kv;
  params.head_dim = c.head_dim;
  params.scale = attention_scale_;
  params.q_stride = static_cast<std::size_t>(qkv_width_);
  params.out_stride = static_cast<std::size_t>(attention_width_);
  params.scratch = workers_[static_cast<std::size_t>(w)].scratch.data();
  pile_.take(w, static_cast<int>(units.size()), 1, [&](Share piece) {
    const AttentionUnit& unit = units[static_cast<std::size_t>(piece.begin)];
    const KvCache& cache = *plan_.segments()[static_cast<std::size_t>(unit.segment)].cache;
    params.rows = unit.count;
    params.group = unit.heads;
    params.first_keys = plan_.row(unit.row).position + 1;
    params.q = row_of(qkv_, unit.row, qkv_width_) + unit.head * c.head_dim;
    params.blocks = cache.table();
    params.k_at = cache.keys_at(layer, unit.kv_head);
    params.v_at = cache.values_at(layer, unit.kv_head);
    params.out = row_of(attention_, unit.out_row, attention_width_) + unit.head * c.head_dim;
    kernels::attend_rows(options_.isa, params);
  });
  meet(w, start_of(pack_.layers()[static_cast<std::size_t>(layer)].o, w));
}

void Forward::Pass::attention_output(int w, int layer) {
  const ModelConfig& c = pack_.config();
  const LayerWeights& weights = pack_.layers()[static_cast<std::size_t>(layer)];
  const bool last = layer == c.layers - 1;
  Worker& worker = mine(w);
  kernels::ActBuffer& act = (last ? worker.last_acts : worker.acts).attention.of(weights.o);
  const Share rows = my_rows(w, last ? plan_.wanted() : plan_.rows());
  const AdaptedRows adapted = this->adapted(w, layer, last);
  quantise(attention_.data(), attention_width_, act, rows);
  lower(w, adapted, {PartRole::kAttnO}, act, rows);
  meet_if_shared(w);
  const int tiles = kernels::tile_count(weights.o);
  const kernels::NextTiles gate = start_of(weights.gate, w);
  split_tiles(pile_, tiles, last ? plan_.wanted() : plan_.rows(), team_.size(), w, [&](Share piece) {
    multiply(weights.o, act, projected_.data(), c.hidden, piece,
             is_end_of_share(piece, tiles, w) ? gate : kernels::NextTiles{});
    raise(w, adapted, PartRole::kAttnO, projected_.data(), c.hidden, piece);
  });
  meet(w, gate);
  // From here on the last layer goes on with its wanted rows only. What was projected is added where the rows are
  // normalised.
  if (last) {
    for (int i = rows.begin; i < rows.end; ++i) {
      const float* from = row_of(worker.x, plan_.wanted_row(i), c.hidden);
      std::copy(from, from + c.hidden, row_of(worker.last_x, i, c.hidden));
    }
  }
}

void Forward::Pass::feed_forward(int w, int layer) {
  const ModelConfig& c = pack_.config();
  const LayerWeights& weights = pack_.layers()[static_cast<std::size_t>(layer)];
  const bool last = layer == c.layers - 1;
  Worker& worker = mine(w);
  Acts& acts = last ? worker.last_acts : worker.acts;
  AlignedArray<float>& x = last ? worker.last_x : worker.x;
  const int count = last ? plan_.wanted() : plan_.rows();
  const Share rows = my_rows(w, count);
  kernels::ActBuffer& hidden = acts.hidden.of(weights.gate);
  const AdaptedRows adapted = this->adapted(w, layer, last);
  normalise(worker, x, projected_.data(), weights.ffn_norm, hidden, rows);
  lower(w, adapted, {PartRole::kFfnGate, PartRole::kFfnUp}, hidden, rows);
  meet_if_shared(w);

  // The same tiles of gate and up, so that their product needs nobody else.
  const int tiles = kernels::tile_count(weights.gate);
  const kernels::NextTiles down = start_of(weights.down, w);
  split_tiles(pile_, tiles, count, team_.size(), w, [&](Share piece) {
    multiply(weights.gate, hidden, gate_.data(), c.ffn, piece, {&weights.up, piece.begin});
    multiply(weights.up, hidden, up_.data(), c.ffn, piece,
             is_end_of_share(piece, tiles, w) ? down : kernels::NextTiles{&weights.gate, piece.end});
    raise(w, adapted, PartRole::kFfnGate, gate_.data(), c.ffn, piece);
    raise(w, adapted, PartRole::kFfnUp, up_.data(), c.ffn, piece);
    const int begin = std::min(piece.begin * kernels::kTileRows, c.ffn);
    const int end = std::min(piece.end * kernels::kTileRows, c.ffn);
    for (int i = 0; begin < end && i < count; ++i) {
      float* gate = row_of(gate_, i, c.ffn) + begin;
      kernels::swiglu(options_.isa, gate, row_of(up_, i, c.ffn) + begin, end - begin, gate);
    }
  });
  meet(w, down);

  kernels::ActBuffer& gated = acts.gated.of(weights.down);
  quantise(gate_.data(), c.ffn, gated, rows);
  lower(w, adapted, {PartRole::kFfnDown}, gated, rows);
  meet_if_shared(w);
  const int down_tiles = kernels::tile_count(weights.down);
  const kernels::NextTiles next_layer = start_of_layer(layer + 1, w);
  split_tiles(pile_, down_tiles, count, team_.size(), w, [&](Share piece) {
    multiply(weights.down, gated, projected_.data(), c.hidden, piece,
             is_end_of_share(piece, down_tiles, w) ? next_layer : kernels::NextTiles{});
    raise(w, adapted, PartRole::kFfnDown, projected_.data(), c.hidden, piece);
  });
  meet(w, next_layer);
  for (int i = rows.begin; i < rows.end; ++i) {
    kernels::add_rows(options_.isa, row_of(x, i, c.hidden), row_of(projected_, i, c.hidden), c.hidden);
  }
  const Share leaves = share_of(count, team_.size(), w);
  leaves_.residual(w, layer, x.data(), leaves.begin, leaves.end);
}

void Forward::Pass::finish_trace(int w) {
  team_.barrier(w);
  if (leaves_.is_deferred()) {
    const Share layers = share_of(pack_.config().layers, team_.size(), w);
    leaves_.finish_layers(w, layers.begin, layers.end);
    team_.barrier(w);
  }
  const int segments = static_cast<int>(plan_.segments().size());
  for (int i = w; i < segments; i += team_.size()) leaves_.append(i);
}

}  // namespace adit::model
