// SPDX-License-Identifier: MIT
// Tiny random models of every family, as transformers wrote them, against transformers' own logits
// (tests/vectors/hf): first the f32 reference, then the exact engine in every form.
#include <algorithm>
#include <cmath>
#include <cstring>

#include <gtest/gtest.h>

#include "common/base/files.hpp"
#include "common/model/eval.hpp"
#include "tests/support/hf_folder.hpp"
#include "tests/support/temp_dir.hpp"

namespace adit::model {
namespace {

struct Golden {
  std::vector<TokenId> ids;
  std::size_t vocab = 0;
  std::vector<float> logits;
};

Golden load_golden(const std::string& folder) {
  const Bytes bytes = read_file(folder + "/logits.bin", 1 << 20).value();
  std::uint32_t shape[2];
  std::memcpy(shape, bytes.data(), sizeof shape);
  Golden out;
  out.vocab = shape[1];
  out.ids.resize(shape[0]);
  out.logits.resize(shape[0] * out.vocab);
  EXPECT_EQ(bytes.size(), 8 + 4 * (out.ids.size() + out.logits.size()));
  std::memcpy(out.ids.data(), bytes.data() + 8, 4 * out.ids.size());
  std::memcpy(out.logits.data(), bytes.data() + 8 + 4 * out.ids.size(), 4 * out.logits.size());
  return out;
}

class GoldenSource final : public LogitsSource {
 public:
  explicit GoldenSource(const Golden& golden) : golden_(golden) {}
  Result<void> begin(std::span<const std::vector<TokenId>>, const EvalProgress&) override { return {}; }
  Result<void> logits(std::size_t, int first, int count, float* out) override {
    std::copy_n(golden_.logits.data() + static_cast<std::size_t>(first) * golden_.vocab,
                static_cast<std::size_t>(count) * golden_.vocab, out);
    return {};
  }

 private:
  const Golden& golden_;
};

class Families : public ::testing::TestWithParam<const char*> {
 protected:
  std::string folder_ = std::string(ADIT_TEST_VECTORS) + "/hf/" + GetParam();
  Golden golden_ = load_golden(folder_);
  test::TinyModel model_ = test::hf_folder(folder_);
};

TEST_P(Families, the_reference_gives_the_logits_of_transformers) {
  const Reference reference = Reference::from_source(model_, 1).value();
  const auto hidden = reference.hidden(std::vector<std::vector<TokenId>>{golden_.ids}).value();
  std::vector<float> logits(golden_.logits.size());
  ASSERT_TRUE(reference.logits(hidden.data(), static_cast<int>(golden_.ids.size()), logits.data()));
  float worst = 0, largest = 0;
  for (std::size_t i = 0; i < logits.size(); ++i) {
    worst = std::max(worst, std::fabs(logits[i] - golden_.logits[i]));
    largest = std::max(largest, std::fabs(golden_.logits[i]));
  }
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
  GoldenSource golden(golden_);
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
