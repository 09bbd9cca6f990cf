// SPDX-License-Identifier: MIT
// The quality that the contract promises for each form, on the test model: mean KL against the f32 reference.
// A short text here; `adit-miner eval` measures the whole one (kernels/NUMERICS.md, "Packs").
#include <gtest/gtest.h>

#include "common/base/files.hpp"
#include "common/model/eval.hpp"
#include "common/model/pack_writer.hpp"
#include "common/model/tokenizer.hpp"
#include "tests/support/temp_dir.hpp"
#include "tests/support/test_model.hpp"

namespace adit::model {
namespace {

constexpr std::size_t kTokens = 512;

struct Form {
  const char* name;
  int bits;
  kernels::ActForm act;
  double kl_max;
};

void PrintTo(const Form& form, std::ostream* out) { *out << form.name; }

class Quality : public ::testing::TestWithParam<Form> {};

TEST_P(Quality, mean_kl_is_within_the_bound) {
  const auto path = test::test_model();
  if (!path) GTEST_SKIP() << test::kNoTestModel;
  const Form form = GetParam();
  const test::TempDir dir;
  ASSERT_TRUE(pack_model(*path, dir.path() / "p.adit", {.bits = form.bits, .act = form.act}, {}));
  const Pack pack = Pack::open(dir.path() / "p.adit").value();
  const auto source = open_weights(*path).value();
  const Reference reference = Reference::from_source(*source, 0).value();
  const Bytes text = read_file(std::string(ADIT_SOURCE_DIR) + "/tests/data/eval.txt", 1 << 20).value();
  auto ids = Tokenizer::from_blob(pack.tokenizer_json()).value().encode(as_text(text), false).value();
  ASSERT_GE(ids.size(), 8000u);
  ids.resize(kTokens);
  const auto a = reference_source(reference);
  const auto b = engine_source(pack, {.threads = 2});
  const auto report = compare_models(ids, *a, *b, {.vocab = pack.config().vocab}, {}).value();
  std::printf("%s: mean KL %.3g, top-1 %.4f\n", form.name, report.mean_kl, report.top1);
  EXPECT_LE(report.mean_kl, form.kl_max);
  EXPECT_GT(report.mean_kl, 0.0);
}

INSTANTIATE_TEST_SUITE_P(Forms, Quality,
                         ::testing::Values(Form{"u4_a16", 4, kernels::ActForm::kA16, 1e-3},
                                           Form{"u4_a8g", 4, kernels::ActForm::kA8g32, 5e-3},
                                           Form{"w8_a16", 8, kernels::ActForm::kA16, 3e-3},
                                           Form{"w8_a8g", 8, kernels::ActForm::kA8g32, 7e-3}),
                         [](const auto& form) { return std::string(form.param.name); });

}  // namespace
}  // namespace adit::model
