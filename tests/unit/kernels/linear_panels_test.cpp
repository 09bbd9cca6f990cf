// SPDX-License-Identifier: MIT
// The linear layer's ways through many tokens at once, panels and products of pairs: long rows, many tokens, and
// weights at the bounds of what they take. (AVX-512 alone has them; the others walk the same cases.)
#include <algorithm>
#include <vector>

#include <gtest/gtest.h>

#include "tests/unit/kernels/random_linear.hpp"

namespace adit::kernels {
namespace {

// More groups than AVX-512's split sums hold at once, with tokens for whole panels and some left over.
TEST(LinearPanels, equal_bits_on_long_rows) {
  const std::uint64_t seed = test_seed();
  for (const Forms& forms : kLinearForms) {
    Random random(seed);
    for (int round = 0; round < 8; ++round) {
      const int m = random.between(17, 40);
      const int k = random.between(4000, 9000);
      const int n = round % 2 == 0 ? random.between(5, 12) : random.between(32, 39);
      const TestLinear layer = TestLinear::random(random, forms.weights, forms.act, m, k, round % 4 == 0 ? 65535 : 511);
      expect_scalar_bits(layer, random.wide_row(n * k), n,
                         form_name(forms) + ", seed " + std::to_string(seed) + ", round " + std::to_string(round));
    }
  }
}

// Rows as long as AVX-512 holds two tiles of as bytes, and longer ones.
TEST(LinearPanels, equal_bits_at_the_longest_rows_in_bytes) {
  Random random(test_seed());
  for (const int k : {20480, 20481}) {
    const TestLinear layer = TestLinear::random(random, WeightForm::kU4, ActForm::kA8g32, 40, k, 511);
    expect_scalar_bits(layer, random.wide_row(9 * k), 9, "k " + std::to_string(k));
  }
}

// One offset of a layer beyond what the panels' int16 holds, with a scale that stays within.
TEST(LinearPanels, an_offset_at_its_bound) {
  for (const int offset : {-32768, 32767, 32767 - 7 * 1023, 32768 - 7 * 1023}) {
    for (const ActForm act : {ActForm::kA16, ActForm::kA8g32}) {
      Random random(test_seed());
      constexpr int kM = 40, kK = 96, kN = 43;
      TestLinear layer(WeightForm::kU4, act, kM, kK);
      std::vector<int> codes, offsets;
      for (int i = 0; i < kM * kK; ++i) codes.push_back(random.between(0, 15));
      for (int i = 0; i < kM * 3; ++i) offsets.push_back(i % 3 == 1 ? offset : -7 * 1023);
      layer.set(codes, std::vector<int>(kM * 3, 1023), offsets, std::vector<float>(kM, 1.5f), {});
      layer.build();
      ASSERT_EQ(layer.view().raised_fit, offset <= 32767 - 7 * 1023);
      for (const int n : {11, kN}) {
        expect_scalar_bits(layer, random.wide_row(n * kK), n, "offset " + std::to_string(offset));
      }
    }
  }
}

// Twelve groups, each with the least lower half of a dot, or of the sum of X, that there is: -2^15. Scales and offsets
// add up to what avx512_product.h takes, and to more, which would overflow there.
TEST(LinearPanels, products_at_the_bound_of_their_lower_sums) {
  constexpr int kM = 33, kGroups = 12, kK = kGroups * kGroup, kN = 35, kMost = 65528;
  constexpr auto kSize = static_cast<std::size_t>(kM * kGroups);
  for (const int total : {kMost - 1, kMost, kMost + 1, kMost + 8, kMost + 1000, 2 * kMost}) {
    for (const bool by_offset : {false, true}) {
      for (const WeightForm form : {WeightForm::kI8, WeightForm::kU4}) {
        if (by_offset && form == WeightForm::kI8) continue;
        const int centre = form == WeightForm::kU4 ? 7 : 0;
        TestLinear layer(form, ActForm::kA16, kM, kK);
        std::vector<int> codes(static_cast<std::size_t>(kM * kK), centre), scales(kSize, 1), offsets(kSize, 0);
        std::vector<float> row(kK, 0.0f);
        for (int group = 0; group < kGroups; ++group) {
          // The scale of X is 1.
          row[static_cast<std::size_t>(group * kGroup + 5)] = 32639.0f;
          row[static_cast<std::size_t>(group * kGroup + 9)] = -32639.0f;
          row[static_cast<std::size_t>(group * kGroup)] = 16384.0f;
          row[static_cast<std::size_t>(group * kGroup + 3)] = by_offset ? 16384.0f : 0.0f;
          const int share = total * (group + 1) / kGroups - total * group / kGroups;
          for (int m = 0; m < kM; ++m) {
            const auto cell = static_cast<std::size_t>(m * kGroups + group);
            if (!by_offset) codes[static_cast<std::size_t>(m * kK + group * kGroup)] = centre + 2;
            scales[cell] = by_offset ? 1 : share;
            offsets[cell] = form == WeightForm::kI8 ? 0 : (by_offset ? share - 1 : 0) - 7 * scales[cell];
          }
        }
        layer.set(codes, scales, offsets, std::vector<float>(kM, 1.0f), {});
        layer.build();
        std::vector<float> x;
        for (int token = 0; token < kN; ++token) x.insert(x.end(), row.begin(), row.end());
        expect_scalar_bits(layer, x, kN, "total " + std::to_string(total) + (by_offset ? ", offsets" : ", scales"));
      }
    }
  }
}

// A scale that is no int16, beside small ones.
TEST(LinearPanels, products_at_the_bound_of_a_scale) {
  Random random(test_seed());
  for (const int scale : {32767, 32768, 65000}) {
    for (const WeightForm form : {WeightForm::kI8, WeightForm::kU4}) {
      constexpr int kM = 32, kGroups = 3, kK = kGroups * kGroup, kN = 33;
      TestLinear layer(form, ActForm::kA16, kM, kK);
      std::vector<int> codes, scales, offsets;
      for (int i = 0; i < kM * kK; ++i) codes.push_back(random.between(7, 8) - (form == WeightForm::kI8 ? 7 : 0));
      for (int i = 0; i < kM * kGroups; ++i) scales.push_back(i % kGroups == 1 ? scale : 1);
      for (const int s : scales) offsets.push_back(form == WeightForm::kI8 ? 0 : std::max(-7 * s, -32768));
      layer.set(codes, scales, offsets, std::vector<float>(kM, 1.0f), {});
      layer.build();
      ASSERT_LT(layer.view().abs_row_max, form == WeightForm::kI8 ? 1u << 24 : 1u << 27);
      expect_scalar_bits(layer, random.wide_row(kN * kK), kN, "scale " + std::to_string(scale));
    }
  }
}

// More tokens than go over a pair of tiles at once, X and the codes mostly as large as they are and of one sign. The
// larger scales give sums whose upper part a float would round.
void expect_bits_for_many_tokens(const Forms& forms, int scale_max) {
  Random random(test_seed());
  constexpr int kM = 53, kK = 800, kN = 523;
  TestLinear layer = TestLinear::random(random, forms.weights, forms.act, kM, kK, scale_max);
  const int most = forms.weights == WeightForm::kU4 ? 15 : 127;
  const int least = forms.weights == WeightForm::kU4 ? 0 : -128;
  for (int row = 0; row < kM; ++row) {
    for (int column = 0; column < kK; ++column) {
      layer.code(row, column) = (column % 3 == 0) == (random.between(0, 9) == 0) ? most : least;
    }
  }
  layer.build();
  std::vector<float> x;
  for (int i = 0; i < kN * kK; ++i) {
    const float magnitude = random.between(0, 3) == 0 ? 0.75f : 1.0f;
    x.push_back((i % kK % 3 == 0) == (random.between(0, 9) == 0) ? magnitude : -magnitude);
  }
  expect_scalar_bits(layer, x, kN, form_name(forms) + ", scales to " + std::to_string(scale_max));
}
TEST(LinearPanels, equal_bits_for_many_tokens) {
  for (const Forms& forms : kLinearForms) {
    for (const int scale_max : {100, 4000}) expect_bits_for_many_tokens(forms, scale_max);
  }
}

}  // namespace
}  // namespace adit::kernels
