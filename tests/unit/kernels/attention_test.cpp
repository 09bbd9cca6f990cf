// SPDX-License-Identifier: MIT
// Attention: the vector versions give the scalar version's bits for every shape; blocks of rows
// give what single rows give; garbage behind the last key is never seen; the scalar version is
// close to attention in f64.
#include "kernels/attention/attention.h"

#include <algorithm>
#include <array>
#include <limits>

#include <gtest/gtest.h>

#include "tests/unit/kernels/kernel_test.hpp"

namespace adit::kernels {
namespace {

struct Shape {
  int rows;
  int group;
  int head_dim;
  int first_keys;
  KvForm form = KvForm::kF16;
  int keys() const { return first_keys + rows - 1; }
  std::size_t row() const {
    return static_cast<std::size_t>(group) * static_cast<std::size_t>(head_dim);
  }
};

struct Problem {
  Shape shape;
  std::vector<float> q;
  std::vector<std::uint16_t> k;
  std::vector<std::uint16_t> v;

  AttendParams params(int first_row, int rows, std::vector<float>& out, std::vector<float>& scratch) const {
    AttendParams p;
    p.form = shape.form;
    p.rows = rows;
    p.group = shape.group;
    p.head_dim = shape.head_dim;
    p.first_keys = shape.first_keys + first_row;
    p.scale = 1.0f / std::sqrt(static_cast<float>(shape.head_dim));
    p.q = q.data() + shape.row() * static_cast<std::size_t>(first_row);
    p.q_stride = shape.row();
    p.k = k.data();
    p.v = v.data();
    p.out = out.data();
    p.out_stride = shape.row();
    p.scratch = scratch.data();
    return p;
  }

