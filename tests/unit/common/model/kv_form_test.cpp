// SPDX-License-Identifier: MIT
// The form of cached keys and values: its names, the numerics and the card that it makes, what it takes, and which
// models refuse it.
#include "common/model/kv_form.hpp"

#include <gtest/gtest.h>

#include "common/model/kv_cache.hpp"
#include "tests/support/tiny_model.hpp"

namespace adit::model {
namespace {

TEST(KvForm, names_and_numerics_go_together) {
  EXPECT_EQ(parse_kv("f16").value(), KvForm::kF16);
  EXPECT_EQ(parse_kv("int8").value(), KvForm::kI8);
  EXPECT_EQ(parse_kv("q8_0").error().code, ErrorCode::kInvalidArgument);
  for (const KvForm form : {KvForm::kF16, KvForm::kI8}) {
    EXPECT_EQ(kv_form_of(numerics_of(form)), form);
    EXPECT_EQ(parse_kv(name(form)).value(), form);
  }
  EXPECT_EQ(numerics_of(KvForm::kF16), 1u);
  EXPECT_EQ(numerics_of(KvForm::kI8), kNumericsMax);
}

TEST(KvForm, int8_is_refused_for_latent_attention_by_name) {
  for (const char* family : {"deepseek_v2", "deepseek_v3", "deepseek_v32"}) {
    const ModelConfig config = test::tiny_config(family);
    EXPECT_TRUE(check_kv(config, KvForm::kF16));
    const auto refused = check_kv(config, KvForm::kI8);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, ErrorCode::kUnimplemented);
    EXPECT_NE(refused.error().message.find("numerics 2"), std::string::npos) << refused.error().message;
  }
  EXPECT_TRUE(check_kv(test::tiny_config("llama"), KvForm::kI8));
}

// Codes of one byte and a scale of four for a row of head_dim.
TEST(KvForm, an_int8_cache_takes_a_byte_a_value_and_a_scale_a_row) {
  const ModelConfig config = test::tiny_config("llama");
  const auto rows = static_cast<std::size_t>(config.layers * config.kv_heads * 2);
  const auto dim = static_cast<std::size_t>(config.head_dim);
  EXPECT_EQ(kv_bytes_per_position(config), rows * dim * 2);
  EXPECT_EQ(kv_bytes_per_position(config, KvForm::kI8), rows * (dim + 4));
}

}  // namespace
}  // namespace adit::model
