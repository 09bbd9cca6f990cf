// SPDX-License-Identifier: MIT
#include "common/model/forward_pass.hpp"

#include <algorithm>
#include <cmath>

#include "common/base/check.hpp"
#include "common/base/limits.hpp"
#include "common/model/forward_mla.hpp"
#include "common/model/forward_moe.hpp"
#include "common/model/huge_pages.hpp"
#include "common/model/model_parts.hpp"
#include "kernels/attention/attention.h"
#include "kernels/norm/rms_norm.h"
#include "kernels/ops/rows.h"
#include "kernels/rope/rope.h"

namespace adit::model {
namespace {

std::size_t cells(int rows, int width) {
  return static_cast<std::size_t>(rows) * static_cast<std::size_t>(width);
}

}  // namespace

Forward::Pass::Pass(const Pack& pack, const ForwardOptions& options)
    : pack_(pack),
      options_(options),
      team_(options.threads, options.cpus),
      leaves_(pack.config(), options.isa, options.rows_max, options.threads, options.kv),
      workers_(static_cast<std::size_t>(options.threads)),
      pile_(options.threads),
      piles_(static_cast<std::size_t>(pack.config().layers)) {
  const ModelConfig& c = pack.config();
  ADIT_CHECK(check_kv(c, options.kv).has_value());
  const int n = options.rows_max;
  ADIT_CHECK(n >= 1 && n <= limits::kBatchRowsMax && options.logits_rows_max >= 1);
  attention_width_ = c.attention_width();
  if (!c.is_mla()) qkv_width_ = attention_width_ + 2 * c.kv_heads * c.head_dim;
  if (c.is_mla()) latent_ = std::make_unique<Latent>(c, options);
  if (c.moe.experts > 0) {
    experts_ = std::make_unique<Experts>(c, options);
    experts_->advises = options.expert_advice == ExpertAdvice::kAlways ||
                        (options.expert_advice == ExpertAdvice::kAuto && exceeds_memory(pack.file_bytes()));
    for (const LayerWeights& layer : pack.layers()) {
      if (!experts_->advises) break;
      for (const auto* linear : {&layer.experts_gate, &layer.experts_up, &layer.experts_down}) read_alone(*linear);
    }
  }
  attention_scale_ =
      static_cast<float>(1.0 / std::sqrt(static_cast<double>(c.head_dim)) * c.rope.score_factor);
  for (const Part& part : model_parts(c)) {
    if (part.kind != PartKind::kLinear) continue;
    (pack.linear(part.name)->act == kernels::ActForm::kA16 ? has_a16_ : has_a8_) = true;
  }
  for (std::size_t w = 0; w < workers_.size(); ++w) {
    const int rows = w == 0 ? n : std::min(n, kReplicatedRows);
    workers_[w].x = AlignedArray<float>(cells(rows, c.hidden));
    workers_[w].last_x = AlignedArray<float>(cells(rows, c.hidden));
    workers_[w].norm = AlignedArray<float>(cells(rows, c.hidden));
  }
  qkv_ = AlignedArray<float>(cells(n, qkv_width_));
  attention_ = AlignedArray<float>(cells(n, attention_width_));
  projected_ = AlignedArray<float>(cells(n, c.hidden));
  gate_ = AlignedArray<float>(cells(n, c.ffn));
  up_ = AlignedArray<float>(cells(n, c.ffn));
  cosine_ = AlignedArray<float>(cells(n, c.rope_dim() / 2));
  sine_ = AlignedArray<float>(cells(n, c.rope_dim() / 2));
  head_norm_ = AlignedArray<float>(cells(options.logits_rows_max, c.hidden));
  logits_ = AlignedArray<float>(cells(options.logits_rows_max, c.vocab));
}

Forward::Pass::~Pass() = default;

Result<void> Forward::Pass::check(std::span<const Segment> segments) const {
  const ModelConfig& c = pack_.config();
  std::size_t rows = 0;
  for (const Segment& segment : segments) {
    ADIT_CHECK(segment.cache->form() == options_.kv);
    rows += segment.tokens.size();
    const auto last =
        static_cast<std::int64_t>(segment.first_position) + static_cast<std::int64_t>(segment.tokens.size());
    const int room = std::min(segment.cache->positions_max(), segment.cache->positions());
    if (segment.first_position < 0 || last > room) {
      return invalid_argument("position {} is outside of the cache of {} positions", last - 1, room);
    }
    for (std::size_t i = 0; i < segment.tokens.size(); ++i) {
      if (segment.tokens[i] < 0 || segment.tokens[i] >= c.vocab) {
        return invalid_argument("position {}: token {} is outside of the vocabulary of {}",
                                static_cast<std::size_t>(segment.first_position) + i, segment.tokens[i],
                                c.vocab);
      }
    }
    if (segment.adapter != nullptr && segment.adapter->pack_hash() != pack_.content_hash()) {
      return invalid_argument("an adapter made for pack {}, this is {}",
                              to_hex(segment.adapter->pack_hash()), to_hex(pack_.content_hash()));
    }
    ADIT_CHECK(segment.trace == nullptr ||
               segment.first_wanted + 1 == static_cast<int>(segment.trace->prompt_tokens()));
  }
  if (rows == 0 || rows > static_cast<std::size_t>(options_.rows_max)) {
    return invalid_argument("a step of {} rows, expected 1 to {}", rows, options_.rows_max);
  }
  return {};
}

void Forward::Pass::prepare_act(Act& act, int rows, int width) const {
  if (has_a16_) act.a16.prepare(options_.isa, kernels::ActForm::kA16, rows, width);
  if (has_a8_) act.a8.prepare(options_.isa, kernels::ActForm::kA8g32, rows, width);
}

void Forward::Pass::prepare_acts(Acts& acts, int rows) const {
  prepare_act(acts.hidden, rows, pack_.config().hidden);
  prepare_act(acts.attention, rows, attention_width_);
  prepare_act(acts.gated, rows, pack_.config().ffn);
}

void Forward::Pass::prepare(std::span<const Segment> segments) {
  const ModelConfig& c = pack_.config();
  const int kv_heads = latent_ ? c.heads / latent_group(c.heads, team_.size()) : c.kv_heads;
  plan_.build({.heads = c.heads, .kv_heads = kv_heads, .threads = team_.size()}, segments);
  leaves_.begin(plan_);
  is_replicated_ = plan_.rows() <= kReplicatedRows;
  const std::size_t scratch =
      latent_ ? 0 : kernels::attend_scratch_floats(kAttentionRows, c.heads / c.kv_heads, plan_.keys_max());
  for (std::size_t w = 0; w < workers_.size(); ++w) {
    Worker& worker = workers_[w];
    // Room for twice the keys: it is not made again at every block of a growing sequence.
    if (worker.scratch.size() < scratch) worker.scratch.resize(2 * scratch);
    const bool has_rows = w == 0 || is_replicated_;
    prepare_low_rows(worker, has_rows);
    if (!has_rows) continue;
    prepare_acts(worker.acts, plan_.rows());
    if (plan_.wanted() > 0) prepare_acts(worker.last_acts, plan_.wanted());
  }
  for (LayerPiles& piles : piles_) {
    for (WorkPile* pile : {&piles.qkv, &piles.attention, &piles.gate_up, &piles.down}) {
      pile->reset();
    }
  }
  if (latent_) latent_->prepare(pack_, plan_, options_.isa);
  if (experts_) experts_->prepare(plan_.rows());
  is_finite_.store(true, std::memory_order_relaxed);
}

Result<void> Forward::Pass::step(std::span<const Segment> segments) {
  ADIT_TRY_VOID(check(segments));
  prepare(segments);
  team_.run([this](int w) { run(w); });
  if (!is_finite_.load(std::memory_order_relaxed)) {
    return data_loss("the forward pass met a value that is not finite");
  }
  return {};
}

Result<const float*> Forward::Pass::logits(int first, int count) {
  ADIT_CHECK(first >= 0 && count >= 1 && first + count <= plan_.wanted());
  ADIT_CHECK(count <= options_.logits_rows_max);
  const ModelConfig& c = pack_.config();
  const kernels::LinearWeights& head = pack_.head();
  const int tiles = kernels::tile_count(head);
  head_act_.prepare(options_.isa, head.act, count, c.hidden);
  is_finite_.store(true, std::memory_order_relaxed);
  team_.run([&](int w) {
    const Share rows = share_of(count, team_.size(), w);
    for (int i = rows.begin; i < rows.end; ++i) {
      kernels::rms_norm(options_.isa, row_of(workers_[0].last_x, first + i, c.hidden), pack_.final_norm(),
                        c.hidden, c.norm_eps, row_of(head_norm_, i, c.hidden));
    }
    quantise(head_norm_.data(), c.hidden, head_act_, rows);
    const AdaptedRows adapted{workers_[0].low, -1, true, count, first};
    lower(w, adapted, {PartRole::kHead}, head_act_, rows);
    team_.barrier(w);
    split_tiles(pile_, tiles, count, team_.size(), w, [&](Share piece) {
      multiply(head, head_act_, logits_.data(), c.vocab, piece);
      raise(w, adapted, PartRole::kHead, logits_.data(), c.vocab, piece);
    });
  });
  if (!is_finite_.load(std::memory_order_relaxed)) {
    return data_loss("the last residual row holds a value that is not finite");
  }
  return logits_.data();
}

}  // namespace adit::model
