// SPDX-License-Identifier: MIT
// Tiny random models of every family, as transformers wrote them, against transformers' own logits
// (tests/vectors/hf): first the f32 reference, then the exact engine in every form.
#include <gtest/gtest.h>

#include "tests/support/given_logits.hpp"
#include "tests/support/hf_folder.hpp"
#include "tests/support/temp_dir.hpp"

namespace adit::model {
namespace {

class Families : public ::testing::TestWithParam<const char*> {
 protected:
  std::string folder_ = std::string(ADIT_TEST_VECTORS) + "/hf/" + GetParam();
  test::Golden golden_ = test::load_golden(folder_);
  test::TinyModel model_ = test::hf_folder(folder_);
};

TEST_P(Families, the_reference_gives_the_logits_of_transformers) {
  const auto [largest, worst] = test::distance(golden_.logits, test::reference_logits(model_, golden_));
  std::printf("%s: largest logit %.3g, largest difference %.3g\n", GetParam(), double(largest),
              double(worst));
  EXPECT_GT(largest, 3.0f);
  EXPECT_LT(worst, 1e-4f);
}

// The project's reader of such folders against the tests' own.
TEST_P(Families, the_folder_is_read_part_by_part) {
  const auto source = open_weights(folder_);
  ASSERT_TRUE(source) << source.error().message;
  ModelConfig config = model_.config();
  config.name = (*source)->config().name;
  config.stop_ids = (*source)->config().stop_ids;
  config.rope.score_factor = (*source)->config().rope.score_factor;
  config.rope.attention_factor = (*source)->config().rope.attention_factor;
  EXPECT_EQ(config_json((*source)->config()), config_json(config));
  EXPECT_NEAR(config.rope.score_factor, model_.config().rope.score_factor, 1e-12);
  EXPECT_NEAR(config.rope.attention_factor, model_.config().rope.attention_factor, 1e-12);
  for (const Part& part : model_parts(config)) {
    if (part.kind == PartKind::kFrequencies) continue;
    std::vector<float> got(static_cast<std::size_t>(part.m) * static_cast<std::size_t>(part.k)), want = got;
    ASSERT_TRUE(read_rows(**source, part, 0, part.m, got.data())) << part.name;
    ASSERT_TRUE(read_rows(model_, part, 0, part.m, want.data()));
    EXPECT_EQ(got, want) << part.name;
  }
}

// A random model of 40 columns magnifies roundings that a trained one absorbs: the bounds are wide for 4 bits.
TEST_P(Families, the_exact_engine_is_close_in_every_form) {
  const test::TempDir dir;
  test::GivenLogits golden(golden_.logits, golden_.vocab);
  for (const auto& [bits, act, kl_max] :
       {std::tuple{8, kernels::ActForm::kA16, 0.05}, std::tuple{8, kernels::ActForm::kA8g32, 0.1},
        std::tuple{4, kernels::ActForm::kA16, 2.5}, std::tuple{4, kernels::ActForm::kA8g32, 2.5}}) {
    const Pack pack = test::pack_of(model_, dir.path(), {.bits = bits, .act = act});
    const auto engine = engine_source(pack, {.threads = 2});
    const auto report =
        compare_models(golden_.ids, golden, *engine, {.vocab = pack.config().vocab}, {}).value();
    std::printf("%s %d bits, form %d: mean KL %.3g, top-1 %.3f\n", GetParam(), bits, static_cast<int>(act),
                report.mean_kl, report.top1);
    EXPECT_GT(report.mean_kl, 0.0);
    // The indexer's int8 keys choose other positions at near ties: 12 of 40 are left, none of them unimportant.
    EXPECT_LT(report.mean_kl, kl_max * (pack.config().indexer.top_k > 0 ? 3 : 1));
  }
}

INSTANTIATE_TEST_SUITE_P(All, Families,
                         ::testing::Values("llama", "qwen2", "qwen3", "deepseek_v2", "deepseek_v3",
                                           "deepseek_v32"),
                         [](const auto& family) { return std::string(family.param); });

}  // namespace
}  // namespace adit::model
