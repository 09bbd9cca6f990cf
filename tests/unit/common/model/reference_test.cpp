// SPDX-License-Identifier: MIT
#include "common/model/reference.hpp"

#include <cmath>
#include <random>

#include <gtest/gtest.h>

#include "common/model/eval.hpp"
#include "common/model/reference_gemm.hpp"
#include "tests/support/temp_dir.hpp"
#include "tests/support/tiny_model.hpp"

namespace adit::model {
namespace {

std::vector<TokenId> some_ids(int count, int vocab, unsigned seed) {
  std::mt19937 random(seed);
  std::vector<TokenId> out;
  for (int i = 0; i < count; ++i)
    out.push_back(static_cast<TokenId>(random() % static_cast<unsigned>(vocab)));
  return out;
}

TEST(ReferenceGemm, equals_a_plain_double_product_for_every_tail) {
  std::mt19937 random(1);
  std::uniform_real_distribution<float> uniform(-1, 1);
  for (const auto& [n, m, k] : {std::array{1, 1, 1}, {7, 33, 40}, {13, 16, 576}, {6, 5, 3}}) {
    std::vector<float> x(static_cast<std::size_t>(n * k)), w(static_cast<std::size_t>(m * k));
    for (float& v : x) v = uniform(random);
    for (float& v : w) v = uniform(random);
    Panels panels, transposed;
    make_panels(w.data(), static_cast<std::size_t>(k), 1, m, k, panels);
    std::vector<float> y(static_cast<std::size_t>(n * m), 99.0f);
    reference_gemm(panels,
                   {x.data(), static_cast<std::size_t>(k), n, k, m, y.data(), static_cast<std::size_t>(m)});
    for (int i = 0; i < n; ++i) {
      for (int j = 0; j < m; ++j) {
        double sum = 0;
        for (int t = 0; t < k; ++t) {
          sum +=
              double(x[static_cast<std::size_t>(i * k + t)]) * double(w[static_cast<std::size_t>(j * k + t)]);
        }
        EXPECT_NEAR(double(y[static_cast<std::size_t>(i * m + j)]), sum, 1e-5 * std::sqrt(k)) << n << m << k;
      }
    }
  }
}

class TinyReference : public ::testing::Test {
 protected:
  test::TempDir dir_;
  Pack w8_ = test::tiny_llama_pack(dir_.path(), {}, {.bits = 8, .act = kernels::ActForm::kA16});
  Pack w4g_ = test::tiny_llama_pack(dir_.path(), {}, {.bits = 4, .act = kernels::ActForm::kA8g32});
  std::unique_ptr<WeightSource> source_ = open_weights(dir_.path() / "tiny.gguf").value();
};

TEST_F(TinyReference, a_sequence_does_not_depend_on_its_neighbours_or_on_what_follows) {
  const auto reference = Reference::from_source(*source_, 2).value();
  const auto one = some_ids(100, 300, 1), two = some_ids(37, 300, 2);
  const std::vector<std::vector<TokenId>> both{two, one};
  const auto hidden = reference.hidden(both).value();
  const auto alone = reference.hidden(std::vector<std::vector<TokenId>>{one}).value();
  const auto prefix =
      reference.hidden(std::vector<std::vector<TokenId>>{{one.begin(), one.begin() + 60}}).value();
  ASSERT_EQ(alone.size(), 100u * 96);
  double worst = 0, size = 0;
  for (std::size_t i = 0; i < alone.size(); ++i) {
    worst = std::max(worst, double(std::fabs(alone[i] - hidden[37 * 96 + i])));
    size = std::max(size, double(std::fabs(alone[i])));
    if (i < prefix.size()) worst = std::max(worst, double(std::fabs(alone[i] - prefix[i])));
  }
  EXPECT_GT(size, 0.5);
  EXPECT_LT(worst, 1e-3);
}

TEST_F(TinyReference, refuses_ids_outside_of_the_vocabulary_and_empty_sequences) {
  const auto reference = Reference::from_source(*source_, 1).value();
  EXPECT_EQ(reference.hidden(std::vector<std::vector<TokenId>>{{300}}).error().code,
            ErrorCode::kInvalidArgument);
  EXPECT_EQ(reference.hidden(std::vector<std::vector<TokenId>>{{}}).error().code,
            ErrorCode::kInvalidArgument);
}

TEST_F(TinyReference, a_model_compared_with_itself_agrees_and_its_perplexity_is_the_plain_formula) {
  const auto reference = Reference::from_source(*source_, 2).value();
  const auto ids = some_ids(150, 300, 3);
  const auto a = reference_source(reference), b = reference_source(reference);
  const EvalOptions options{.vocab = 300, .window = 100, .threads = 2};
  const auto report = compare_models(ids, *a, *b, options, {}).value();
  EXPECT_EQ(report.positions, 150u);
  EXPECT_EQ(report.scored, 148u);
  EXPECT_NEAR(report.mean_kl, 0, 1e-6);
  EXPECT_EQ(report.top1, 1.0);
  EXPECT_EQ(report.perplexity_pack, report.perplexity_reference);
  double nll = 0;
  for (const auto& [from, to] : {std::pair{0, 100}, {100, 150}}) {
    const std::vector<TokenId> window(ids.begin() + from, ids.begin() + to);
    const auto hidden = reference.hidden(std::vector<std::vector<TokenId>>{window}).value();
    std::vector<float> logits(window.size() * 300);
    ASSERT_TRUE(reference.logits(hidden.data(), static_cast<int>(window.size()), logits.data()));
    for (std::size_t i = 0; i + 1 < window.size(); ++i) {
      double sum = 0;
      for (std::size_t v = 0; v < 300; ++v) sum += std::exp(double(logits[i * 300 + v]));
      nll += std::log(sum) - double(logits[i * 300 + static_cast<std::size_t>(window[i + 1])]);
    }
  }
  EXPECT_NEAR(report.perplexity_reference, std::exp(nll / 148), 1e-4 * report.perplexity_reference);
}

double kl_between(LogitsSource& a, LogitsSource& b) {
  const EvalOptions options{.vocab = 300, .window = 128, .threads = 2};
  return compare_models(some_ids(200, 300, 4), a, b, options, {}).value().mean_kl;
}

// The exact engine and f32 arithmetic on the same effective weights and rounded activations: two ways that
// share the pack but no forward pass. A random model magnifies each rounding, so the measure is how far the
// pack itself is from its source.
TEST_F(TinyReference, the_engine_computes_what_the_pack_says) {
  const auto source = Reference::from_source(*source_, 2).value();
  double from_source[2];
  for (int i = 0; i < 2; ++i) {
    const Pack& pack = i == 0 ? w8_ : w4g_;
    const auto simulated = Reference::from_pack(pack, 2).value();
    from_source[i] = kl_between(*reference_source(source), *engine_source(pack, {.threads = 2}));
    const double from_pack = kl_between(*reference_source(simulated), *engine_source(pack, {.threads = 1}));
    EXPECT_GT(from_source[i], 1e-3);
    EXPECT_LT(from_pack, 0.05 * from_source[i]);
  }
  EXPECT_LT(from_source[0], 0.5);
  EXPECT_GT(from_source[1], 5 * from_source[0]);
}

class FamilyReference : public ::testing::TestWithParam<const char*> {};

// The same for every family, whose forward pass and reference each have stages of their own.
TEST_P(FamilyReference, the_engine_computes_what_the_pack_says) {
  const test::TempDir dir;
  const test::TinyModel model(test::tiny_config(GetParam()));
  const auto source = Reference::from_source(model, 2).value();
  for (const int bits : {8, 4}) {
    for (const auto act : {kernels::ActForm::kA16, kernels::ActForm::kA8g32}) {
      const Pack pack = test::pack_of(model, dir.path(), {.bits = bits, .act = act});
      const auto simulated = Reference::from_pack(pack, 2).value();
      const auto engine = engine_source(pack, {.threads = 2});
      const double from_source = kl_between(*reference_source(source), *engine);
      const double from_pack = kl_between(*reference_source(simulated), *engine);
      EXPECT_GT(from_source, 1e-3) << bits;
      EXPECT_LT(from_pack, from_source) << bits;
      // A rounding to 8 bits that falls on the other side is not a small difference any more; nor is another
      // expert or position, chosen at a near tie.
      const bool chooses = model.config().moe.experts > 0;
      EXPECT_LT(from_pack, act != kernels::ActForm::kA16 ? 0.2 : chooses ? 0.02 : 1e-3) << bits;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Families, FamilyReference,
                         ::testing::Values("llama", "qwen2", "qwen3", "deepseek_v2", "deepseek_v3",
                                           "deepseek_v32"),
                         [](const auto& family) { return std::string(family.param); });

TEST_F(TinyReference, too_short_a_text_is_refused) {
  const auto reference = Reference::from_source(*source_, 1).value();
  const auto a = reference_source(reference), b = reference_source(reference);
  const std::vector<TokenId> one{1};
  EXPECT_EQ(compare_models(one, *a, *b, {.vocab = 300}, {}).error().code, ErrorCode::kInvalidArgument);
}

}  // namespace
}  // namespace adit::model
