// SPDX-License-Identifier: MIT
// Inverse frequencies against those that transformers computes (tests/vectors/hf/rope.json).
#include "common/model/rope_frequencies.hpp"

#include <cmath>

#include <gtest/gtest.h>

#include "tests/support/tiny_model.hpp"
#include "tests/support/vectors.hpp"

namespace adit::model {
namespace {

ModelConfig config_of(const nlohmann::json& item) {
  const auto& rope = item["rope"];
  const std::string type = rope["rope_type"];
  ModelConfig c = test::tiny_config("llama");
  c.head_dim = item["head_dim"];
  c.rope_theta = rope["rope_theta"];
  c.rope = {};
  c.rope.scaling = type == "llama3" ? RopeScaling::kLlama3
                   : type == "yarn" ? RopeScaling::kYarn
                                    : RopeScaling::kLinear;
  c.rope.factor = rope["factor"];
  c.rope.original_context = rope.value("original_max_position_embeddings", 0.0);
  c.rope.low_freq_factor = rope.value("low_freq_factor", 1.0);
  c.rope.high_freq_factor = rope.value("high_freq_factor", 4.0);
  c.rope.beta_fast = rope.value("beta_fast", 32.0);
  c.rope.beta_slow = rope.value("beta_slow", 1.0);
  return c;
}

TEST(RopeFrequencies, equal_those_of_transformers_up_to_its_f32) {
  const auto cases = test::load_vectors("hf/rope.json");
  ASSERT_EQ(cases.size(), 5u);
  for (const auto& item : cases) {
    const std::vector<double> want = item["inv_freq"];
    const std::vector<double> got = inverse_frequencies(config_of(item));
    ASSERT_EQ(got.size(), want.size());
    for (std::size_t i = 0; i < want.size(); ++i) {
      EXPECT_NEAR(got[i] / want[i], 1.0, 2e-6) << item["rope"].dump() << " dimension " << i;
    }
  }
}

TEST(RopeFrequencies, without_scaling_are_powers_of_theta) {
  ModelConfig c = test::tiny_config("qwen2");
  const std::vector<double> got = inverse_frequencies(c);
  ASSERT_EQ(got.size(), 8u);
  EXPECT_EQ(got[0], 1.0);
  for (std::size_t i = 1; i < got.size(); ++i) {
    EXPECT_NEAR(got[i] / std::pow(10000.0, -2.0 * static_cast<double>(i) / 16), 1.0, 1e-14);
  }
}

}  // namespace
}  // namespace adit::model
