// SPDX-License-Identifier: MIT
// Latent attention: the vector versions give the scalar version's bits; blocks of rows and parts of heads give
// what single ones give; chosen rows give what a cache of only those rows gives; unwritten cells are never
// seen; the scalar version is close to attention in f64.
#include "kernels/mla/latent_attention.h"

#include <algorithm>
#include <array>

#include <gtest/gtest.h>

#include "tests/unit/kernels/kernel_test.hpp"

namespace adit::kernels {
namespace {

struct Shape {
  int rows;
  int heads;
  int kv_rank;
  int rope_dim;
  int first_keys;
  int cells() const { return kv_rank + rope_dim; }
  int keys() const { return first_keys + rows - 1; }
};

std::size_t z(int value) { return static_cast<std::size_t>(value); }

struct Problem {
  Shape shape;
  std::vector<float> q;
  // Blocks apart from each other and in any order; the layer's rows start `offset` cells into a block.
  std::size_t offset = 0;
  std::vector<std::vector<std::uint16_t>> memory;
  std::vector<const std::uint16_t*> blocks;
  std::vector<std::int32_t> chosen;

  LatentRows rows() const { return {blocks.data(), offset, shape.cells()}; }
  std::uint16_t* row(int position) {
    return memory[z(position / kKeyBlock)].data() + offset + z(position % kKeyBlock) * z(shape.cells());
  }

