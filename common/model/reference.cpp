// SPDX-License-Identifier: MIT
#include "common/model/reference.hpp"

#include <algorithm>
#include <cmath>
#include <mutex>
#include <optional>
#include <utility>

#include "common/model/parallel_rows.hpp"
#include "common/model/reference_state.hpp"
#include "common/model/rope_frequencies.hpp"
#include "kernels/linear/linear.h"

namespace adit::model {
namespace {

constexpr int kQueryBlock = 48;
constexpr int kLoadRows = 64;

using plain::kChunkTokens;
using plain::Rows;
using plain::Sequence;
using plain::z;

}  // namespace

namespace plain {

void rms_norm(const float* x, const float* weight, int n, float eps, float* out) {
  double square = 0;
  for (int i = 0; i < n; ++i) square += static_cast<double>(x[i]) * static_cast<double>(x[i]);
  const auto scale = static_cast<float>(1.0 / std::sqrt(square / n + static_cast<double>(eps)));
  for (int i = 0; i < n; ++i) out[i] = x[i] * scale * weight[i];
}

void rotate(float* row, int heads, int position, const std::vector<double>& inv_freq, double factor) {
  const int half = static_cast<int>(inv_freq.size()), head_dim = 2 * half;
  for (int i = 0; i < half; ++i) {
    const double angle = position * inv_freq[z(i)];
    const auto c = static_cast<float>(std::cos(angle) * factor);
    const auto s = static_cast<float>(std::sin(angle) * factor);
    for (int h = 0; h < heads; ++h) {
      float* a = row + h * head_dim + i;
      float* b = a + half;
      const float x = *a, y = *b;
      *a = x * c - y * s;
      *b = y * c + x * s;
    }
  }
}

void softmax(float* scores, int count, int width, float scale) {
  float top = scores[0];
  for (int i = 1; i < count; ++i) top = std::max(top, scores[i]);
  double sum = 0;
  for (int i = 0; i < count; ++i) {
    scores[i] = std::exp((scores[i] - top) * scale);
    sum += static_cast<double>(scores[i]);
  }
  const auto inverse = static_cast<float>(1.0 / sum);
  for (int i = 0; i < count; ++i) scores[i] *= inverse;
  std::fill(scores + count, scores + width, 0.0f);
}

void round_activations(kernels::ActForm form, const float* x, int n, int width, float* out) {
  kernels::ActBuffer act;
  act.prepare(kernels::Isa::kScalar, form, n, width);
  kernels::quantize(kernels::Isa::kScalar, x, z(width), act, 0, n);
  const bool a16 = form == kernels::ActForm::kA16;
  for (int t = 0; t < n; ++t) {
    for (int i = 0; i < width; ++i) {
      const int hi = act.hi(t)[i];
      const int value = a16 ? 256 * hi + act.lo(t)[i] : hi * (1 << act.shift(t)[i / kernels::kGroup]);
      *out++ = static_cast<float>(value) * act.scale(t);
    }
  }
}

}  // namespace plain

const Part& Reference::State::part(const std::string& name) const {
  return *std::find_if(parts.begin(), parts.end(), [&](const Part& p) { return p.name == name; });
}

Result<std::vector<float>> Reference::State::load_matrix(const std::string& name, int first, int count) const {
  const Part& p = part(name);
  std::vector<float> matrix(z(count) * z(p.k));
  std::mutex mutex;
  std::optional<Error> error;
  parallel_rows(threads, count, kLoadRows, [&](int begin, int end) {
    const auto result = weights->rows(p, first + begin, end - begin, matrix.data() + z(begin) * z(p.k));
    if (result) return;
    const std::lock_guard lock(mutex);
    error = result.error();
  });
  if (error) return tl::unexpected<Error>(*error);
  return matrix;
}

Result<void> Reference::State::load(const std::string& name, int first, int count, Panels& out) const {
  ADIT_TRY(const std::vector<float> matrix, load_matrix(name, first, count));
  make_panels(matrix.data(), z(part(name).k), 1, count, part(name).k, out);
  return {};
}

Result<std::vector<float>> Reference::State::load_vector(const std::string& name) const {
  std::vector<float> out(z(part(name).k));
  ADIT_TRY_VOID(weights->rows(part(name), 0, 1, out.data()));
  return out;
}

void Reference::State::multiply(const std::string& name, const Panels& w, const float* x, int n,
                                float* y) const {
  const std::optional<kernels::ActForm> act = weights->act(part(name));
  parallel_rows(threads, n, kChunkTokens, [&](int begin, int end) {
    const float* from = x + z(begin) * z(w.k);
    std::vector<float> rounded;
    if (act) {
      rounded.resize(z(end - begin) * z(w.k));
      plain::round_activations(*act, from, end - begin, w.k, rounded.data());
      from = rounded.data();
    }
    reference_gemm(w, {from, z(w.k), end - begin, w.k, w.m, y + z(begin) * z(w.m), z(w.m)});
  });
}

Result<void> Reference::State::linear(const std::string& name, const Rows& x, Rows& y) const {
  if (observer) observer(part(name), 0, x.data.data(), x.n);
  Panels w;
  ADIT_TRY_VOID(load(name, 0, part(name).m, w));
  multiply(name, w, x.data.data(), x.n, y.data.data());
  if (!part(name).has_bias) return {};
  std::vector<float> bias(z(y.width));
  ADIT_TRY_VOID(weights->bias(part(name), bias.data()));
  for (int i = 0; i < y.n; ++i) {
    for (int j = 0; j < y.width; ++j) y.row(i)[j] += bias[z(j)];
  }
  return {};
}

Result<Rows> Reference::State::norm(const std::string& name, const Rows& x) const {
  ADIT_TRY(const std::vector<float> weight, load_vector(name));
  Rows out(x.n, x.width);
  for (int i = 0; i < x.n; ++i)
    plain::rms_norm(x.row(i), weight.data(), x.width, weights->config().norm_eps, out.row(i));
  return out;
}

// RMSNorm of each head of each row.
Result<void> Reference::State::norm_heads(const std::string& name, Rows& x) const {
  ADIT_TRY(const std::vector<float> weight, load_vector(name));
  const int dim = weights->config().head_dim;
  for (std::size_t at = 0; at < x.data.size(); at += z(dim)) {
    float* row = x.data.data() + at;
    plain::rms_norm(row, weight.data(), dim, weights->config().norm_eps, row);
  }
  return {};
}

Result<Rows> Reference::State::embed(std::span<const std::vector<TokenId>> sequences) const {
  std::size_t total = 0;
  for (const auto& ids : sequences) total += ids.size();
  const ModelConfig& config = weights->config();
  Rows x(static_cast<int>(total), config.hidden);
  int at = 0;
  for (const auto& ids : sequences) {
    if (ids.empty()) return invalid_argument("reference: an empty sequence");
    for (const TokenId id : ids) {
      if (id < 0 || id >= config.vocab) {
        return invalid_argument("reference: token id {}, expected 0..{}", id, config.vocab - 1);
      }
      ADIT_TRY_VOID(weights->rows(part("embedding"), id, 1, x.row(at++)));
    }
  }
  return x;
}

// One head over one sequence: blocks of queries against all keys up to the block's last.
void Reference::State::attend(const Sequence& s, int head_index, const Rows& q, const Rows& k,
                              const Rows& v, Rows& out) const {
  const ModelConfig& c = weights->config();
  const int d = c.head_dim, kv_head = head_index / (c.heads / c.kv_heads);
  Panels keys, values;
  make_panels(k.row(s.begin) + kv_head * d, z(k.width), 1, s.length, d, keys);
  make_panels(v.row(s.begin) + kv_head * d, 1, z(v.width), d, s.length, values);
  std::vector<float> scores(z(kQueryBlock) * z(s.length));
  const auto scale = static_cast<float>(c.rope.score_factor / std::sqrt(static_cast<double>(d)));
  for (int begin = 0; begin < s.length; begin += kQueryBlock) {
    const int n = std::min(kQueryBlock, s.length - begin), seen = begin + n;
    reference_gemm(keys, {q.row(s.begin + begin) + head_index * d, z(q.width), n, d, seen, scores.data(),
                          z(s.length)});
    for (int i = 0; i < n; ++i) plain::softmax(scores.data() + z(i) * z(s.length), begin + i + 1, seen, scale);
    reference_gemm(values, {scores.data(), z(s.length), n, seen, d,
                            out.row(s.begin + begin) + head_index * d, z(out.width)});
  }
}

Result<void> Reference::State::attention(int layer, const std::vector<Sequence>& sequences, Rows& x) const {
  const ModelConfig& c = weights->config();
  const std::string at = fmt::format("layers.{}.", layer);
  ADIT_TRY(const Rows normed, norm(at + "attn_norm", x));
  Rows q(x.n, c.heads * c.head_dim), k(x.n, c.kv_heads * c.head_dim), v(x.n, c.kv_heads * c.head_dim);
  ADIT_TRY_VOID(linear(at + "attn_q", normed, q));
  ADIT_TRY_VOID(linear(at + "attn_k", normed, k));
  ADIT_TRY_VOID(linear(at + "attn_v", normed, v));
  if (c.has_qk_norm()) {
    ADIT_TRY_VOID(norm_heads(at + "attn_q_norm", q));
    ADIT_TRY_VOID(norm_heads(at + "attn_k_norm", k));
  }
  Rows out(x.n, q.width);
  for (const Sequence& s : sequences) {
    parallel_rows(threads, s.length, kChunkTokens, [&](int begin, int end) {
      for (int i = begin; i < end; ++i) {
        plain::rotate(q.row(s.begin + i), c.heads, i, inv_freq, c.rope.attention_factor);
        plain::rotate(k.row(s.begin + i), c.kv_heads, i, inv_freq, c.rope.attention_factor);
      }
    });
    parallel_rows(threads, c.heads, 1, [&](int begin, int end) {
      for (int i = begin; i < end; ++i) attend(s, i, q, k, v, out);
    });
  }
  Rows y(x.n, c.hidden);
  ADIT_TRY_VOID(linear(at + "attn_o", out, y));
  for (std::size_t i = 0; i < x.data.size(); ++i) x.data[i] += y.data[i];
  return {};
}

Result<void> Reference::State::gated(const std::array<std::string, 3>& names, int first, int ffn, const Rows& x,
                                     Rows& y) const {
  Rows gate(x.n, ffn), up(x.n, ffn);
  for (const auto& [name, out] : {std::pair{&names[0], &gate}, {&names[1], &up}}) {
    Panels w;
    if (observer) observer(part(*name), first * ffn, x.data.data(), x.n);
    ADIT_TRY_VOID(load(*name, first * ffn, ffn, w));
    multiply(*name, w, x.data.data(), x.n, out->data.data());
  }
  for (std::size_t i = 0; i < gate.data.size(); ++i) {
    const float g = gate.data[i];
    gate.data[i] = g / (1.0f + std::exp(-g)) * up.data[i];
  }
  Panels down;
  if (observer) observer(part(names[2]), first * y.width, gate.data.data(), x.n);
  ADIT_TRY_VOID(load(names[2], first * y.width, y.width, down));
  multiply(names[2], down, gate.data.data(), x.n, y.data.data());
  return {};
}

Result<void> Reference::State::feed_forward(int layer, Rows& x) const {
  const ModelConfig& c = weights->config();
  const std::string at = fmt::format("layers.{}.", layer);
  ADIT_TRY(const Rows normed, norm(at + "ffn_norm", x));
  Rows y(x.n, c.hidden);
  if (c.is_moe(layer)) {
    ADIT_TRY_VOID(experts(at, normed, y));
  } else {
    ADIT_TRY_VOID(gated({at + "ffn_gate", at + "ffn_up", at + "ffn_down"}, 0, c.ffn, normed, y));
  }
  for (std::size_t i = 0; i < x.data.size(); ++i) x.data[i] += y.data[i];
  return {};
}

Result<Reference> Reference::from_source(const WeightSource& source, int threads) {
  auto state = std::make_unique<State>();
  state->weights = weights_of(source);
  state->parts = model_parts(state->weights->config());
  state->inv_freq = inverse_frequencies(state->weights->config());
  state->threads = threads;
  return Reference(std::move(state));
}

Result<Reference> Reference::from_pack(const Pack& pack, int threads) {
  auto state = std::make_unique<State>();
  state->weights = weights_of(pack);
  state->parts = model_parts(state->weights->config());
  state->inv_freq = inverse_frequencies(state->weights->config());
  state->threads = threads;
  return Reference(std::move(state));
}

Reference::Reference(std::unique_ptr<State> state) : state_(std::move(state)) {}
Reference::Reference(Reference&&) noexcept = default;
Reference& Reference::operator=(Reference&&) noexcept = default;
Reference::~Reference() = default;

void Reference::observe(Observer observer) { state_->observer = std::move(observer); }

void Reference::observe_experts(ExpertObserver observer) { state_->expert_observer = std::move(observer); }

const ModelConfig& Reference::config() const {
  return state_->weights->config();
}

Result<std::vector<float>> Reference::hidden(std::span<const std::vector<TokenId>> sequences,
                                             const std::function<void(double)>& progress) const {
  ADIT_TRY(Rows x, state_->embed(sequences));
  std::vector<Sequence> layout;
  int at = 0;
  for (const auto& ids : sequences) {
    layout.push_back({at, static_cast<int>(ids.size())});
    at += layout.back().length;
  }
  for (int layer = 0; layer < config().layers; ++layer) {
    if (progress) progress(static_cast<double>(layer) / config().layers);
    ADIT_TRY_VOID(config().is_mla() ? state_->latent_attention(layer, layout, x)
                                    : state_->attention(layer, layout, x));
    ADIT_TRY_VOID(state_->feed_forward(layer, x));
  }
  ADIT_TRY(Rows out, state_->norm("final_norm", x));
  return std::move(out.data);
}

Result<void> Reference::logits(const float* hidden_rows, int n, float* out) const {
  const std::string name = config().tied_head ? "embedding" : "head";
  {
    const std::lock_guard lock(state_->head_mutex);
    if (state_->head.m == 0) {
      ADIT_TRY_VOID(state_->load(name, 0, config().vocab, state_->head));
    }
  }
  state_->multiply(name, state_->head, hidden_rows, n, out);
  return {};
}

}  // namespace adit::model
