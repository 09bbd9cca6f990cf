// SPDX-License-Identifier: MIT
// Activation quantisation: what NUMERICS.md says, and equal bits for every instruction set.
#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <limits>

#include <gtest/gtest.h>

#include "kernels/linear/linear.h"
#include "kernels/linear/quantize_numbers.h"
#include "tests/unit/kernels/random_linear.hpp"

namespace adit::kernels {
namespace {

constexpr std::array<ActForm, 2> kForms{ActForm::kA16, ActForm::kA8g32};

template <class T>
testing::AssertionResult same_row(const char* name, const T* got, const T* want, int count) {
  for (int i = 0; i < count; ++i) {
    if (got[i] != want[i]) {
      return testing::AssertionFailure()
             << name << "[" << i << "]: got " << static_cast<int>(got[i]) << ", want "
             << static_cast<int>(want[i]);
    }
  }
  return testing::AssertionSuccess();
}

void expect_same(const ActBuffer& got, const ActBuffer& want, int token) {
  const int groups = want.groups();
  EXPECT_TRUE(same_row("hi", got.hi(token), want.hi(token), want.k_pad()));
  if (want.form() == ActForm::kA16) {
    EXPECT_TRUE(same_row("lo", got.lo(token), want.lo(token), want.k_pad()));
  }
  EXPECT_TRUE(same_row("sum_hi", got.sum_hi(token), want.sum_hi(token), groups));
  EXPECT_TRUE(same_row("sum_lo", got.sum_lo(token), want.sum_lo(token), groups));
  EXPECT_TRUE(same_row("bias_hi", got.bias_hi(token), want.bias_hi(token), groups));
  EXPECT_TRUE(same_row("bias_lo", got.bias_lo(token), want.bias_lo(token), groups));
  EXPECT_TRUE(same_row("shift", got.shift(token), want.shift(token), groups));
  EXPECT_EQ(bits_of(got.scale(token)), bits_of(want.scale(token)));
  EXPECT_EQ(got.sq_hi(token), want.sq_hi(token));
  EXPECT_EQ(got.sq_lo(token), want.sq_lo(token));
}

void expect_wide_form(const ActBuffer& act, int token) {
  const std::vector<std::int64_t> x = effective_activations(act, token);
  constexpr std::array<int, 4> kOrder{0, 2, 1, 3};
  for (int i = 0; i < act.k_pad(); ++i) {
    const int column = i / 4 * 4 + kOrder.at(static_cast<std::size_t>(i % 4));
    ASSERT_EQ(act.wide(token)[i], x[static_cast<std::size_t>(column)]) << "wide[" << i << "]";
  }
}

// The panels of an AVX-512 buffer, which that version and the scalar one fill.
TEST(Quantize, equal_panels_of_products) {
  if (!isa_supported(Isa::kAvx512)) GTEST_SKIP() << "this processor has no AVX-512 VNNI";
  Random random(test_seed());
  for (int round = 0; round < 20; ++round) {
    const int k = random.between(1, 400), n = random.between(kProductsFrom, kProductsFrom + 9);
    std::vector<float> x = random.wide_row(n * k);
    // One token of zeros, one that is refused.
    std::fill(x.begin(), x.begin() + k, 0.0f);
    x[static_cast<std::size_t>(k)] = std::numeric_limits<float>::infinity();
    std::array<ActBuffer, 2> acts;
    for (std::size_t i = 0; i < 2; ++i) {
      acts.at(i).prepare(Isa::kAvx512, ActForm::kA16, n, k, true);
      ASSERT_TRUE(acts.at(i).has_products());
      const Isa isa = i == 0 ? Isa::kAvx512 : Isa::kScalar;
      EXPECT_FALSE(quantize(isa, x.data(), static_cast<std::size_t>(k), acts.at(i), 0, n));
    }
    for (int token = 0; token < n; ++token) {
      const int slot = token % kProductTokens;
      for (int group = 0; group < acts[0].groups(); ++group) {
        const ProductGroup& got = acts[0].product(token)[group];
        const ProductGroup& want = acts[1].product(token)[group];
        ASSERT_EQ(0, std::memcmp(got.x[slot], want.x[slot], sizeof want.x[slot])) << token << ", " << group;
        ASSERT_EQ(got.start[slot], want.start[slot]) << token << ", " << group;
        ASSERT_EQ(0, std::memcmp(&got.sums[slot], &want.sums[slot], sizeof want.sums[slot])) << token << ", " << group;
      }
    }
  }
}

TEST(Quantize, equal_bits_on_random_rows) {
  const std::uint64_t seed = test_seed();
  for (const Isa isa : vector_isas()) {
    for (const ActForm form : kForms) {
      Random random(seed);
      for (int round = 0; round < 200; ++round) {
        SCOPED_TRACE(case_name(isa, seed, round));
        const int k = round < 70 ? round + 1 : random.between(1, 1600);
        const std::vector<float> x = random.wide_row(3 * k);
        ActBuffer want;
        ActBuffer got;
        want.prepare(Isa::kScalar, form, 3, k);
        got.prepare(isa, form, 3, k);
        ASSERT_TRUE(quantize(Isa::kScalar, x.data(), static_cast<std::size_t>(k), want, 0, 3));
        // Token by token, as threads would.
        for (int token = 2; token >= 0; --token) {
          ASSERT_TRUE(quantize(isa, x.data(), static_cast<std::size_t>(k), got, token, token + 1));
        }
        for (int token = 0; token < 3; ++token) {
          expect_same(got, want, token);
          if (got.has_wide()) expect_wide_form(got, token);
        }
        ASSERT_FALSE(testing::Test::HasFailure());
      }
    }
  }
}

TEST(Quantize, a16_is_the_documented_integer) {
  Random random(test_seed());
  const std::vector<float> x = random.wide_row(500);
  ActBuffer act;
  act.prepare(Isa::kScalar, ActForm::kA16, 1, 500);
  ASSERT_TRUE(quantize(Isa::kScalar, x.data(), 500, act, 0, 1));
  float amax = 0;
  for (const float value : x) amax = std::max(amax, std::fabs(value));
  EXPECT_EQ(act.scale(0), amax / 32639.0f);
  const std::vector<std::int64_t> got = effective_activations(act, 0);
  for (std::size_t i = 0; i < 500; ++i) {
    ASSERT_EQ(got[i], std::lrint(x[i] * (32639.0f / amax)));
    ASSERT_NEAR(static_cast<double>(got[i]) * static_cast<double>(act.scale(0)),
                static_cast<double>(x[i]), 0.502 * static_cast<double>(act.scale(0)));
  }
}

TEST(Quantize, a8_keeps_a_small_group_finer_by_powers_of_two) {
  // Group g has the largest value 2^-g; shifts 6, 5, ... 0, 0.
  std::vector<float> x(8 * kGroup);
  for (std::size_t i = 0; i < x.size(); ++i) {
    x[i] =
        std::ldexp(1.0f, -static_cast<int>(i / kGroup)) * (static_cast<float>(i % kGroup) / 31.0f);
  }
  ActBuffer act;
  act.prepare(Isa::kScalar, ActForm::kA8g32, 1, 8 * kGroup);
  ASSERT_TRUE(quantize(Isa::kScalar, x.data(), x.size(), act, 0, 1));
  const std::vector<std::int64_t> got = effective_activations(act, 0);
  for (int group = 0; group < 8; ++group) {
    const int shift = std::max(0, 6 - group);
    EXPECT_EQ(act.shift(0)[group], shift);
    for (int i = group * kGroup; i < (group + 1) * kGroup; ++i) {
      const double step = static_cast<double>(act.scale(0)) * (1 << shift);
      EXPECT_NEAR(
          static_cast<double>(got[static_cast<std::size_t>(i)]) * static_cast<double>(act.scale(0)),
          static_cast<double>(x[static_cast<std::size_t>(i)]), 0.501 * step);
    }
  }
}

TEST(Quantize, group_shift_is_the_smallest_that_reaches) {
  const float amax = 0.7f;
  for (int k = 0; k <= kShiftMax; ++k) {
    const float bound = std::ldexp(amax, k - kShiftMax);
    EXPECT_EQ(group_shift(bound, amax), k);
    if (k < kShiftMax) {
      EXPECT_EQ(group_shift(std::nextafter(bound, 1.0f), amax), k + 1);
    }
  }
  EXPECT_EQ(group_shift(0.0f, amax), 0);
}

TEST(Quantize, the_largest_value_reaches_the_largest_code_at_every_magnitude) {
  Random random(test_seed());
  std::vector<Isa> isas = vector_isas();
  isas.push_back(Isa::kScalar);
  for (int round = 0; round < 2000; ++round) {
    const float amax = std::ldexp(1.0f + std::fabs(random.unit()), random.between(-96, 126));
    std::vector<float> x(40, amax);
    x[39] = -amax;
    for (const ActForm form : kForms) {
      for (const Isa isa : isas) {
        ActBuffer act;
        act.prepare(isa, form, 1, 40);
        ASSERT_TRUE(quantize(isa, x.data(), 40, act, 0, 1));
        const std::int64_t top = form == ActForm::kA16 ? 32639 : 127 * 64;
        ASSERT_EQ(effective_activations(act, 0)[0], top)
            << isa_name(isa) << " " << std::hexfloat << amax;
        ASSERT_EQ(effective_activations(act, 0)[39], -top);
      }
    }
  }
}

TEST(Quantize, zeros_and_values_too_small_for_a_scale_become_zeros) {
  std::vector<Isa> isas = vector_isas();
  isas.push_back(Isa::kScalar);
  for (const float tiny : {0.0f, -0.0f, 0x1p-149f, 0x1.fffffep-97f}) {
    const std::vector<float> x(33, tiny);
    for (const ActForm form : kForms) {
      for (const Isa isa : isas) {
        ActBuffer act;
        act.prepare(isa, form, 1, 33);
        ASSERT_TRUE(quantize(isa, x.data(), 33, act, 0, 1));
        EXPECT_EQ(bits_of(act.scale(0)), 0u);
        for (const std::int64_t value : effective_activations(act, 0)) ASSERT_EQ(value, 0);
      }
    }
  }
}

TEST(Quantize, a_nan_or_an_infinity_is_reported_and_leaves_zeros) {
  std::vector<Isa> isas = vector_isas();
  isas.push_back(Isa::kScalar);
  for (const float bad :
       {std::numeric_limits<float>::infinity(), -std::numeric_limits<float>::infinity(),
        std::numeric_limits<float>::quiet_NaN(), -std::numeric_limits<float>::quiet_NaN()}) {
    for (const int at : {0, 17, 31, 32, 39}) {
      std::vector<float> x(80, 1.0f);
      x[static_cast<std::size_t>(40 + at)] = bad;
      for (const ActForm form : kForms) {
        for (const Isa isa : isas) {
          ActBuffer act;
          act.prepare(isa, form, 2, 40);
          EXPECT_FALSE(quantize(isa, x.data(), 40, act, 0, 2)) << isa_name(isa) << " at " << at;
          EXPECT_GT(act.scale(0), 0.0f);
          EXPECT_EQ(act.scale(1), 0.0f);
          for (const std::int64_t value : effective_activations(act, 1)) ASSERT_EQ(value, 0);
        }
      }
    }
  }
}

}  // namespace
}  // namespace adit::kernels
