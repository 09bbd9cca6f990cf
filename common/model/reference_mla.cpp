// SPDX-License-Identifier: MIT
// Multi-head latent attention of the f32 reference, not absorbed: keys and values of every head are made from
// the latent rows. And DeepSeek-V3.2's indexer.
#include <algorithm>
#include <bit>
#include <cmath>
#include <numeric>

#include "common/model/parallel_rows.hpp"
#include "common/model/reference_state.hpp"

namespace adit::model {
namespace {

using plain::Rows;
using plain::Sequence;
using plain::z;

// LayerNorm of one row.
void layer_norm(float* x, const std::vector<float>& weight, const std::vector<float>& bias) {
  const double n = static_cast<double>(weight.size());
  double mean = 0, variance = 0;
  for (std::size_t i = 0; i < weight.size(); ++i) mean += static_cast<double>(x[i]) / n;
  for (std::size_t i = 0; i < weight.size(); ++i) variance += std::pow(static_cast<double>(x[i]) - mean, 2) / n;
  const double scale = 1 / std::sqrt(variance + 1e-6);
  for (std::size_t i = 0; i < weight.size(); ++i) {
    const double y = (static_cast<double>(x[i]) - mean) * scale;
    x[i] = static_cast<float>(y * static_cast<double>(weight[i]) + static_cast<double>(bias[i]));
  }
}

// What is left of a row after the orthogonal transform that a pack's indexer rounds under.
void transform_and_round(float* x, std::size_t n) {
  std::vector<double> y(n, 0);
  double largest = 0;
  for (std::size_t i = 0; i < n; ++i) {
    for (std::size_t j = 0; j < n; ++j)
      y[i] += (std::popcount(i & j) % 2 == 0 ? 1 : -1) * static_cast<double>(x[j]);
    largest = std::max(largest, std::fabs(y[i]));
  }
  for (std::size_t i = 0; i < n; ++i) {
    const double step = largest > 0 ? largest / 127 : 1;
    x[i] = static_cast<float>(std::nearbyint(y[i] / step) * step);
  }
}

}  // namespace

// For each row the positions that it attends to; empty: all up to its own.
struct Reference::State::Selection {
  std::vector<std::vector<int>> chosen;
};

Result<Rows> Reference::State::latent_queries(const std::string& at, const Rows& normed, Rows& q_a) const {
  const ModelConfig& c = weights->config();
  Rows q(normed.n, c.heads * c.head_dim);
  if (c.mla.q_rank == 0) {
    ADIT_TRY_VOID(linear(at + "attn_q", normed, q));
    return q;
  }
  Rows low(normed.n, c.mla.q_rank);
  ADIT_TRY_VOID(linear(at + "attn_q_a", normed, low));
  ADIT_TRY(q_a, norm(at + "attn_q_a_norm", low));
  ADIT_TRY_VOID(linear(at + "attn_q_b", q_a, q));
  return q;
}

// I[t, s] = sum_h w[t, h] relu(q[t, h] . k[s]); the top_k largest of each t (DeepSeek-V3.2-Exp, equation 1).
Result<Reference::State::Selection> Reference::State::select(const std::string& at,
                                                             const std::vector<Sequence>& sequences,
                                                             const Rows& normed, const Rows& q_a) const {
  const ModelConfig& c = weights->config();
  const IndexerShape& x = c.indexer;
  Selection out{std::vector<std::vector<int>>(z(normed.n))};
  if (x.top_k == 0) return out;
  Rows q(normed.n, x.heads * x.head_dim), k(normed.n, x.head_dim), w(normed.n, x.heads);
  ADIT_TRY_VOID(linear(at + "index_q_b", q_a, q));
  ADIT_TRY_VOID(linear(at + "index_k", normed, k));
  ADIT_TRY_VOID(linear(at + "index_w", normed, w));
  ADIT_TRY(const std::vector<float> weight, load_vector(at + "index_k_norm"));
  ADIT_TRY(const std::vector<float> bias, load_vector(at + "index_k_norm_bias"));
  const bool is_rounded = weights->act(part(at + "index_k")).has_value();
  for (const Sequence& s : sequences) {
    for (int i = 0; i < s.length; ++i) {
      float* key = k.row(s.begin + i);
      layer_norm(key, weight, bias);
      plain::rotate(key, 1, i, inv_freq, c.rope.attention_factor);
      if (is_rounded) transform_and_round(key, z(x.head_dim));
      for (int h = 0; h < x.heads; ++h) {
        float* query = q.row(s.begin + i) + h * x.head_dim;
        plain::rotate(query, 1, i, inv_freq, c.rope.attention_factor);
        if (is_rounded) transform_and_round(query, z(x.head_dim));
      }
    }
    for (int i = x.top_k; i < s.length; ++i) {
      std::vector<double> score(z(i + 1), 0);
      for (int j = 0; j <= i; ++j) {
        for (int h = 0; h < x.heads; ++h) {
          const float* query = q.row(s.begin + i) + h * x.head_dim;
          const double dot = std::inner_product(query, query + x.head_dim, k.row(s.begin + j), 0.0);
          score[z(j)] += static_cast<double>(w.row(s.begin + i)[h]) * std::max(dot, 0.0);
        }
      }
      std::vector<int>& order = out.chosen[z(s.begin + i)];
      order.resize(score.size());
      std::iota(order.begin(), order.end(), 0);
      std::stable_sort(order.begin(), order.end(), [&](int a, int b) { return score[z(a)] > score[z(b)]; });
      order.resize(z(x.top_k));
    }
  }
  return out;
}

// One head: its keys and values from the latent rows, then plain attention.
Result<void> Reference::State::attend_latent(const std::string& at, int head_index,
                                             const std::vector<Sequence>& sequences, const Rows& q,
                                             const Rows& kv, const Selection& selection, Rows& out) const {
  const ModelConfig& c = weights->config();
  const MlaShape& m = c.mla;
  // W_UK of the head as [kv_rank][nope_dim]: taken as columns it makes keys.
  ADIT_TRY(const std::vector<float> w_uk, load_matrix(at + "attn_k_b", head_index * m.kv_rank, m.kv_rank));
  Panels make_k, make_v;
  make_panels(w_uk.data(), 1, z(m.nope_dim), m.nope_dim, m.kv_rank, make_k);
  ADIT_TRY_VOID(load(at + "attn_v_b", head_index * m.v_dim, m.v_dim, make_v));
  Rows k(kv.n, m.nope_dim), v(kv.n, m.v_dim);
  reference_gemm(make_k, {kv.data.data(), z(kv.width), kv.n, m.kv_rank, m.nope_dim, k.data.data(), z(k.width)});
  reference_gemm(make_v, {kv.data.data(), z(kv.width), kv.n, m.kv_rank, m.v_dim, v.data.data(), z(v.width)});
  const auto scale = static_cast<float>(c.rope.score_factor / std::sqrt(static_cast<double>(c.head_dim)));
  const auto act = weights->act(part(at + "attn_k_b"));
  for (const Sequence& s : sequences) {
    for (int i = 0; i < s.length; ++i) {
      const int row = s.begin + i;
      std::vector<int> seen = selection.chosen[z(row)];
      if (seen.empty()) {
        seen.resize(z(i + 1));
        std::iota(seen.begin(), seen.end(), 0);
      }
      std::vector<float> query(q.row(row) + head_index * c.head_dim, q.row(row) + (head_index + 1) * c.head_dim);
      if (act) plain::round_activations(*act, query.data(), 1, m.nope_dim, query.data());
      std::vector<float> p(seen.size());
      for (std::size_t j = 0; j < seen.size(); ++j) {
        const float* k_pe = kv.row(s.begin + seen[j]) + m.kv_rank;
        const float* k_nope = k.row(s.begin + seen[j]);
        const double nope = std::inner_product(query.begin(), query.begin() + m.nope_dim, k_nope, 0.0);
        p[j] = static_cast<float>(std::inner_product(query.begin() + m.nope_dim, query.end(), k_pe, nope));
      }
      plain::softmax(p.data(), static_cast<int>(p.size()), static_cast<int>(p.size()), scale);
      float* to = out.row(row) + head_index * m.v_dim;
      for (std::size_t j = 0; j < seen.size(); ++j) {
        for (int d = 0; d < m.v_dim; ++d) to[d] += p[j] * v.row(s.begin + seen[j])[d];
      }
    }
  }
  return {};
}

Result<void> Reference::State::latent_attention(int layer, const std::vector<Sequence>& sequences,
                                                Rows& x) const {
  const ModelConfig& c = weights->config();
  const MlaShape& m = c.mla;
  const std::string at = fmt::format("layers.{}.", layer);
  ADIT_TRY(const Rows normed, norm(at + "attn_norm", x));
  Rows q_a(0, 0), kv(x.n, m.kv_rank + m.rope_dim);
  ADIT_TRY(Rows q, latent_queries(at, normed, q_a));
  ADIT_TRY_VOID(linear(at + "attn_kv_a", normed, kv));
  ADIT_TRY(const std::vector<float> weight, load_vector(at + "attn_kv_a_norm"));
  for (const Sequence& s : sequences) {
    for (int i = 0; i < s.length; ++i) {
      float* row = kv.row(s.begin + i);
      plain::rms_norm(row, weight.data(), m.kv_rank, c.norm_eps, row);
      plain::rotate(row + m.kv_rank, 1, i, inv_freq, c.rope.attention_factor);
      for (int h = 0; h < c.heads; ++h) {
        plain::rotate(q.row(s.begin + i) + h * c.head_dim + m.nope_dim, 1, i, inv_freq, c.rope.attention_factor);
      }
    }
  }
  ADIT_TRY(const Selection selection, select(at, sequences, normed, q_a));
  Rows out(x.n, c.heads * m.v_dim), y(x.n, c.hidden);
  std::mutex mutex;
  std::optional<Error> error;
  parallel_rows(threads, c.heads, 1, [&](int begin, int end) {
    for (int h = begin; h < end; ++h) {
      const auto done = attend_latent(at, h, sequences, q, kv, selection, out);
      if (done) continue;
      const std::lock_guard lock(mutex);
      error = done.error();
    }
  });
  if (error) return tl::unexpected<Error>(*error);
  ADIT_TRY_VOID(linear(at + "attn_o", out, y));
  for (std::size_t i = 0; i < x.data.size(); ++i) x.data[i] += y.data[i];
  return {};
}

}  // namespace adit::model
