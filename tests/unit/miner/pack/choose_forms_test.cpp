// SPDX-License-Identifier: MIT
#include "miner/pack/choose_forms.hpp"

#include <gtest/gtest.h>

#include "common/base/exit_code.hpp"
#include "common/base/files.hpp"
#include "miner/pack/pack_command.hpp"
#include "tests/support/temp_dir.hpp"
#include "tests/support/tiny_model.hpp"

namespace adit::miner {
namespace {

using kernels::ActForm;

class ChooseForms : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(write_file_atomic(text_, as_bytes(builtin_eval_text().substr(0, 300))));
  }
  Result<model::LinearChoices> choose(FormSearch search) {
    search.settings = {.text = text_, .threads = 2};
    return choose_forms(model_, dir_.path() / "scratch", search, {});
  }
  model::Pack packed(const model::LinearChoices& choices) {
    return test::pack_of(model_, dir_.path(), {.bits = 8, .choices = choices});
  }
  double kl(const model::Pack& pack) {
    const auto reference = model::Reference::from_source(model_, 2).value();
    const auto ids = evaluation_ids(pack, {.text = text_}).value();
    const auto a = model::reference_source(reference);
    const auto b = model::engine_source(pack, {.threads = 2});
    return model::compare_models(ids, *a, *b, {.vocab = pack.config().vocab}, {}).value().mean_kl;
  }
  std::size_t files() const {
    return static_cast<std::size_t>(std::distance(std::filesystem::directory_iterator(dir_.path()), {}));
  }

  test::TempDir dir_;
  std::filesystem::path text_ = dir_.path() / "text.txt";
  test::TinyModel model_{test::tiny_config("qwen2")};
  std::uint64_t eight_ = packed({}).file_bytes();
  std::uint64_t four_ = test::pack_of(model_, dir_.path(), {.bits = 4}).file_bytes();
  // A third of the way: the search allows for longer tables than these.
  std::uint64_t budget_ = (2 * eight_ + four_) / 3;
};

int count_of(const model::LinearChoices& choices, int bits, ActForm act) {
  return static_cast<int>(std::count_if(choices.begin(), choices.end(), [&](const auto& entry) {
    return entry.second == model::LinearChoice{bits, act};
  }));
}

TEST_F(ChooseForms, fits_the_budget_and_harms_less_than_four_bits_everywhere) {
  const std::size_t before = files();
  const auto chosen = choose({.bytes_max = budget_});
  ASSERT_TRUE(chosen) << chosen.error().message << ", " << eight_ << " and " << four_;
  const model::LinearChoices& choices = *chosen;
  EXPECT_EQ(files(), before);
  EXPECT_EQ(choices.size(), 21u);
  EXPECT_GT(count_of(choices, 4, ActForm::kA16), 2);
  EXPECT_GT(count_of(choices, 8, ActForm::kA16), 2);
  const model::Pack pack = packed(choices);
  EXPECT_LE(pack.file_bytes(), budget_);
  EXPECT_GT(pack.file_bytes(), four_);
  EXPECT_LT(kl(pack), 0.8 * kl(test::pack_of(model_, dir_.path(), {.bits = 4})));
  EXPECT_EQ(choices, choose({.bytes_max = budget_}).value());
}

TEST_F(ChooseForms, a_budget_that_nothing_fits_is_refused_with_the_smallest_size) {
  const auto refused = choose({.bytes_max = four_ / 2});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kAborted);
  EXPECT_NE(refused.error().message.find("the smallest pack has"), std::string::npos)
      << refused.error().message;
  const auto roomy = choose({.bytes_max = eight_}).value();
  EXPECT_LE(packed(roomy).file_bytes(), eight_);
}

