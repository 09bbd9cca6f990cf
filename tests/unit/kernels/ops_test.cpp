// SPDX-License-Identifier: MIT
// Row operations: the vector versions give the scalar version's bits on random rows with tails, and
// the scalar version does what its header says.
#include <array>
#include <functional>
#include <limits>

#include <gtest/gtest.h>

#include "kernels/core/trees.h"
#include "kernels/norm/rms_norm.h"
#include "kernels/ops/rows.h"
#include "kernels/rope/rope.h"
#include "kernels/swiglu/swiglu.h"
#include "tests/unit/kernels/kernel_test.hpp"

namespace adit::kernels {
namespace {

using RowCase = std::function<void(Isa, std::vector<float>& x, const std::vector<float>& y)>;

// Runs `op` on random rows of many lengths with every instruction set and compares what it leaves
// in x.
void expect_equal_bits(const RowCase& op, const std::function<float(Random&)>& draw) {
  const std::uint64_t seed = test_seed();
  for (const Isa isa : vector_isas()) {
    Random random(seed);
    for (int round = 0; round < 300; ++round) {
      const int n = round < 80 ? round + 1 : random.between(1, 1600);
      std::vector<float> x(static_cast<std::size_t>(n));
      std::vector<float> y(static_cast<std::size_t>(n));
      for (float& value : x) value = draw(random);
      for (float& value : y) value = draw(random);
      std::vector<float> want = x;
      op(Isa::kScalar, want, y);
      op(isa, x, y);
      ASSERT_TRUE(same_bits(x, want)) << case_name(isa, seed, round) << ", n " << n;
    }
  }
}

int size_of(const std::vector<float>& x) {
  return static_cast<int>(x.size());
}
float wide(Random& random) {
  return random.wide();
}

TEST(Rows, add) {
  expect_equal_bits(
      [](Isa isa, auto& x, const auto& y) { add_rows(isa, x.data(), y.data(), size_of(x)); }, wide);
  expect_equal_bits(
      [](Isa isa, auto& x, const auto& y) { add_scaled(isa, x.data(), y[0], y.data(), size_of(x)); }, wide);
}

TEST(Rows, divide) {
  expect_equal_bits(
      [](Isa isa, auto& x, const auto& y) {
        divide_rows(isa, x.data(), y[0] + 3e5f, size_of(x), x.data());
      },
      wide);
}

TEST(Rows, exp_over_its_whole_range) {
  expect_equal_bits(
      [](Isa isa, auto& x, const auto&) { exp_rows(isa, x.data(), 0.25f, size_of(x), x.data()); },
      [](Random& random) { return 95.0f * random.unit(); });
}

TEST(Rows, exp_of_any_finite_bits) {
  expect_equal_bits(
      [](Isa isa, auto& x, const auto&) { exp_rows(isa, x.data(), 0.0f, size_of(x), x.data()); },
      [](Random& random) {
        const float x = float_of(static_cast<std::uint32_t>(random.bits()));
        return std::isfinite(x) ? x : 1.0f;
      });
}

TEST(Rows, gumbel_of_the_samplers_numbers_and_of_any_positive_bits) {
  const RowCase op = [](Isa isa, auto& x, const auto&) {
    gumbel_rows(isa, x.data(), size_of(x), x.data());
  };
  expect_equal_bits(op, [](Random& random) {
    return static_cast<float>(2 * (random.bits() >> 41) + 1) * 0x1p-24f;
  });
  expect_equal_bits(op, [](Random& random) {
    return float_of(static_cast<std::uint32_t>(random.bits() % 0x3f800000u));
  });
}

TEST(Rows, gumbel_noise_is_finite_at_both_ends) {
  std::array<float, 2> ends{0x1p-24f, 1.0f - 0x1p-24f};
  gumbel_rows(Isa::kScalar, ends.data(), 2, ends.data());
  EXPECT_NEAR(ends[0], -std::log(24 * std::log(2.0)), 1e-5);
  EXPECT_NEAR(ends[1], 24 * std::log(2.0), 1e-4);
}

TEST(Rows, sums_and_dots) {
  expect_equal_bits([](Isa isa, auto& x, const auto&) { x[0] = sum256(isa, x.data(), size_of(x)); },
                    wide);
  expect_equal_bits(
      [](Isa isa, auto& x, const auto& y) { x[0] = dot256(isa, x.data(), y.data(), size_of(x)); },
      wide);
}

TEST(Rows, a_product_that_underflows_keeps_its_sign_in_the_sum) {
  // Lane 0 holds -0 after the first element; lanes that are absent from the tail must leave it
  // alone.
  std::vector<float> x(257, 0.0f);
  std::vector<float> y(257, 0.0f);
  for (std::size_t i = 0; i < 256; ++i) {
    x[i] = -0x1p-120f;
    y[i] = 0x1p-120f;
  }
  x[256] = x[0];
  y[256] = y[0];
  const float want = dot256(Isa::kScalar, x.data(), y.data(), 257);
  for (const Isa isa : vector_isas())
    EXPECT_EQ(bits_of(dot256(isa, x.data(), y.data(), 257)), bits_of(want));
}

TEST(Rows, the_tree_adds_in_the_documented_order) {
  // Lanes 0..3 of four: (a0 + a2) + (a1 + a3), each lane ascending.
  const std::array<float, 6> x{1.0f, 0x1p-24f, 0x1p-24f, 0x1p-25f, 3.0f, 0x1p-23f};
  const float a0 = (0.0f + x[0]) + x[4];
  const float a1 = (0.0f + x[1]) + x[5];
  EXPECT_EQ(sum_tree<4>(x.data(), 6), (a0 + x[2]) + (a1 + x[3]));
}

TEST(Rows, argmax_takes_the_lowest_of_equals) {
  const std::uint64_t seed = test_seed();
  Random random(seed);
  for (int round = 0; round < 500; ++round) {
    std::vector<float> x(static_cast<std::size_t>(random.between(1, 300)));
    // Few different values, so that ties are common; both zeros.
    for (float& value : x)
      value =
          static_cast<float>(random.between(-3, 1)) * (random.between(0, 1) == 0 ? 1.0f : -0.0f);
    int want = 0;
    for (int i = 1; i < size_of(x); ++i) {
      if (x[static_cast<std::size_t>(i)] > x[static_cast<std::size_t>(want)]) want = i;
    }
    ASSERT_EQ(argmax(Isa::kScalar, x.data(), size_of(x)), want);
    for (const Isa isa : vector_isas()) {
      ASSERT_EQ(argmax(isa, x.data(), size_of(x)), want) << case_name(isa, seed, round);
    }
  }
}

TEST(Rows, all_finite_finds_one_bad_value_anywhere) {
  std::vector<Isa> isas = vector_isas();
  isas.push_back(Isa::kScalar);
  for (const Isa isa : isas) {
    for (int n = 1; n <= 70; ++n) {
      std::vector<float> x(static_cast<std::size_t>(n), -std::numeric_limits<float>::max());
      EXPECT_TRUE(all_finite(isa, x.data(), n));
      for (const float bad :
           {std::numeric_limits<float>::infinity(), -std::numeric_limits<float>::infinity(),
            std::numeric_limits<float>::quiet_NaN()}) {
        for (std::size_t i = 0; i < x.size(); ++i) {
          std::vector<float> with_bad = x;
          with_bad[i] = bad;
          ASSERT_FALSE(all_finite(isa, with_bad.data(), n))
              << isa_name(isa) << " n " << n << " at " << i;
        }
      }
    }
  }
}

TEST(RmsNorm, equal_bits) {
  expect_equal_bits(
      [](Isa isa, auto& x, const auto& y) {
        rms_norm(isa, x.data(), y.data(), size_of(x), 1e-5f, x.data());
      },
      wide);
}

TEST(RmsNorm, has_unit_mean_square) {
  Random random(test_seed());
  std::vector<float> x = random.wide_row(576);
  const std::vector<float> ones(576, 1.0f);
  rms_norm(Isa::kScalar, x.data(), ones.data(), 576, 1e-12f, x.data());
  double sum = 0;
  for (const float value : x) sum += static_cast<double>(value) * static_cast<double>(value);
  EXPECT_NEAR(sum / 576, 1.0, 1e-5);
}

TEST(Swiglu, equal_bits_far_out_too) {
  const RowCase op = [](Isa isa, auto& x, const auto& y) {
    swiglu(isa, x.data(), y.data(), size_of(x), x.data());
  };
  expect_equal_bits(op, wide);
  expect_equal_bits(op, [](Random& random) { return 200.0f * random.unit(); });
}

TEST(Swiglu, is_the_gated_unit) {
  for (const float g : {-200.0f, -3.0f, -0.5f, 0.0f, 0.7f, 4.0f, 200.0f}) {
    float y = 0;
    const float u = 1.5f;
    swiglu(Isa::kScalar, &g, &u, 1, &y);
    const double want = static_cast<double>(g) / (1 + std::exp(-static_cast<double>(g))) * 1.5;
    EXPECT_NEAR(y, want, 1e-6 * std::fabs(want) + 1e-30) << g;
  }
}

TEST(Rope, equal_bits_for_every_head_size) {
  const std::uint64_t seed = test_seed();
  for (const Isa isa : vector_isas()) {
    Random random(seed);
    for (int round = 0; round < 60; ++round) {
      const int half = random.between(1, 70);
      const int heads = random.between(1, 4);
      std::vector<float> x = random.wide_row(heads * 2 * half);
      const std::vector<float> c = random.wide_row(half);
      const std::vector<float> s = random.wide_row(half);
      std::vector<float> want = x;
      rope(Isa::kScalar, want.data(), heads, 2 * half, c.data(), s.data());
      rope(isa, x.data(), heads, 2 * half, c.data(), s.data());
      ASSERT_TRUE(same_bits(x, want)) << case_name(isa, seed, round) << ", half " << half;
    }
  }
}

TEST(Rope, rotates_by_the_angle) {
  const double frequency = 0.25;
  std::array<float, 1> c{};
  std::array<float, 1> s{};
  rope_table(&frequency, 1, 8, c.data(), s.data());
  EXPECT_NEAR(c[0], std::cos(2.0), 1e-7);
  EXPECT_NEAR(s[0], std::sin(2.0), 1e-7);
  std::array<float, 2> x{3.0f, 5.0f};
  rope(Isa::kScalar, x.data(), 1, 2, c.data(), s.data());
  EXPECT_NEAR(x[0], 3 * std::cos(2.0) - 5 * std::sin(2.0), 1e-6);
  EXPECT_NEAR(x[1], 5 * std::cos(2.0) + 3 * std::sin(2.0), 1e-6);
}

}  // namespace
}  // namespace adit::kernels
