// SPDX-License-Identifier: MIT
// The indexer: the same bits for every instruction set; Hadamard, rounding and selection as their definitions
// say; the scores' integers are exact.
#include "kernels/indexer/indexer.h"

#include <algorithm>
#include <bit>
#include <limits>
#include <numeric>

#include <gtest/gtest.h>

#include "kernels/core/trees.h"
#include "kernels/indexer/top_k.h"
#include "tests/unit/kernels/kernel_test.hpp"

namespace adit::kernels {
namespace {

std::size_t z(int value) { return static_cast<std::size_t>(value); }

std::vector<Isa> all_isas() {
  std::vector<Isa> isas = vector_isas();
  isas.push_back(Isa::kScalar);
  return isas;
}

TEST(Hadamard, equals_the_matrix_of_signs_and_has_equal_bits) {
  Random random(test_seed());
  for (int dim = 2; dim <= 1024; dim *= 2) {
    const std::vector<float> x = random.wide_row(dim);
    std::vector<float> want = x;
    hadamard(Isa::kScalar, want.data(), dim);
    for (const Isa isa : vector_isas()) {
      std::vector<float> got = x;
      hadamard(isa, got.data(), dim);
      ASSERT_TRUE(same_bits(got, want)) << isa_name(isa) << ", dim " << dim;
    }
    for (int i = 0; i < dim; ++i) {
      double sum = 0;
      for (int j = 0; j < dim; ++j) {
        const bool odd = std::popcount(static_cast<unsigned>(i & j)) % 2 == 1;
        sum += odd ? -static_cast<double>(x[z(j)]) : static_cast<double>(x[z(j)]);
      }
      EXPECT_NEAR(want[z(i)], sum / std::sqrt(dim), 1e-4) << dim;
    }
  }
}

TEST(IndexRows, rounding_to_int8_is_by_the_definition) {
  Random random(test_seed());
  for (int round = 0; round < 100; ++round) {
    const int n = random.between(1, 200);
    const std::vector<float> x = random.wide_row(n);
    float amax = 0;
    for (const float value : x) amax = std::max(amax, std::fabs(value));
    for (const Isa isa : all_isas()) {
      std::vector<std::int8_t> q(z(n), 99);
      float scale = -1;
      ASSERT_TRUE(quantize_int8(isa, x.data(), n, q.data(), scale));
      EXPECT_EQ(scale, amax / 127.0f);
      for (int i = 0; i < n; ++i) {
        const float want = amax == 0 ? 0.0f : std::nearbyint(x[z(i)] * (127.0f / amax));
        ASSERT_EQ(static_cast<float>(q[z(i)]), want) << isa_name(isa);
      }
    }
  }
  std::vector<float> bad{1.0f, std::numeric_limits<float>::infinity()};
  std::vector<std::int8_t> q(2, 99);
  float scale = 1;
  EXPECT_FALSE(quantize_int8(best_isa(), bad.data(), 2, q.data(), scale));
  EXPECT_EQ(q, (std::vector<std::int8_t>{0, 0}));
  bad = {0x1p-97f, 0.0f};
  EXPECT_TRUE(quantize_int8(best_isa(), bad.data(), 2, q.data(), scale));
  EXPECT_EQ(scale, 0.0f);
}

TEST(IndexRows, head_weights_fill_sixteen_bits) {
  const std::vector<float> w{0.5f, -2.0f, 0.0f, 1.0f};
  const std::vector<float> s{2.0f, 0.25f, 3.0f, 0.125f};
  std::vector<std::int32_t> out(4);
  ASSERT_TRUE(head_weights(w.data(), s.data(), 4, out.data()));
  EXPECT_EQ(out, (std::vector<std::int32_t>{32767, -16384, 0, 4096}));
  const std::vector<float> nothing(4, 0.0f);
  ASSERT_TRUE(head_weights(nothing.data(), s.data(), 4, out.data()));
  EXPECT_EQ(out, (std::vector<std::int32_t>{0, 0, 0, 0}));
  const std::vector<float> nan(4, std::numeric_limits<float>::quiet_NaN());
  EXPECT_FALSE(head_weights(nan.data(), s.data(), 4, out.data()));
}

TEST(IndexRows, layer_norm_has_equal_bits_and_is_close_to_f64) {
  Random random(test_seed());
  for (const int n : {8, 32, 100, 128, 300}) {
    const std::vector<float> x = random.wide_row(n), w = random.wide_row(n), b = random.wide_row(n);
    std::vector<float> want(z(n));
    layer_norm(Isa::kScalar, x.data(), w.data(), b.data(), n, want.data());
    double mean = 0, variance = 0;
    for (const float value : x) mean += static_cast<double>(value) / n;
    for (const float value : x) variance += std::pow(static_cast<double>(value) - mean, 2) / n;
    for (int i = 0; i < n; ++i) {
      const double y = (static_cast<double>(x[z(i)]) - mean) / std::sqrt(variance + 1e-6);
      const double exact = y * static_cast<double>(w[z(i)]) + static_cast<double>(b[z(i)]);
      EXPECT_NEAR(want[z(i)], exact, 1e-4 * (1 + std::fabs(exact)));
    }
    for (const Isa isa : vector_isas()) {
      std::vector<float> got = x;
      layer_norm(isa, got.data(), w.data(), b.data(), n, got.data());
      EXPECT_TRUE(same_bits(got, want)) << isa_name(isa) << ", n " << n;
    }
  }
}

struct Problem {
  int heads, dim, count;
  std::vector<std::int8_t> q;
  std::vector<std::int32_t> weights;
  std::vector<std::vector<std::uint16_t>> memory;
  std::vector<const std::uint16_t*> blocks;