  std::vector<float> run(Isa isa, int first_row, int rows) const {
    std::vector<float> out(shape.row() * static_cast<std::size_t>(rows), -7.0f);
    std::vector<float> scratch(attend_scratch_floats(rows, shape.group, shape.keys()), std::nanf(""));
    attend_rows(isa, params(first_row, rows, out, scratch));
    return out;
  }
};

Problem make_problem(Random& random, const Shape& shape) {
  Problem problem{shape, {}, {}, {}};
  const auto dim = static_cast<std::size_t>(shape.head_dim);
  problem.q = random.wide_row(static_cast<int>(shape.row()) * shape.rows);
  // Cells never written hold NaNs.
  problem.k.assign(cache_cells(shape.keys(), shape.head_dim, shape.form), 0xffff);
  problem.v.assign(cache_cells(shape.keys(), shape.head_dim, shape.form), 0xffff);
  for (int position = 0; position < shape.keys(); ++position) {
    std::vector<float> key(dim);
    std::vector<float> value(dim);
    for (float& x : key) x = 2 * random.unit();
    for (float& x : value) x = random.wide();
    store_kv(Isa::kScalar, shape.head_dim, position, key.data(), value.data(), problem.k.data(),
             problem.v.data(), shape.form);
  }
  return problem;
}

Shape draw_shape(Random& random) {
  constexpr std::array<int, 9> kDims{8, 16, 24, 40, 64, 80, 96, 128, 256};
  return Shape{.rows = random.between(1, 40),
               .group = random.between(1, 5),
               .head_dim = kDims.at(static_cast<std::size_t>(random.between(0, 8))),
               .first_keys = random.between(1, 130),
               .form = random.between(0, 1) == 0 ? KvForm::kF16 : KvForm::kI8};
}

TEST(Attention, equal_bits_on_random_shapes) {
  const std::uint64_t seed = test_seed();
  Random random(seed);
  for (int round = 0; round < 120; ++round) {
    const Problem problem = make_problem(random, draw_shape(random));
    const std::vector<float> want = problem.run(Isa::kScalar, 0, problem.shape.rows);
    for (const float x : want) ASSERT_TRUE(std::isfinite(x));
    for (const Isa isa : vector_isas()) {
      ASSERT_TRUE(same_bits(problem.run(isa, 0, problem.shape.rows), want))
          << case_name(isa, seed, round) << ", head_dim " << problem.shape.head_dim << ", rows "
          << problem.shape.rows << ", group " << problem.shape.group << ", first_keys "
          << problem.shape.first_keys;
    }
  }
}

// The same cells, in blocks of 32 positions that lie in any order with their keys and values apart.
TEST(Attention, blocks_may_lie_anywhere) {
  const std::uint64_t seed = test_seed();
  Random random(seed);
  // Decode: one query row, alone and in a group, over several blocks.
  constexpr int kRounds = 20;
  const std::array<Shape, 4> lone{
      Shape{.rows = 1, .group = 1, .head_dim = 64, .first_keys = 100},
      Shape{.rows = 1, .group = 3, .head_dim = 64, .first_keys = 200},
      Shape{.rows = 1, .group = 1, .head_dim = 64, .first_keys = 100, .form = KvForm::kI8},
      Shape{.rows = 1, .group = 3, .head_dim = 64, .first_keys = 200, .form = KvForm::kI8}};
  for (int round = 0; round < kRounds + 4; ++round) {
    const bool is_drawn = round < kRounds;
    const Problem problem =
        make_problem(random, is_drawn ? draw_shape(random) : lone[static_cast<std::size_t>(round - kRounds)]);
    const Shape& shape = problem.shape;
    const std::size_t cells = kv_block_cells(shape.form, shape.head_dim);
    const std::size_t count = problem.k.size() / cells;
    const std::size_t k_at = 3, v_at = 3 + count * cells;
    std::vector<std::uint16_t> pool(v_at + count * cells);
    std::vector<const std::uint16_t*> blocks;
    for (std::size_t b = 0; b < count; ++b) {
      const std::size_t place = (b * 5 + 3) % count;
      const std::size_t at = (count % 5 == 0 ? count - 1 - b : place) * cells;
      blocks.push_back(pool.data() + at);
      std::copy_n(problem.k.data() + b * cells, cells, pool.data() + at + k_at);
      std::copy_n(problem.v.data() + b * cells, cells, pool.data() + at + v_at);
    }
    const std::vector<float> want = problem.run(Isa::kScalar, 0, shape.rows);
    std::vector<Isa> all = vector_isas();
    all.push_back(Isa::kScalar);
    for (const Isa isa : all) {
      std::vector<float> out(want.size());
      std::vector<float> scratch(attend_scratch_floats(shape.rows, shape.group, shape.keys()), std::nanf(""));
      AttendParams params = problem.params(0, shape.rows, out, scratch);
      params.k = params.v = nullptr;
      params.blocks = blocks.data();
      params.k_at = k_at;
      params.v_at = v_at;
      attend_rows(isa, params);
      ASSERT_TRUE(same_bits(out, want)) << case_name(isa, seed, round);
    }
  }
}

TEST(Attention, head_sizes_without_a_vector_version_give_the_scalar_bits) {
  Random random(test_seed());
  for (const KvForm form : {KvForm::kF16, KvForm::kI8}) {
    const Problem problem =
        make_problem(random, Shape{.rows = 3, .group = 2, .head_dim = 20, .first_keys = 33, .form = form});
    for (const Isa isa : vector_isas()) {
      EXPECT_TRUE(same_bits(problem.run(isa, 0, 3), problem.run(Isa::kScalar, 0, 3)));
    }
  }
}

TEST(Attention, more_heads_than_a_vector_version_takes_at_once) {
  Random random(test_seed());
  const Problem problem =
      make_problem(random, Shape{.rows = 3, .group = 71, .head_dim = 24, .first_keys = 40});
  for (const Isa isa : vector_isas()) {
    EXPECT_TRUE(same_bits(problem.run(isa, 0, 3), problem.run(Isa::kScalar, 0, 3)));
  }
}

void expect_any_split_of_rows(Isa isa, const Problem& problem) {
  const int rows = problem.shape.rows;
  const std::vector<float> whole = problem.run(isa, 0, rows);
  for (const int chunk : {1, 2, 5, 16}) {
    std::vector<float> parts;
    for (int row = 0; row < rows; row += chunk) {
      const std::vector<float> part = problem.run(isa, row, std::min(chunk, rows - row));
      parts.insert(parts.end(), part.begin(), part.end());
    }
    EXPECT_TRUE(same_bits(parts, whole)) << isa_name(isa) << ", chunk " << chunk;
  }
}

TEST(Attention, a_block_of_rows_gives_what_single_rows_give) {
  Random random(test_seed());
  std::vector<Isa> isas = vector_isas();
  isas.push_back(Isa::kScalar);
  for (const KvForm form : {KvForm::kF16, KvForm::kI8}) {
    const Problem problem =
        make_problem(random, Shape{.rows = 37, .group = 3, .head_dim = 64, .first_keys = 29, .form = form});
    for (const Isa isa : isas) expect_any_split_of_rows(isa, problem);
  }
}

TEST(Attention, one_key_gives_its_value) {
  Random random(test_seed());
  const Problem problem =
      make_problem(random, Shape{.rows = 1, .group = 1, .head_dim = 64, .first_keys = 1});
  const std::vector<float> out = problem.run(best_isa(), 0, 1);
  for (std::size_t i = 0; i < 64; ++i) EXPECT_EQ(out[i], f32_from_f16(problem.v[i]));
}

TEST(Attention, is_close_to_attention_in_f64) {
  Random random(test_seed());
  const Problem problem =
      make_problem(random, Shape{.rows = 1, .group = 2, .head_dim = 64, .first_keys = 200});
  const std::vector<float> got = problem.run(Isa::kScalar, 0, 1);
  for (std::size_t head = 0; head < 2; ++head) {
    std::vector<double> weights(200);
    double den = 0;
    for (std::size_t j = 0; j < 200; ++j) {
      double dot = 0;
      for (std::size_t i = 0; i < 64; ++i) {
        const std::uint16_t cell = problem.k[(j / kKeyBlock * 64 + i) * kKeyBlock + j % kKeyBlock];
        dot +=
            static_cast<double>(problem.q[head * 64 + i]) * static_cast<double>(f32_from_f16(cell));
      }
      weights[j] = std::exp(dot / 8);
      den += weights[j];
    }
    for (std::size_t i = 0; i < 64; ++i) {
      double want = 0;
      for (std::size_t j = 0; j < 200; ++j) {
        want += weights[j] / den * static_cast<double>(f32_from_f16(problem.v[j * 64 + i]));
      }
      EXPECT_NEAR(got[head * 64 + i], want, 1e-4 * (1 + std::fabs(want)));
    }
  }
}

// Values of every size; f16 clamps the largest.
void expect_equal_cache(Random& random, int dim, KvForm form) {
  std::vector<float> key = random.wide_row(dim);
  std::vector<float> value = random.wide_row(dim);
  key[0] = 1e6f;
  value[static_cast<std::size_t>(dim) - 1] = -std::numeric_limits<float>::max();
  value[0] = 0x1.8p-20f;
  std::vector<std::uint16_t> want_k(cache_cells(70, dim, form), 1);
  std::vector<std::uint16_t> want_v(cache_cells(70, dim, form), 1);
  std::vector<std::uint16_t> k = want_k;
  std::vector<std::uint16_t> v = want_v;
  const int position = random.between(0, 69);
  store_kv(Isa::kScalar, dim, position, key.data(), value.data(), want_k.data(), want_v.data(), form);
  for (const Isa isa : vector_isas()) {
    store_kv(isa, dim, position, key.data(), value.data(), k.data(), v.data(), form);
    ASSERT_EQ(k, want_k) << isa_name(isa) << ", dim " << dim;
    ASSERT_EQ(v, want_v) << isa_name(isa) << ", dim " << dim;
  }
}

TEST(Attention, the_cache_is_written_with_equal_bits) {
  Random random(test_seed());
  for (const int dim : {8, 20, 64, 80, 256, 300}) {
    for (int round = 0; round < 40; ++round) {
      expect_equal_cache(random, dim, KvForm::kF16);
      expect_equal_cache(random, dim, KvForm::kI8);
    }
  }
}

// A row of an int8 cache: codes within -127..127, the largest of them 127, and the rest as the scale says.
TEST(Attention, int8_rows_are_codes_of_their_largest_value) {
  Random random(test_seed());
  constexpr int kDim = 64;
  const std::vector<float> key = random.wide_row(kDim);
  const std::vector<float> zeros(kDim, 0x1p-97f);
  std::vector<std::uint16_t> k(cache_cells(32, kDim, KvForm::kI8), 0xffff);
  std::vector<std::uint16_t> v(k.size(), 0xffff);
  store_kv(best_isa(), kDim, 5, key.data(), zeros.data(), k.data(), v.data(), KvForm::kI8);
  const auto* codes = reinterpret_cast<const std::int8_t*>(k.data());
  float scale = 0;
  std::memcpy(&scale, codes + kv_scale_at(5, kDim), sizeof scale);
  float amax = 0;
  for (const float x : key) amax = std::max(amax, std::fabs(x));
  EXPECT_EQ(scale, amax / 127.0f);
  for (int i = 0; i < kDim; ++i) {
    const float want = std::nearbyint(key[static_cast<std::size_t>(i)] * (127.0f / amax));
    EXPECT_EQ(static_cast<float>(codes[i * kKeyBlock + 5]), want);
  }
  const auto* values = reinterpret_cast<const std::int8_t*>(v.data());
  for (int i = 0; i < kDim; ++i) EXPECT_EQ(values[5 * kDim + i], 0);
  std::memcpy(&scale, values + kv_scale_at(5, kDim), sizeof scale);
  EXPECT_EQ(scale, 0.0f);
}

}  // namespace
}  // namespace adit::kernels
