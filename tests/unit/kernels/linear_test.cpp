// SPDX-License-Identifier: MIT
// The exact linear layer: the scalar version is the definition, the vector versions give its bits on random
// shapes with tails, for any tiling and batch, and on both sides of the int32 bound.
#include <algorithm>
#include <array>

#include <gtest/gtest.h>

#include "tests/unit/kernels/random_linear.hpp"

namespace adit::kernels {
namespace {

TEST(Linear, the_scalar_version_is_the_definition) {
  const std::uint64_t seed = test_seed();
  for (const Forms& forms : kLinearForms) {
    Random random(seed);
    for (int round = 0; round < 60; ++round) {
      const int m = random.between(1, 40);
      const int k = random.between(1, 200);
      const int n = random.between(1, 21);
      const int scale_max = random_scale_max(random);
      const TestLinear layer = TestLinear::random(random, forms.weights, forms.act, m, k, scale_max,
                                                  random_group(random));
      const std::vector<float> x = random.wide_row(n * k);
      const std::vector<float> y = run_linear(Isa::kScalar, layer.view(), x, n);
      ActBuffer act;
      act.prepare(Isa::kScalar, forms.act, n, k);
      quantize(Isa::kScalar, x.data(), static_cast<std::size_t>(k), act, 0, n);
      std::vector<float> want;
      for (int token = 0; token < n; ++token) {
        const std::vector<std::int64_t> effective = effective_activations(act, token);
        for (int row = 0; row < m; ++row)
          want.push_back(layer.result(row, effective, act.scale(token)));
      }
      ASSERT_TRUE(same_bits(y, want))
          << form_name(forms) << ", seed " << seed << ", round " << round;
    }
  }
}

TEST(Linear, equal_bits_on_random_shapes) {
  const std::uint64_t seed = test_seed();
  for (const Forms& forms : kLinearForms) {
    Random random(seed);
    for (int round = 0; round < 240; ++round) {
      const int m = random.between(1, 70);
      const int k = random.between(1, round % 10 == 0 ? 1600 : 300);
      const int n = random.between(1, round % 7 == 0 ? 90 : 9);
      const int scale_max = random_scale_max(random);
      const ScaleGroup group = random_group(random);
      const TestLinear layer =
          TestLinear::random(random, forms.weights, forms.act, m, k, scale_max, group);
      expect_scalar_bits(layer, random.wide_row(n * k), n,
                         form_name(forms) + ", seed " + std::to_string(seed) + ", round " + std::to_string(round) +
                             ", groups of " + std::to_string(static_cast<int>(group)));
    }
  }
}

TEST(Linear, a_part_of_the_tokens_gives_those_rows) {
  const std::uint64_t seed = test_seed();
  std::vector<Isa> isas = vector_isas();
  isas.push_back(Isa::kScalar);
  for (const Forms& forms : kLinearForms) {
    Random random(seed);
    for (int round = 0; round < 30; ++round) {
      const int m = random.between(1, 50), k = random.between(1, 150), n = random.between(1, 30);
      const TestLinear layer =
          TestLinear::random(random, forms.weights, forms.act, m, k, random_scale_max(random), random_group(random));
      const std::vector<float> x = random.wide_row(n * k);
      const std::vector<float> want = run_linear(Isa::kScalar, layer.view(), x, n);
      const int begin = random.between(0, n - 1), count = random.between(1, n - begin);
      for (const Isa isa : isas) {
        ActBuffer act;
        act.prepare(isa, forms.act, n, k);
        ASSERT_TRUE(quantize(isa, x.data(), static_cast<std::size_t>(k), act, 0, n));
        std::vector<float> y(static_cast<std::size_t>(count * m));
        linear(isa, layer.view(), act.tokens(begin, count), y.data(), static_cast<std::size_t>(m), 0,
               tile_count(layer.view()));
        const auto first = want.begin() + begin * m;
        ASSERT_TRUE(same_bits(y, std::vector<float>(first, first + count * m)))
            << form_name(forms) << ", " << case_name(isa, seed, round) << ", tokens " << begin << " + " << count;
      }
    }
  }
}

TEST(Linear, tile_ranges_and_batches_do_not_matter) {
  Random random(test_seed());
  std::vector<Isa> isas = vector_isas();
  isas.push_back(Isa::kScalar);
  for (std::size_t i = 0; i < kLinearForms.size() * kScaleGroups.size(); ++i) {
    const Forms& forms = kLinearForms[i / kScaleGroups.size()];
    constexpr int kM = 75;
    constexpr int kK = 330;
    constexpr int kN = 21;
    const TestLinear layer = TestLinear::random(random, forms.weights, forms.act, kM, kK, i % 3 == 0 ? 4 : 1023,
                                                kScaleGroups[i % kScaleGroups.size()]);
    const std::vector<float> x = random.wide_row(kN * kK);
    const std::vector<float> want = run_linear(Isa::kScalar, layer.view(), x, kN);
    for (const Isa isa : isas) {
      std::vector<float> y(want.size());
      for (int token = 0; token < kN; ++token) {
        ActBuffer act;
        act.prepare(isa, forms.act, 1, kK);
        quantize(isa, x.data() + token * kK, kK, act, 0, 1);
        for (int tile = tile_count(layer.view()) - 1; tile >= 0; --tile) {
          linear(isa, layer.view(), act, y.data() + token * kM, kM, tile, tile + 1);
        }
      }
      ASSERT_TRUE(same_bits(y, want)) << form_name(forms) << ", " << isa_name(isa);
    }
  }
}

TEST(Linear, rows_behind_the_last_and_a_wider_result_are_left_alone) {
  Random random(test_seed());
  const TestLinear layer = TestLinear::random(random, WeightForm::kI8, ActForm::kA16, 19, 64, 100);
  const std::vector<float> x = random.wide_row(3 * 64);
  std::vector<Isa> isas = vector_isas();
  isas.push_back(Isa::kScalar);
  for (const Isa isa : isas) {
    ActBuffer act;
    act.prepare(isa, ActForm::kA16, 3, 64);
    quantize(isa, x.data(), 64, act, 0, 3);
    std::vector<float> y(3 * 40, 5.0f);
    linear(isa, layer.view(), act, y.data(), 40, 0, 2);
    for (std::size_t token = 0; token < 3; ++token) {
      for (std::size_t row = 19; row < 40; ++row)
        ASSERT_EQ(y[token * 40 + row], 5.0f) << isa_name(isa);
    }
  }
}

// Rows of equal weights `scale * 127`, signs by `pattern`, and activations of the largest magnitude with the
// same signs: every product is positive and the sum is as large as it can be.
struct Extreme {
  TestLinear layer;
  std::vector<float> x;
};
Extreme make_extreme(const Forms& forms, int k, int scale, bool opposite,
                     ScaleGroup group = ScaleGroup::k32) {
  Extreme extreme{TestLinear(forms.weights, forms.act, 17, k, group), {}};
  for (int column = 0; column < k; ++column) {
    const bool negative = column % 3 == 0;
    for (int row = 0; row < 17; ++row) {
      const int sign = (negative ? -1 : 1) * (opposite && row % 2 == 1 ? -1 : 1);
      extreme.layer.code(row, column) = sign * 127;
    }
    extreme.x.push_back(negative ? -2.5f : 2.5f);
  }
  extreme.layer.set_scales(scale);
  extreme.layer.build();
  return extreme;
}

TEST(Linear, both_accumulators_at_the_bound) {
  // A16, k = 1024: sum |W| * 128 is below 2^31 up to scale 129; at 130 only Cauchy-Schwarz proves it
  // (the plane sum is 2147092480, its square just below 2^62); from 131 on int64 is needed.
  // A8g32, k = 512: X reaches 8128; scales up to 4 are proved, 5 is not. Panels of tokens hold sums below 2^38.5: at
  // k = 4096 up to scale 89.
  struct Case {
    ActForm act;
    int k;
    int scale;
    bool is_static;
    bool fits;
  };
  const std::vector<Case> cases{
      {ActForm::kA16, 1024, 129, true, true},     {ActForm::kA16, 1024, 130, false, true},
      {ActForm::kA16, 1024, 131, false, false},   {ActForm::kA16, 1024, 65535, false, false},
      {ActForm::kA8g32, 512, 4, true, true},      {ActForm::kA8g32, 512, 5, false, false},
      {ActForm::kA8g32, 4096, 89, false, false},  {ActForm::kA8g32, 4096, 90, false, false},
      {ActForm::kA8g32, 4096, 300, false, false},
      {ActForm::kA8g32, 512, 65535, false, false}};
  // Alone, and with enough others for panels, or products, and what is left over.
  constexpr int kFew = 19, kMany = 35;
  for (const Case& c : cases) {
    for (std::size_t i = 0; i < 2 * kScaleGroups.size(); ++i) {
      const Extreme extreme =
          make_extreme(Forms{WeightForm::kI8, c.act}, c.k, c.scale, i % 2 == 1, kScaleGroups[i / 2]);
      const std::uint64_t largest = c.act == ActForm::kA16 ? 128 : 8128;
      EXPECT_EQ(extreme.layer.view().abs_row_max * largest < (1ULL << 31), c.is_static) << c.scale;
      ActBuffer act;
      act.prepare(Isa::kScalar, c.act, 1, c.k);
      ASSERT_TRUE(quantize(Isa::kScalar, extreme.x.data(), extreme.x.size(), act, 0, 1));
      EXPECT_EQ(fits_int32(extreme.layer.view(), act, 0), c.fits) << c.scale;
      std::vector<float> want;
      const std::vector<std::int64_t> effective = effective_activations(act, 0);
      for (int row = 0; row < 17; ++row)
        want.push_back(extreme.layer.result(row, effective, act.scale(0)));
      std::vector<float> many_x, many_want;
      for (int token = 0; token < kMany; ++token) {
        many_x.insert(many_x.end(), extreme.x.begin(), extreme.x.end());
        many_want.insert(many_want.end(), want.begin(), want.end());
      }
      std::vector<Isa> isas = vector_isas();
      isas.push_back(Isa::kScalar);
      for (const Isa isa : isas) {
        EXPECT_TRUE(same_bits(run_linear(isa, extreme.layer.view(), extreme.x, 1), want))
            << isa_name(isa) << ", scale " << c.scale << ", groups " << i / 2;
        for (const int n : {kFew, kMany}) {
          const std::vector<float> y = run_linear(isa, extreme.layer.view(), many_x, n);
          EXPECT_TRUE(same_bits(y, std::vector<float>(many_want.begin(), many_want.begin() + n * 17)))
              << isa_name(isa) << ", scale " << c.scale << ", groups " << i / 2 << ", " << n << " tokens";
        }
      }
    }
  }
}

TEST(Linear, a_batch_may_mix_tokens_of_both_accumulators) {
  // Scale 131: full tokens need int64, tokens with one large value do not.
  constexpr int kTokens = 21;
  for (const ScaleGroup group : kScaleGroups) {
    const Extreme extreme = make_extreme(Forms{WeightForm::kI8, ActForm::kA16}, 1024, 131, true, group);
    std::vector<float> x;
    // A block of small tokens, a mixed block, and a tail.
    for (int token = 0; token < kTokens; ++token) {
      std::vector<float> row = extreme.x;
      if (token < 8 || token % 3 == 1) std::fill(row.begin() + 1, row.end(), 0.001f);
      x.insert(x.end(), row.begin(), row.end());
    }
    ActBuffer act;
    act.prepare(Isa::kScalar, ActForm::kA16, kTokens, 1024);
    ASSERT_TRUE(quantize(Isa::kScalar, x.data(), 1024, act, 0, kTokens));
    EXPECT_TRUE(fits_int32(extreme.layer.view(), act, 0));
    EXPECT_FALSE(fits_int32(extreme.layer.view(), act, 8));
    EXPECT_TRUE(fits_int32(extreme.layer.view(), act, 10));
    const std::vector<float> want = run_linear(Isa::kScalar, extreme.layer.view(), x, kTokens);
    for (const Isa isa : vector_isas()) {
      EXPECT_TRUE(same_bits(run_linear(isa, extreme.layer.view(), x, kTokens), want))
          << isa_name(isa);
    }
  }
}

TEST(Linear, the_result_is_rounded_once_from_the_whole_integer) {
  // acc = 2^24 + 1 is a tie that goes to 2^24 when rounded once; hi and lo planes rounded apart would differ.
  TestLinear layer(WeightForm::kI8, ActForm::kA16, 1, 3);
  layer.code(0, 0) = 127;
  layer.code(0, 1) = 1;
  layer.code(0, 2) = 1;
  layer.set_scales(4);
  layer.build();
  ActBuffer act;
  act.prepare(best_isa(), ActForm::kA16, 1, 3);
  // X = 32639, x1, x2 with 127 * 32639 + x1 + x2 = 4194304 + r, times 4.
  for (int r = -40; r <= 40; ++r) {
    const int rest = 4194304 + r - 127 * 32639;
    const std::vector<float> x{32639.0f, static_cast<float>(rest / 2),
                               static_cast<float>(rest - rest / 2)};
    const std::vector<float> y = run_linear(best_isa(), layer.view(), x, 1);
    EXPECT_EQ(y[0], static_cast<float>(std::int64_t{4} * (4194304 + r)) * 1.0f) << r;
  }
}

TEST(Linear, a_buffer_prepared_for_another_instruction_set_still_gives_the_bits) {
  Random random(test_seed());
  const TestLinear layer =
      TestLinear::random(random, WeightForm::kU4, ActForm::kA8g32, 33, 100, 1023);
  const std::vector<float> x = random.wide_row(2 * 100);
  const std::vector<float> want = run_linear(Isa::kScalar, layer.view(), x, 2);
  ActBuffer act;
  act.prepare(Isa::kScalar, ActForm::kA8g32, 2, 100);
  quantize(Isa::kScalar, x.data(), 100, act, 0, 2);
  for (const Isa isa : vector_isas()) {
    std::vector<float> y(want.size());
    linear(isa, layer.view(), act, y.data(), 33, 0, tile_count(layer.view()));
    EXPECT_TRUE(same_bits(y, want)) << isa_name(isa);
  }
}

TEST(Linear, embedding_rows_are_the_effective_weights_times_the_row_scale) {
  Random random(test_seed());
  for (std::size_t i = 0; i < 2 * kScaleGroups.size(); ++i) {
    const TestLinear layer = TestLinear::random(random, i % 2 == 0 ? WeightForm::kI8 : WeightForm::kU4,
                                                ActForm::kA16, 50, 270, 1023, kScaleGroups[i / 2]);
    for (int row = 0; row < 50; ++row) {
      std::vector<float> x(270);
      embedding_row(layer.view(), row, x.data());
      for (int column = 0; column < 270; ++column) {
        ASSERT_EQ(effective_weight(layer.view(), row, column), layer.weight(row, column));
        ASSERT_EQ(x[static_cast<std::size_t>(column)],
                  static_cast<float>(layer.weight(row, column)) * layer.view().rs[row]);
      }
    }
  }
}

}  // namespace
}  // namespace adit::kernels
