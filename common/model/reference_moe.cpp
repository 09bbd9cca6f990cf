// SPDX-License-Identifier: MIT
// A layer of experts of the f32 reference, as DeepSeek's papers write it.
#include <algorithm>
#include <cmath>
#include <numeric>

#include "common/model/reference_state.hpp"

namespace adit::model {
namespace {

using plain::Rows;
using plain::z;

struct Choice {
  int expert = 0;
  double weight = 0;
};

// Indices by descending value; of equal values the lower index first.
std::vector<int> descending(const std::vector<double>& values) {
  std::vector<int> order(values.size());
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(), [&](int a, int b) { return values[z(a)] > values[z(b)]; });
  return order;
}

std::vector<double> affinities(const MoeShape& moe, const std::vector<double>& logits) {
  std::vector<double> out;
  if (moe.router == Router::kSigmoid) {
    for (const double x : logits) out.push_back(1 / (1 + std::exp(-x)));
    return out;
  }
  const double largest = *std::max_element(logits.begin(), logits.end());
  double sum = 0;
  for (const double x : logits) out.push_back(std::exp(x - largest));
  for (const double p : out) sum += p;
  for (double& p : out) p /= sum;
  return out;
}

// DeepSeek-V2 section 2.2.2 (device-limited: best of a group), DeepSeek-V3 section 2.1.2 (best two of a group).
std::vector<Choice> choose(const MoeShape& moe, const std::vector<double>& scores,
                           const std::vector<float>& bias) {
  std::vector<double> values = scores;
  for (std::size_t i = 0; i < bias.size(); ++i) values[i] += static_cast<double>(bias[i]);
  const int size = moe.experts / moe.groups;
  std::vector<double> worth;
  for (int g = 0; g < moe.groups; ++g) {
    std::vector<double> group(values.begin() + g * size, values.begin() + (g + 1) * size);
    std::sort(group.begin(), group.end(), std::greater<>());
    worth.push_back(std::accumulate(group.begin(), group.begin() + moe.group_top, 0.0));
  }
  std::vector<bool> open(z(moe.groups), moe.groups == 1);
  const std::vector<int> groups = descending(worth);
  for (int i = 0; i < moe.groups_per_token; ++i) open[z(groups[z(i)])] = true;
  std::vector<Choice> out;
  double sum = 1e-20;
  for (const int expert : descending(values)) {
    if (!open[z(expert / size)] || out.size() == z(moe.per_token)) continue;
    out.push_back({expert, scores[z(expert)]});
    sum += scores[z(expert)];
  }
  for (Choice& choice : out) choice.weight *= moe.scale / (moe.normalise ? sum : 1);
  return out;
}

}  // namespace

Result<void> Reference::State::experts(const std::string& at, const Rows& x, Rows& y) const {
  const ModelConfig& c = weights->config();
  const MoeShape& moe = c.moe;
  ADIT_TRY(const std::vector<float> router, load_matrix(at + "router", 0, moe.experts));
  std::vector<float> bias;
  if (moe.has_bias) {
    ADIT_TRY(bias, load_vector(at + "router_bias"));
  }
  // Rows of each expert, and their weights.
  std::vector<std::vector<std::pair<int, double>>> guests(z(moe.experts));
  for (int i = 0; i < x.n; ++i) {
    std::vector<double> logits(z(moe.experts), 0);
    for (std::size_t e = 0; e < logits.size(); ++e) {
      for (std::size_t k = 0; k < z(c.hidden); ++k)
        logits[e] += static_cast<double>(x.row(i)[k]) * static_cast<double>(router[e * z(c.hidden) + k]);
    }
    for (const Choice& choice : choose(moe, affinities(moe, logits), bias))
      guests[z(choice.expert)].emplace_back(i, choice.weight);
  }
  if (moe.shared_ffn > 0) {
    ADIT_TRY_VOID(gated({at + "shared_gate", at + "shared_up", at + "shared_down"}, 0, moe.shared_ffn, x, y));
  }
  for (int e = 0; e < moe.experts; ++e) {
    const auto& here = guests[z(e)];
    if (here.empty()) continue;
    Rows in(static_cast<int>(here.size()), c.hidden), out(in.n, c.hidden);
    for (int i = 0; i < in.n; ++i) std::copy_n(x.row(here[z(i)].first), c.hidden, in.row(i));
    ADIT_TRY_VOID(gated({at + "experts_gate", at + "experts_up", at + "experts_down"}, e, moe.ffn, in, out));
    for (int i = 0; i < in.n; ++i) {
      if (expert_observer) expert_observer(part(at + "router").layer, e, here[z(i)].second, out.row(i));
      const auto weight = static_cast<float>(here[z(i)].second);
      for (int k = 0; k < c.hidden; ++k) y.row(here[z(i)].first)[k] += weight * out.row(i)[k];
    }
  }
  return {};
}

}  // namespace adit::model