  std::uint8_t* block(int position) {
    return reinterpret_cast<std::uint8_t*>(memory[z(position / kKeyBlock)].data() + 8);
  }
  std::vector<float> run(Isa isa) const {
    std::vector<float> out(z(count), -7.0f);
    std::vector<std::uint8_t> scratch(index_scratch_bytes(heads, dim) + 1, 0x55);
    IndexParams params;
    params.heads = heads;
    params.dim = dim;
    params.q = q.data();
    params.weights = weights.data();
    params.keys = {blocks.data(), 8};
    params.count = count;
    params.out = out.data();
    params.scratch = scratch.data() + 1;
    index_scores(isa, params);
    return out;
  }
};

Problem make_problem(Random& random, int heads, int dim, int count, bool extreme) {
  Problem p{heads, dim, count, {}, {}, {}, {}};
  for (int i = 0; i < heads * dim; ++i)
    p.q.push_back(static_cast<std::int8_t>(extreme ? (random.between(0, 9) > 0 ? 127 : -127)
                                                   : random.between(-127, 127)));
  for (int h = 0; h < heads; ++h)
    p.weights.push_back(extreme ? 32767 - 65534 * (h % 2) : random.between(-32767, 32767));
  for (int b = 0; b <= (count - 1) / kKeyBlock; ++b) {
    p.memory.emplace_back(8 + index_block_bytes(dim) / 2, std::uint16_t{0xffff});
  }
  for (const auto& block : p.memory) p.blocks.push_back(block.data());
  for (int s = 0; s < count; ++s) {
    auto* key = reinterpret_cast<std::int8_t*>(p.block(s) + index_key_at(s, dim));
    for (int i = 0; i < dim; ++i)
      key[i] = static_cast<std::int8_t>(extreme ? 127 : random.between(-127, 127));
    const float scale = random.between(0, 9) == 0 ? 0.0f : std::fabs(random.wide());
    std::memcpy(p.block(s) + index_scale_at(s, dim), &scale, sizeof scale);
  }
  return p;
}

TEST(IndexScores, equal_bits_on_random_shapes_and_at_the_bounds) {
  const std::uint64_t seed = test_seed();
  Random random(seed);
  for (int round = 0; round < 60; ++round) {
    const int heads = random.between(1, 70), dim = 1 << random.between(3, 8), count = random.between(1, 100);
    const Problem p = make_problem(random, heads, dim, count, round % 4 == 0);
    const std::vector<float> want = p.run(Isa::kScalar);
    for (const Isa isa : vector_isas()) {
      ASSERT_TRUE(same_bits(p.run(isa), want))
          << case_name(isa, seed, round) << ", heads " << heads << ", dim " << dim << ", count " << count;
    }
  }
}

TEST(IndexScores, sums_beyond_32_bits_are_exact) {
  Random random(test_seed());
  Problem p = make_problem(random, 64, 128, 2, true);
  std::fill(p.q.begin(), p.q.end(), std::int8_t{127});
  std::fill(p.weights.begin(), p.weights.end(), 32767);
  const float one = 1.0f;
  std::memcpy(p.block(0) + index_scale_at(0, 128), &one, sizeof one);
  // 64 heads of 32767 * (128 * 127 * 127), rounded once.
  const auto want = static_cast<float>(64LL * 32767 * (128LL * 127 * 127));
  for (const Isa isa : all_isas()) EXPECT_EQ(p.run(isa)[0], want) << isa_name(isa);
}

std::vector<std::int32_t> sorted_choice(const std::vector<float>& scores, int k) {
  std::vector<std::int32_t> order(scores.size());
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(),
                   [&](int a, int b) { return scores[z(a)] > scores[z(b)]; });
  order.resize(z(k));
  std::sort(order.begin(), order.end());
  return order;
}

TEST(TopK, equals_a_stable_sort_ties_and_both_zeros_included) {
  const std::uint64_t seed = test_seed();
  Random random(seed);
  for (int round = 0; round < 500; ++round) {
    const int n = random.between(1, 300), k = random.between(1, n);
    std::vector<float> scores(z(n));
    const int kind = random.between(0, 3);
    for (float& x : scores) {
      if (kind == 0) x = random.wide();
      if (kind == 1) x = static_cast<float>(random.between(-1, 1));
      if (kind == 2) x = random.between(0, 1) == 0 ? 0.0f : -0.0f;
      if (kind == 3) x = -1.0f;
    }
    if (kind == 0 && n > 3) scores[1] = std::numeric_limits<float>::infinity();
    std::vector<std::int32_t> chosen(z(k), -1);
    top_k(scores.data(), n, k, chosen.data());
    ASSERT_EQ(chosen, sorted_choice(scores, k)) << "seed " << seed << ", round " << round;
  }
}

}  // namespace
}  // namespace adit::kernels
