// SPDX-License-Identifier: MIT
#include "common/model/quant_row.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <random>

#include "common/model/gguf_blocks.hpp"

namespace adit::model {
namespace {

using kernels::ScaleGroup;
using kernels::WeightForm;

Bytes f32_row(const std::vector<float>& values) {
  Bytes out(values.size() * 4);
  std::memcpy(out.data(), values.data(), out.size());
  return out;
}

// Random blocks of a type: f16 scales of about 0.01 (a negative one in places), random codes.
Bytes random_blocks(GgufType type, int groups, std::mt19937& random) {
  const std::uint32_t size = gguf_type_info(static_cast<std::uint32_t>(type))->block_bytes;
  Bytes out(static_cast<std::size_t>(groups) * size);
  for (auto& byte : out) byte = static_cast<std::uint8_t>(random());
  for (int g = 0; g < groups; ++g) {
    std::uint8_t* block = out.data() + static_cast<std::size_t>(g) * size;
    const std::uint16_t d = static_cast<std::uint16_t>(0x2100 + random() % 0x300 + (random() % 2) * 0x8000);
    std::memcpy(block, &d, 2);
    if (type == GgufType::kQ4_1) {
      const std::uint16_t m = static_cast<std::uint16_t>(0xac00 + random() % 0x400);
      std::memcpy(block + 2, &m, 2);
    }
  }
  return out;
}

// The largest |W * rs - x| over the row, in units of the coarsest code step of its group.
double worst_steps(GgufType type, ByteView row, int k, const RowCodes& codes) {
  std::vector<float> x(codes.q.size());
  EXPECT_TRUE(gguf_decode_row(type, row, static_cast<std::uint64_t>(k), x.data()));
  double worst = 0;
  const std::size_t columns = codes.group == ScaleGroup::kRow ? x.size() : static_cast<std::size_t>(codes.group);
  for (std::size_t i = 0; i < x.size(); ++i) {
    const std::size_t g = i / columns;
    const double w = double(codes.s[g]) * codes.q[i] + codes.o[g];
    const double step = double(codes.rs) * std::max<double>(codes.s[g], 1);
    worst = std::max(worst, std::fabs(w * double(codes.rs) - double(x[i])) / step);
  }
  return worst;
}

TEST(QuantRow, four_bit_blocks_become_affine_codes_next_to_exactly) {
  std::mt19937 random(1);
  for (const GgufType type : {GgufType::kQ4_0, GgufType::kQ4_1}) {
    for (int round = 0; round < 50; ++round) {
      const Bytes row = random_blocks(type, 18, random);
      RowCodes codes;
      ASSERT_TRUE(quantize_row(type, row, 576, WeightForm::kU4, codes));
      // 7.5 half units of rs at the ends of the codes, one half for the offset.
      EXPECT_LT(worst_steps(type, row, 576, codes), 0.05);
      EXPECT_LT(codes.error_sq, 1e-5 * codes.source_sq);
      for (const std::uint16_t s : codes.s) EXPECT_LE(s, kU4ScaleMax);
      for (const std::int8_t q : codes.q) EXPECT_TRUE(q >= 0 && q <= 15);
    }
  }
}

TEST(QuantRow, q4_k_groups_become_affine_codes_next_to_exactly) {
  std::mt19937 random(7);
  for (int round = 0; round < 50; ++round) {
    Bytes row = random_blocks(GgufType::kQ4K, 3, random);
    for (int block = 0; block < 3; ++block) {
      const std::uint16_t dmin = static_cast<std::uint16_t>(0x2100 + random() % 0x300);
      std::memcpy(row.data() + 144 * block + 2, &dmin, 2);
    }
    RowCodes codes;
    ASSERT_TRUE(quantize_row(GgufType::kQ4K, row, 768, WeightForm::kU4, codes));
    EXPECT_LT(codes.error_sq, 2e-6 * codes.source_sq);
    // The file's own codes, where the scale is large enough to tell: the low nibbles of the first group.
    const bool is_mirrored = (row[1] & 0x80) != 0;
    if (codes.s[0] < 64) continue;
    for (std::size_t i = 0; i < 32; ++i) {
      EXPECT_EQ(codes.q[i], is_mirrored ? 15 - (row[16 + i] & 15) : row[16 + i] & 15);
    }
  }
  EXPECT_TRUE(is_affine_u4(GgufType::kQ4K));
  EXPECT_FALSE(is_affine_u4(GgufType::kIq4Nl));
}

TEST(QuantRow, a_block_with_a_negative_scale_is_counted_from_the_other_end) {
  Bytes row(18, 0x10);  // codes 0 and 1
  row[0] = 0x00;
  row[1] = 0xbc;  // d = -1
  RowCodes codes;
  ASSERT_TRUE(quantize_row(GgufType::kQ4_0, row, 32, WeightForm::kU4, codes));
  EXPECT_EQ(codes.q[0], 15);
  EXPECT_EQ(codes.q[16], 14);
  EXPECT_NEAR((codes.s[0] * 15 + codes.o[0]) * codes.rs, 8.0f, 0.01f);
  EXPECT_NEAR((codes.s[0] * 14 + codes.o[0]) * codes.rs, 7.0f, 0.01f);
}

TEST(QuantRow, eight_bit_blocks_keep_their_codes) {
  std::mt19937 random(2);
  const Bytes row = random_blocks(GgufType::kQ8_0, 18, random);
  RowCodes codes;
  ASSERT_TRUE(quantize_row(GgufType::kQ8_0, row, 576, WeightForm::kI8, codes));
  EXPECT_LT(codes.error_sq, 2e-5 * codes.source_sq);
  EXPECT_LE(worst_steps(GgufType::kQ8_0, row, 576, codes), 0.75);
}

TEST(QuantRow, plain_values_round_to_within_half_a_step) {
  std::mt19937 random(3);
  std::normal_distribution<float> normal(0.0f, 0.05f);
  std::vector<float> values(576);
  for (float& value : values) value = normal(random);
  RowCodes codes;
  ASSERT_TRUE(quantize_row(GgufType::kF32, f32_row(values), 576, WeightForm::kI8, codes));
  EXPECT_LE(worst_steps(GgufType::kF32, f32_row(values), 576, codes), 0.51);
  EXPECT_LT(std::sqrt(codes.error_sq / codes.source_sq), 0.007);
  ASSERT_TRUE(quantize_row(GgufType::kF32, f32_row(values), 576, WeightForm::kU4, codes));
  EXPECT_LT(std::sqrt(codes.error_sq / codes.source_sq), 0.09);
}

TEST(QuantRow, rows_at_the_int32_bound_get_a_smaller_scale) {
  // All values alike: the largest possible sum of |W|.
  const Bytes row = f32_row(std::vector<float>(1536, 1.0f));
  for (const WeightForm form : {WeightForm::kI8, WeightForm::kU4}) {
    RowCodes codes;
    ASSERT_TRUE(quantize_row(GgufType::kF32, row, 1536, form, codes));
    EXPECT_LE(codes.abs_sum, kAbsRowMax);
    EXPECT_GT(codes.abs_sum, kAbsRowMax / 2);
    EXPECT_LT(std::sqrt(codes.error_sq / codes.source_sq), 0.01);
    std::uint64_t abs_sum = 0, sq_sum = 0;
    for (std::size_t i = 0; i < codes.q.size(); ++i) {
      const std::int64_t w = std::int64_t{codes.s[i / 32]} * codes.q[i] + codes.o[i / 32];
      abs_sum += static_cast<std::uint64_t>(std::llabs(w));
      sq_sum += static_cast<std::uint64_t>(w * w);
    }
    EXPECT_EQ(abs_sum, codes.abs_sum);
    EXPECT_EQ(sq_sum, codes.sq_sum);
  }
}

TEST(QuantRow, zero_rows_constant_groups_tails_and_tiny_groups) {
  RowCodes codes;
  for (const WeightForm form : {WeightForm::kI8, WeightForm::kU4}) {
    ASSERT_TRUE(quantize_row(GgufType::kF32, f32_row(std::vector<float>(64, 0.0f)), 64, form, codes,
                             ScaleGroup::kRow));
    EXPECT_EQ(codes.abs_sum, 0u);
    EXPECT_EQ(codes.rs, 0.0f);
    ASSERT_TRUE(quantize_row(GgufType::kF32, f32_row(std::vector<float>(64, 0.0f)), 64, form, codes));
    EXPECT_EQ(codes.abs_sum, 0u);
    EXPECT_EQ(codes.rs, 0.0f);
    ASSERT_TRUE(quantize_row(GgufType::kF32, f32_row(std::vector<float>(32, -0.5f)), 32, form, codes));
    EXPECT_LT(codes.error_sq, 1e-6 * codes.source_sq);
    // A tail of 8 columns; a group 1e-4 times smaller than its neighbour.
    std::vector<float> values(40);
    for (std::size_t i = 0; i < 40; ++i) values[i] = (i < 32 ? 1.0f : 1e-4f) * static_cast<float>(i % 7);
    ASSERT_TRUE(quantize_row(GgufType::kF32, f32_row(values), 40, form, codes));
    EXPECT_EQ(codes.q.size(), 64u);
    EXPECT_LT(codes.error_sq, 1e-3 * codes.source_sq);
  }
}

// k = 600: the last group of 64 and of 128 is cut short, and padded.
TEST(QuantRow, larger_groups_have_a_scale_each_and_lose_as_little_as_they_can) {
  std::mt19937 random(5);
  std::normal_distribution<float> normal(0.0f, 0.05f);
  std::vector<float> values(600);
  for (float& value : values) value = normal(random);
  double last_i8 = 0, last_u4 = 0;
  for (const auto& [group, scales] : {std::pair{ScaleGroup::k32, 19u}, {ScaleGroup::k64, 10u},
                                      {ScaleGroup::k128, 5u}, {ScaleGroup::kRow, 1u}}) {
    RowCodes codes;
    ASSERT_TRUE(quantize_row(GgufType::kF32, f32_row(values), 600, WeightForm::kI8, codes, group));
    EXPECT_EQ(codes.s.size(), scales);
    EXPECT_EQ(codes.q.size(), 608u);
    // The largest value may lie up to 0.75 steps beyond the last code.
    EXPECT_LE(worst_steps(GgufType::kF32, f32_row(values), 600, codes), 0.76);
    const double i8 = std::sqrt(codes.error_sq / codes.source_sq);
    EXPECT_LT(i8, 0.011);
    EXPECT_GT(i8, last_i8);
    if (group == ScaleGroup::kRow) {
      EXPECT_EQ(codes.s[0], 1);
    }
    ASSERT_TRUE(quantize_row(GgufType::kF32, f32_row(values), 600, WeightForm::kU4, codes, group));
    EXPECT_EQ(codes.o.size(), scales);
    const double u4 = std::sqrt(codes.error_sq / codes.source_sq);
    EXPECT_LT(u4, 0.13);
    EXPECT_GT(u4, last_u4);
    last_i8 = i8, last_u4 = u4;
  }
}

TEST(QuantRow, stored_blocks_are_fitted_anew_for_larger_groups) {
  std::mt19937 random(6);
  const Bytes row = random_blocks(GgufType::kQ4_1, 18, random);
  std::vector<float> values(576);
  ASSERT_TRUE(gguf_decode_row(GgufType::kQ4_1, row, 576, values.data()));
  for (const ScaleGroup group : {ScaleGroup::k64, ScaleGroup::k128, ScaleGroup::kRow}) {
    for (const WeightForm form : {WeightForm::kU4, WeightForm::kI8}) {
      RowCodes from_blocks, from_values;
      ASSERT_TRUE(quantize_row(GgufType::kQ4_1, row, 576, form, from_blocks, group));
      ASSERT_TRUE(quantize_row(GgufType::kF32, f32_row(values), 576, form, from_values, group));
      EXPECT_EQ(from_blocks.q, from_values.q);
      EXPECT_EQ(from_blocks.s, from_values.s);
      EXPECT_EQ(from_blocks.o, from_values.o);
      EXPECT_EQ(from_blocks.rs, from_values.rs);
    }
  }
}

TEST(QuantRow, a_value_that_is_not_finite_is_refused) {
  std::vector<float> values(32, 1.0f);
  values[5] = NAN;
  RowCodes codes;
  const auto result = quantize_row(GgufType::kF32, f32_row(values), 32, WeightForm::kI8, codes);
  ASSERT_FALSE(result);
  EXPECT_NE(result.error().message.find("column 5"), std::string::npos);
}

}  // namespace
}  // namespace adit::model
