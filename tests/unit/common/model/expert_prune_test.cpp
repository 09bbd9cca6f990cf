// SPDX-License-Identifier: MIT
// REAP against tests/vectors/reap: saliencies and pruned models as transformers and PyTorch make them.
#include "common/model/expert_prune.hpp"

#include <cmath>
#include <cstring>
#include <fstream>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "common/base/files.hpp"
#include "common/model/eval.hpp"
#include "common/model/linear_tiles.hpp"
#include "tests/support/temp_dir.hpp"
#include "tests/support/tiny_model.hpp"

namespace adit::model {
namespace {

std::size_t z(int value) { return static_cast<std::size_t>(value); }

struct Expected {
  std::vector<TokenId> ids;
  std::vector<float> logits;
  int keep = 0;
  nlohmann::json layers;
};

Expected load_expected(const std::string& family) {
  const std::string folder = std::string(ADIT_TEST_VECTORS) + "/reap/";
  const Bytes bytes = read_file(folder + family + "/pruned.bin", 1 << 20).value();
  Expected out;
  const auto positions = load_le<std::uint32_t>(bytes.data()), vocab = load_le<std::uint32_t>(bytes.data() + 4);
  out.ids.resize(positions);
  out.logits.resize(std::size_t{positions} * vocab);
  EXPECT_EQ(bytes.size(), 8 + 4 * (out.ids.size() + out.logits.size()));
  std::memcpy(out.ids.data(), bytes.data() + 8, 4 * out.ids.size());
  std::memcpy(out.logits.data(), bytes.data() + 8 + 4 * out.ids.size(), 4 * out.logits.size());
  std::ifstream file(folder + "saliency.json");
  const auto table = nlohmann::json::parse(file).at(family);
  out.keep = table.at("keep");
  out.layers = table.at("layers");
  return out;
}

struct Case {
  const char* family;
  const char* file;
};

class Reap : public ::testing::TestWithParam<Case> {
 protected:
  ExpertSaliency observed() const {
    ExpertSaliency out(source_->config());
    Reference reference = Reference::from_source(*source_, 1).value();
    reference.observe_experts(
        [&](int layer, int expert, double weight, const float* y) { out.add(layer, expert, weight, y); });
    EXPECT_TRUE(reference.hidden(std::vector<std::vector<TokenId>>{expected_.ids}));
    return out;
  }
  KeptExperts kept() const {
    KeptExperts out;
    for (const auto& layer : expected_.layers) out.push_back(layer.at("kept").get<std::vector<int>>());
    return out;
  }
  std::unique_ptr<WeightSource> pruned() const { return keep_experts(*source_, kept()).value(); }

