// SPDX-License-Identifier: MIT
#include "common/model/model_config.hpp"

#include <gtest/gtest.h>

namespace adit::model {
namespace {

ModelConfig small() {
  ModelConfig config;
  config.name = "tiny";
  config.layers = 2;
  config.hidden = 64;
  config.ffn = 96;
  config.heads = 4;
  config.kv_heads = 2;
  config.head_dim = 16;
  config.vocab = 100;
  config.context = 128;
  config.norm_eps = 1e-5f;
  config.rope_theta = 10000;
  config.tied_head = true;
  config.stop_ids = {2, 7};
  config.bos = 1;
  return config;
}

TEST(ModelConfig, round_trips_through_its_canonical_text) {
  const std::string text = config_json(small());
  const auto parsed = parse_config_json(text);
  ASSERT_TRUE(parsed) << parsed.error().message;
  EXPECT_EQ(*parsed, small());
  EXPECT_EQ(config_json(*parsed), text);
}

TEST(ModelConfig, refuses_what_does_not_fit_and_says_which_field) {
  const auto refused = [](auto&& change, const char* word) {
    ModelConfig config = small();
    change(config);
    const auto checked = check_config(config);
    ASSERT_FALSE(checked) << word;
    EXPECT_NE(checked.error().message.find(word), std::string::npos) << checked.error().message;
  };
  refused([](ModelConfig& c) { c.layers = 0; }, "layers");
  refused([](ModelConfig& c) { c.layers = 100000; }, "layers");
  refused([](ModelConfig& c) { c.kv_heads = 3; }, "multiple");
  refused([](ModelConfig& c) { c.head_dim = 12; }, "head_dim");
  refused([](ModelConfig& c) { c.vocab = 1 << 30; }, "vocab");
  refused([](ModelConfig& c) { c.norm_eps = 0; }, "norm_eps");
  refused([](ModelConfig& c) { c.stop_ids = {100}; }, "stop id");
  refused([](ModelConfig& c) { c.stop_ids.clear(); }, "stop_ids");
  refused([](ModelConfig& c) { c.family = "mamba"; }, "mamba");
}

TEST(ModelConfig, text_with_a_missing_unknown_or_wrong_key_is_refused) {
  const std::string good = config_json(small());
  const auto without = [&](std::string_view from, std::string_view to) {
    std::string text = good;
    text.replace(text.find(from), from.size(), to);
    return parse_config_json(text);
  };
  EXPECT_NE(without("\"layers\":2,", "").error().message.find("layers"), std::string::npos);
  EXPECT_NE(without("\"layers\":2", "\"layers\":\"2\"").error().message.find("layers"), std::string::npos);
  EXPECT_FALSE(without("\"layers\":2", "\"layers\":2,\"extra\":1"));
  EXPECT_FALSE(parse_config_json("{"));
  EXPECT_FALSE(parse_config_json("[]"));
}

}  // namespace
}  // namespace adit::model