  std::vector<float> run(Isa isa, int first_row, int count, int first_head, int heads) const {
    std::vector<float> out(z(count) * z(heads) * z(shape.kv_rank), -7.0f);
    std::vector<float> scratch(latent_scratch_floats(count, heads, shape.cells(), shape.keys()), std::nanf(""));
    LatentParams params;
    params.rows = count;
    params.heads = heads;
    params.kv_rank = shape.kv_rank;
    params.first_keys = chosen.empty() ? shape.first_keys + first_row : static_cast<int>(chosen.size());
    params.scale = 0.11f;
    params.q_stride = z(shape.heads) * z(shape.cells());
    params.q = q.data() + z(first_row) * params.q_stride + z(first_head) * z(shape.cells());
    params.keys = rows();
    params.chosen = chosen.empty() ? nullptr : chosen.data();
    params.out = out.data();
    params.out_stride = z(heads) * z(shape.kv_rank);
    params.scratch = scratch.data();
    attend_latent(isa, params);
    return out;
  }
  std::vector<float> run(Isa isa) const { return run(isa, 0, shape.rows, 0, shape.heads); }
};

Problem make_problem(Random& random, const Shape& shape) {
  Problem problem;
  problem.shape = shape;
  problem.q = random.wide_row(shape.rows * shape.heads * shape.cells());
  problem.offset = z(random.between(0, 3)) * 8;
  const int blocks = (shape.keys() + kKeyBlock - 1) / kKeyBlock;
  // Cells never written hold NaNs.
  problem.memory.resize(z(blocks));
  for (auto& block : problem.memory) {
    block.assign(problem.offset + z(kKeyBlock) * z(shape.cells()), 0x7e01);
    problem.blocks.push_back(block.data());
  }
  for (int position = 0; position < shape.keys(); ++position) {
    const std::vector<float> c = random.wide_row(shape.kv_rank);
    const std::vector<float> k_pe = random.wide_row(shape.rope_dim);
    store_latent(Isa::kScalar, c.data(), shape.kv_rank, k_pe.data(), shape.rope_dim, problem.row(position));
  }
  return problem;
}

Shape draw_shape(Random& random) {
  return {.rows = random.between(1, 11),
          .heads = random.between(1, 9),
          .kv_rank = 16 * random.between(1, 9),
          .rope_dim = 8 * random.between(1, 4),
          .first_keys = random.between(1, 100)};
}

TEST(LatentAttention, equal_bits_on_random_shapes) {
  const std::uint64_t seed = test_seed();
  Random random(seed);
  for (int round = 0; round < 60; ++round) {
    const Problem problem = make_problem(random, draw_shape(random));
    const std::vector<float> want = problem.run(Isa::kScalar);
    for (const float x : want) ASSERT_TRUE(std::isfinite(x));
    for (const Isa isa : vector_isas()) {
      ASSERT_TRUE(same_bits(problem.run(isa), want))
          << case_name(isa, seed, round) << ", kv_rank " << problem.shape.kv_rank << ", rope "
          << problem.shape.rope_dim << ", rows " << problem.shape.rows << ", heads " << problem.shape.heads
          << ", first_keys " << problem.shape.first_keys;
    }
  }
}

TEST(LatentAttention, equal_bits_at_the_size_of_deepseek_v3) {
  Random random(test_seed());
  const Problem problem = make_problem(
      random, {.rows = 3, .heads = 16, .kv_rank = 512, .rope_dim = 64, .first_keys = 95});
  const std::vector<float> want = problem.run(Isa::kScalar);
  for (const Isa isa : vector_isas()) EXPECT_TRUE(same_bits(problem.run(isa), want)) << isa_name(isa);
}

TEST(LatentAttention, rows_and_heads_may_be_split_over_calls) {
  Random random(test_seed());
  const Problem problem = make_problem(
      random, {.rows = 13, .heads = 6, .kv_rank = 64, .rope_dim = 16, .first_keys = 25});
  std::vector<Isa> isas = vector_isas();
  isas.push_back(Isa::kScalar);
  const std::vector<float> whole = problem.run(Isa::kScalar);
  for (const Isa isa : isas) {
    for (int row = 0; row < 13; ++row) {
      for (const auto& [head, heads] : {std::pair{0, 4}, {4, 1}, {5, 1}}) {
        const std::vector<float> part = problem.run(isa, row, 1, head, heads);
        const auto from = whole.begin() + (row * 6 + head) * 64;
        EXPECT_TRUE(same_bits(part, {from, from + heads * 64})) << isa_name(isa) << ", row " << row;
      }
    }
  }
}

TEST(LatentAttention, chosen_rows_give_what_a_cache_of_only_them_gives) {
  Random random(test_seed());
  for (int round = 0; round < 20; ++round) {
    Shape shape = draw_shape(random);
    shape.rows = 1;
    Problem problem = make_problem(random, shape);
    Problem dense = problem;
    for (std::size_t b = 0; b < dense.memory.size(); ++b) dense.blocks[b] = dense.memory[b].data();
    for (int position = 0; position < shape.keys(); ++position) {
      if (random.between(0, 2) == 0) continue;
      std::copy_n(problem.row(position), shape.cells(), dense.row(static_cast<int>(problem.chosen.size())));
      problem.chosen.push_back(position);
    }
    if (problem.chosen.empty()) continue;
    dense.shape.first_keys = static_cast<int>(problem.chosen.size());
    const std::vector<float> want = dense.run(Isa::kScalar);
    EXPECT_TRUE(same_bits(problem.run(Isa::kScalar), want));
    for (const Isa isa : vector_isas()) EXPECT_TRUE(same_bits(problem.run(isa), want)) << isa_name(isa);
  }
}

TEST(LatentAttention, is_close_to_attention_in_f64) {
  Random random(test_seed());
  const Problem problem = make_problem(
      random, {.rows = 1, .heads = 2, .kv_rank = 48, .rope_dim = 8, .first_keys = 150});
  const std::vector<float> got = problem.run(Isa::kScalar);
  const LatentRows rows = problem.rows();
  for (std::size_t head = 0; head < 2; ++head) {
    std::vector<double> weights(150);
    double den = 0;
    for (int j = 0; j < 150; ++j) {
      double dot = 0;
      for (std::size_t i = 0; i < 56; ++i) {
        dot += static_cast<double>(problem.q[head * 56 + i]) *
               static_cast<double>(f32_from_f16(rows.row(j)[i]));
      }
      weights[z(j)] = std::exp(dot * static_cast<double>(0.11f));
      den += weights[z(j)];
    }
    for (std::size_t i = 0; i < 48; ++i) {
      double want = 0;
      for (int j = 0; j < 150; ++j)
        want += weights[z(j)] / den * static_cast<double>(f32_from_f16(rows.row(j)[i]));
      EXPECT_NEAR(got[head * 48 + i], want, 1e-3 * (1 + std::fabs(want)));
    }
  }
}

TEST(LatentAttention, sizes_without_a_vector_version_give_the_scalar_bits) {
  Random random(test_seed());
  const Problem problem = make_problem(
      random, {.rows = 3, .heads = 2, .kv_rank = 20, .rope_dim = 6, .first_keys = 40});
  for (const Isa isa : vector_isas()) EXPECT_TRUE(same_bits(problem.run(isa), problem.run(Isa::kScalar)));
}

}  // namespace
}  // namespace adit::kernels
