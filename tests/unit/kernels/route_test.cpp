// SPDX-License-Identifier: MIT
// The choice of experts: equal to a plain version that sorts, ties included, and the same bits everywhere.
#include "kernels/moe/route.h"

#include <algorithm>
#include <limits>
#include <numeric>

#include <gtest/gtest.h>

#include "kernels/core/trees.h"
#include "tests/unit/kernels/kernel_test.hpp"

namespace adit::kernels {
namespace {

struct Routed {
  std::vector<std::int32_t> chosen;
  std::vector<float> weights;
};

std::size_t z(int value) { return static_cast<std::size_t>(value); }

Routed run(Isa isa, const RouteShape& shape, const std::vector<float>& logits) {
  Routed out{std::vector<std::int32_t>(z(shape.per_token)), std::vector<float>(z(shape.per_token))};
  std::vector<float> scratch(route_scratch_floats(shape.experts), 9.0f);
  EXPECT_TRUE(route(isa, shape, logits.data(), scratch.data(), out.chosen.data(), out.weights.data()));
  return out;
}

// Indices [0, n) by (value descending, index ascending).
std::vector<int> ranked(const std::vector<float>& values) {
  std::vector<int> order(values.size());
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(), [&](int a, int b) { return values[z(a)] > values[z(b)]; });
  return order;
}

std::vector<float> plain_scores(const RouteShape& shape, const std::vector<float>& logits) {
  std::vector<float> out = logits;
  if (shape.is_sigmoid) {
    for (float& x : out) x = 1.0f / (1.0f + exp_c(-x));
    return out;
  }
  const float largest = *std::max_element(out.begin(), out.end());
  for (float& x : out) x = exp_c(x - largest);
  const float sum = sum_tree<256>(out.data(), shape.experts);
  for (float& x : out) x = x / sum;
  return out;
}

Routed plain(const RouteShape& shape, const std::vector<float>& logits) {
  const std::vector<float> scores = plain_scores(shape, logits);
  std::vector<float> values = scores;
  if (shape.bias != nullptr) {
    for (std::size_t i = 0; i < values.size(); ++i) values[i] = values[i] + shape.bias[i];
  }
  const int size = shape.experts / shape.groups;
  std::vector<float> group_values;
  for (int g = 0; g < shape.groups; ++g) {
    std::vector<float> group(values.begin() + g * size, values.begin() + (g + 1) * size);
    std::sort(group.begin(), group.end(), std::greater<>());
    float sum = group[0];
    for (int i = 1; i < shape.group_top; ++i) sum = sum + group[z(i)];
    group_values.push_back(sum);
  }
  std::vector<int> groups = ranked(group_values);
  groups.resize(z(shape.groups_per_token));
  Routed out;
  for (const int e : ranked(values)) {
    if (shape.groups > 1 && std::find(groups.begin(), groups.end(), e / size) == groups.end()) continue;
    if (out.chosen.size() < z(shape.per_token)) out.chosen.push_back(e);
  }
  std::sort(out.chosen.begin(), out.chosen.end());
  float sum = 0.0f;
  for (const int e : out.chosen) sum = sum + scores[z(e)];
  for (const int e : out.chosen) {
    const float score = shape.normalise ? scores[z(e)] / (sum + 1e-20f) : scores[z(e)];
    out.weights.push_back(score * shape.scale);
  }
  return out;
}

RouteShape draw_shape(Random& random) {
  RouteShape shape;
  const int size = random.between(1, 24);
  shape.groups = random.between(1, 8);
  shape.experts = size * shape.groups;
  shape.groups_per_token = random.between(1, shape.groups);
  shape.group_top = random.between(1, std::min(size, 3));
  shape.per_token = random.between(1, std::min(size * shape.groups_per_token, 9));
  shape.is_sigmoid = random.between(0, 1) == 1;
  shape.normalise = random.between(0, 1) == 1;
  shape.scale = 1.0f + random.unit();
  return shape;
}

TEST(Route, equals_a_plain_version_ties_included) {
  const std::uint64_t seed = test_seed();
  Random random(seed);
  std::vector<Isa> isas = vector_isas();
  isas.push_back(Isa::kScalar);
  for (int round = 0; round < 400; ++round) {
    RouteShape shape = draw_shape(random);
    // Now and then DeepSeek-V3's own.
    if (round % 50 == 0) shape = {256, 8, 8, 4, 2, true, true, 2.5f, nullptr};
    std::vector<float> logits(z(shape.experts));
    std::vector<float> bias(z(shape.experts));
    // Few distinct values: ties between experts and between groups are the rule. Biased values may be
    // negative: a closed group must not win over them.
    const bool coarse = random.between(0, 1) == 1;
    for (float& x : logits) x = coarse ? static_cast<float>(random.between(-1, 1)) : 8 * random.unit();
    for (float& x : bias) x = coarse ? -static_cast<float>(random.between(0, 2)) : random.unit() - 1.0f;
    if (random.between(0, 2) > 0) shape.bias = bias.data();
    const Routed want = plain(shape, logits);
    for (const Isa isa : isas) {
      const Routed got = run(isa, shape, logits);
      ASSERT_EQ(got.chosen, want.chosen) << case_name(isa, seed, round);
      ASSERT_TRUE(same_bits(got.weights, want.weights)) << case_name(isa, seed, round);
    }
  }
}

TEST(Route, all_equal_logits_choose_the_first_experts_of_the_first_groups) {
  RouteShape shape{.experts = 12, .per_token = 5, .groups = 4, .groups_per_token = 2, .group_top = 2};
  for (const bool sigmoid : {false, true}) {
    shape.is_sigmoid = sigmoid;
    shape.normalise = true;
    const Routed got = run(best_isa(), shape, std::vector<float>(12, -0.0f));
    EXPECT_EQ(got.chosen, (std::vector<std::int32_t>{0, 1, 2, 3, 4}));
    for (const float w : got.weights) EXPECT_NEAR(w, 0.2f, 1e-6f);
  }
}

TEST(Route, a_logit_that_is_not_finite_is_an_error) {
  const RouteShape shape{.experts = 8, .per_token = 3};
  std::vector<float> logits(8, 1.0f);
  std::vector<float> scratch(route_scratch_floats(8));
  std::vector<std::int32_t> chosen(3);
  std::vector<float> weights(3);
  for (const float bad : {std::numeric_limits<float>::infinity(), std::numeric_limits<float>::quiet_NaN()}) {
    logits[6] = bad;
    EXPECT_FALSE(route(best_isa(), shape, logits.data(), scratch.data(), chosen.data(), weights.data()));
    EXPECT_EQ(chosen, (std::vector<std::int32_t>{0, 1, 2}));
  }
}

TEST(Route, router_logits_are_dots_of_256_lanes) {
  Random random(test_seed());
  const std::vector<float> x = random.wide_row(300);
  const std::vector<float> router = random.wide_row(7 * 300);
  std::vector<Isa> isas = vector_isas();
  isas.push_back(Isa::kScalar);
  for (const Isa isa : isas) {
    std::vector<float> logits(7, 5.0f);
    router_logits(isa, x.data(), router.data(), 300, 2, 6, logits.data());
    for (int e = 0; e < 7; ++e) {
      const float want = e < 2 || e == 6 ? 5.0f : dot_tree<256>(x.data(), router.data() + e * 300, 300);
      EXPECT_EQ(bits_of(logits[z(e)]), bits_of(want));
    }
  }
}

}  // namespace
}  // namespace adit::kernels