  Expected expected_ = load_expected(GetParam().family);
  std::unique_ptr<WeightSource> source_ =
      open_weights(std::string(ADIT_TEST_VECTORS) + "/reap/" + GetParam().family + GetParam().file).value();
};

TEST_P(Reap, saliencies_and_choice_are_those_of_pytorch) {
  const ExpertSaliency saliency = observed();
  ASSERT_EQ(z(source_->config().layers), expected_.layers.size());
  for (int layer = 0; layer < source_->config().layers; ++layer) {
    const auto& want = expected_.layers.at(z(layer));
    ASSERT_EQ(want.at("saliency").size(), z(source_->config().moe.experts));
    for (int e = 0; e < source_->config().moe.experts; ++e) {
      EXPECT_EQ(saliency.tokens(layer, e), want.at("counts").at(z(e)).get<std::uint64_t>()) << layer << " " << e;
      EXPECT_NEAR(saliency.of(layer, e), want.at("saliency").at(z(e)).get<double>(), 1e-4) << layer << " " << e;
    }
  }
  const auto chosen = choose_experts(source_->config(), saliency, expected_.keep);
  ASSERT_TRUE(chosen) << chosen.error().message;
  EXPECT_EQ(*chosen, kept());
}

TEST_P(Reap, the_pruned_model_gives_the_logits_of_transformers) {
  const auto left = pruned();
  const Reference reference = Reference::from_source(*left, 1).value();
  const auto hidden = reference.hidden(std::vector<std::vector<TokenId>>{expected_.ids}).value();
  std::vector<float> logits(expected_.logits.size());
  ASSERT_TRUE(reference.logits(hidden.data(), static_cast<int>(expected_.ids.size()), logits.data()));
  float worst = 0, largest = 0;
  for (std::size_t i = 0; i < logits.size(); ++i) {
    worst = std::max(worst, std::fabs(logits[i] - expected_.logits[i]));
    largest = std::max(largest, std::fabs(expected_.logits[i]));
  }
  EXPECT_GT(largest, 3.0f);
  EXPECT_LT(worst, 1e-4f);
  // And the experts that went mattered.
  const Reference whole = Reference::from_source(*source_, 1).value();
  const auto other = whole.hidden(std::vector<std::vector<TokenId>>{expected_.ids}).value();
  ASSERT_TRUE(whole.logits(other.data(), static_cast<int>(expected_.ids.size()), logits.data()));
  worst = 0;
  for (std::size_t i = 0; i < logits.size(); ++i)
    worst = std::max(worst, std::fabs(logits[i] - expected_.logits[i]));
  EXPECT_GT(worst, 0.1f);
}

// Row of the whole model that a row of the pruned one is.
int whole_row(const ModelConfig& config, const KeptExperts& kept, const Part& part, int row) {
  int of_one = 0;
  if (part.role == PartRole::kRouter) of_one = 1;
  if (part.role == PartRole::kExpertsGate || part.role == PartRole::kExpertsUp) of_one = config.moe.ffn;
  if (part.role == PartRole::kExpertsDown) of_one = config.hidden;
  return of_one == 0 ? row : kept[z(part.layer)][z(row / of_one)] * of_one + row % of_one;
}

TEST_P(Reap, the_pack_has_the_kept_rows_of_the_whole_pack_and_nothing_else_changes) {
  const test::TempDir dir;
  const auto left = pruned();
  for (const int bits : {8, 4}) {
    const Pack small = test::pack_of(*left, dir.path(), {.bits = bits});
    const Pack whole = test::pack_of(*source_, dir.path(), {.bits = bits});
    ModelConfig config = whole.config();
    config.moe.experts = expected_.keep;
    EXPECT_EQ(config_json(small.config()), config_json(config));
    EXPECT_EQ(small.tokenizer_json(), whole.tokenizer_json());
    EXPECT_TRUE(small.verify_content_hash());
    for (const Part& part : model_parts(config)) {
      if (part.kind == PartKind::kFrequencies) continue;
      for (int row = 0; row < part.m; ++row) {
        const int from = whole_row(config, kept(), part, row);
        if (part.kind == PartKind::kLinear) {
          RowCodes got, want;
          read_row(*small.linear(part.name), row, got);
          read_row(*whole.linear(part.name), from, want);
          ASSERT_EQ(got.q, want.q) << part.name << " " << row;
          ASSERT_EQ(got.s, want.s);
          ASSERT_EQ(got.o, want.o);
          ASSERT_EQ(got.rs, want.rs);
          continue;
        }
        for (int i = 0; i < part.k; ++i) {
          const int column = part.role == PartRole::kRouterBias ? kept()[z(part.layer)][z(i)] : i;
          ASSERT_EQ(small.floats(part.name)[row * part.k + i], whole.floats(part.name)[from * part.k + column])
              << part.name;
        }
      }
    }
  }
}

TEST_P(Reap, the_exact_engine_is_close_to_the_pruned_reference) {
  const test::TempDir dir;
  const auto left = pruned();
  const Reference reference = Reference::from_source(*left, 1).value();
  const auto source = reference_source(reference);
  const Pack pack = test::pack_of(*left, dir.path(), {.bits = 8});
  const auto engine = engine_source(pack, {.threads = 2});
  const auto report =
      compare_models(expected_.ids, *source, *engine, {.vocab = pack.config().vocab}, {}).value();
  EXPECT_GT(report.mean_kl, 0.0);
  // As families_test.cpp: the indexer's int8 keys choose other positions at near ties.
  EXPECT_LT(report.mean_kl, pack.config().indexer.top_k > 0 ? 0.15 : 0.05);
}

INSTANTIATE_TEST_SUITE_P(All, Reap,
                         ::testing::Values(Case{"deepseek_v2", ""}, Case{"deepseek_v2", "/model.gguf"},
                                           Case{"deepseek_v3", ""}, Case{"deepseek_v3", "/model.gguf"},
                                           Case{"deepseek_v32", ""}, Case{"deepseek_v32", "/model.gguf"}),
                         [](const auto& one) {
                           return std::string(one.param.family) + (*one.param.file == 0 ? "_folder" : "_gguf");
                         });

ModelConfig twelve(int groups) {
  ModelConfig config = test::tiny_config("deepseek_v3");
  config.layers = 2;
  config.moe.experts = 12;
  config.moe.groups = groups;
  config.moe.groups_per_token = groups == 1 ? 1 : 2;
  config.moe.group_top = groups == 1 ? 1 : 2;
  return config;
}

TEST(ChooseExperts, of_equal_ones_the_lower_index_stays_in_every_group) {
  const ModelConfig config = twelve(3);
  ExpertSaliency saliency(config);
  const std::vector<float> y(z(config.hidden), 1.0f);
  // The dense layer 0 has none; in layer 1 the last group is the best of all and loses as many.
  for (int e = 0; e < 12; ++e) saliency.add(1, e, e >= 8 ? 5.0 : 1.0, y.data());
  saliency.add(1, 6, 3.0, y.data());
  EXPECT_NEAR(saliency.of(1, 6), 2 * std::sqrt(static_cast<double>(config.hidden)), 1e-9);
  EXPECT_EQ(choose_experts(config, saliency, 6).value(), (KeptExperts{{}, {0, 1, 4, 6, 8, 9}}));
  // Without groups the best of all stay.
  EXPECT_EQ(choose_experts(twelve(1), saliency, 6).value(), (KeptExperts{{}, {0, 6, 8, 9, 10, 11}}));
}

TEST(ChooseExperts, an_expert_without_tokens_counts_nothing) {
  const ModelConfig config = twelve(1);
  ExpertSaliency saliency(config);
  const std::vector<float> y(z(config.hidden), 1e-3f);
  for (int e = 1; e < 12; ++e) saliency.add(1, e, 1e-3, y.data());
  EXPECT_EQ(saliency.of(1, 0), 0.0);
  EXPECT_EQ(saliency.tokens(1, 0), 0u);
  EXPECT_EQ(choose_experts(config, saliency, 11).value()[1].front(), 1);
}

TEST(ChooseExperts, counts_that_do_not_fit_are_refused_with_the_reason) {
  const auto expect = [](const ModelConfig& config, int keep, const std::string& part) {
    const auto fits = with_experts(config, keep);
    ASSERT_FALSE(fits) << keep;
    EXPECT_NE(fits.error().message.find(part), std::string::npos) << fits.error().message;
    EXPECT_FALSE(choose_experts(config, ExpertSaliency(config), keep));
  };
  expect(twelve(3), 12, "expected 1..11: the model has 12");
  expect(twelve(3), 0, "expected 1..11");
  expect(twelve(3), 7, "expected a multiple of 3: the router chooses among 3 groups of 4");
  expect(twelve(3), 3, "2 in the 2 groups that a token may use, which uses 3");
  expect(twelve(1), 2, "2 in the 1 groups that a token may use, which uses 3");
  ModelConfig config = twelve(3);
  config.moe.per_token = 2;
  expect(config, 3, "1 in a group, which is judged by its best 2");
  expect(test::tiny_config("llama"), 2, "a llama model has none");
  EXPECT_TRUE(with_experts(twelve(3), 6));
}

}  // namespace
}  // namespace adit::model