TEST_F(ChooseForms, activations_of_8_bits_where_the_bound_allows) {
  const double wide = kl(packed({}));
  const double narrow = kl(test::pack_of(model_, dir_.path(), {.bits = 8, .act = ActForm::kA8g32}));
  ASSERT_LT(wide, narrow);
  const auto some = choose({.act_kl_max = (wide + narrow) / 2}).value();
  EXPECT_GT(count_of(some, 8, ActForm::kA8g32), 0);
  EXPECT_GT(count_of(some, 8, ActForm::kA16), 0);
  EXPECT_LT(kl(packed(some)), narrow);
  EXPECT_EQ(count_of(choose({.act_kl_max = wide / 2}).value(), 8, ActForm::kA8g32), 0);
  EXPECT_EQ(count_of(choose({.act_kl_max = 100.0}).value(), 8, ActForm::kA8g32), 21);
}

// Of two halves one does less harm than the whole text: beginning with it, the first tokens promise too much.
TEST_F(ChooseForms, activations_keep_the_bound_on_the_whole_text) {
  const std::string_view text = builtin_eval_text();
  for (const auto& [first, second] : {std::pair(text.substr(0, 600), text.substr(5000, 600)),
                                      std::pair(text.substr(5000, 600), text.substr(0, 600))}) {
    ASSERT_TRUE(write_file_atomic(text_, as_bytes(std::string(first) + std::string(second))));
    const double wide = kl(packed({}));
    const double narrow = kl(test::pack_of(model_, dir_.path(), {.bits = 8, .act = ActForm::kA8g32}));
    for (const double share : {0.9999, 0.5}) {
      const double bound = wide + share * (narrow - wide);
      const auto some = choose({.act_kl_max = bound}).value();
      EXPECT_LE(kl(packed(some)), bound) << share;
      EXPECT_GT(count_of(some, 8, ActForm::kA8g32), 0) << share;
    }
  }
}

TEST_F(ChooseForms, a_mixed_pack_computes_what_the_mix_of_two_packs_did) {
  const model::Pack eight = packed({});
  const model::Pack four = test::pack_of(model_, dir_.path(), {.bits = 4});
  model::LinearChoices choices;
  for (const char* name : {"layers.0.attn_o", "layers.1.ffn_gate", "layers.1.ffn_up"})
    choices[name] = {4, ActForm::kA8g32};
  for (const char* name : {"layers.2.attn_q", "layers.2.attn_k", "layers.2.attn_v"})
    choices[name] = {8, ActForm::kA8g32};
  choices["layers.2.ffn_down"] = {4, ActForm::kA16};
  EXPECT_EQ(kl(model::Pack::mix(eight, four, choices)), kl(packed(choices)));
  // One row, two forms.
  choices["layers.1.ffn_up"] = {4, ActForm::kA16};
  const auto refused = model::pack_model(model_, dir_.path() / "x.adit", {.bits = 8, .choices = choices}, {});
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().message.find("layers.1.ffn_gate and layers.1.ffn_up read one row"),
            std::string::npos)
      << refused.error().message;
}

TEST(PackTargets, the_command_packs_to_a_size) {
  const test::TempDir dir;
  ASSERT_TRUE(write_file_atomic(dir.path() / "m.gguf", test::tiny_llama_gguf({})));
  ASSERT_TRUE(write_file_atomic(dir.path() / "t", as_bytes(builtin_eval_text().substr(0, 200))));
  PackCommand command{.input = dir.path() / "m.gguf", .output = dir.path() / "m.adit", .bits = 8};
  command.text = dir.path() / "t";
  std::string out;
  const auto pack_bytes = [&] {
    testing::internal::CaptureStdout();
    EXPECT_EQ(run_pack(command), exit_code::kOk);
    out = testing::internal::GetCapturedStdout();
    return model::Pack::open(command.output).value().file_bytes();
  };
  const std::uint64_t eight = pack_bytes();
  command.target_size = eight * 8 / 10;
  EXPECT_LE(pack_bytes(), *command.target_size);
  EXPECT_EQ(out.find("linears       0 u4"), std::string::npos) << out;
  EXPECT_EQ(out.find(", 1 int8"), std::string::npos) << out;
  command.target_size = std::nullopt;
  command.chooses_act = true;
  EXPECT_EQ(run_pack(command), exit_code::kModel);
  command.max_kl = 100.0;
  pack_bytes();
  EXPECT_NE(out.find("a8g32\n"), std::string::npos) << out;
}

}  // namespace
}  // namespace adit::miner
