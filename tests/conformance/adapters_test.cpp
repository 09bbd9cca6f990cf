// SPDX-License-Identifier: MIT
// Low-rank adapters as peft saved them (tests/vectors/lora) against peft's own logits: first the f32 reference over
// merged weights, then the exact engine, which runs them beside the model; and their hashes against lora_hash.py.
#include <map>

#include <gtest/gtest.h>

#include "tests/support/given_logits.hpp"
#include "tests/support/hf_folder.hpp"
#include "tests/support/temp_dir.hpp"
#include "tests/support/tiny_adapter.hpp"

namespace adit::model {
namespace {

const std::string kVectors = ADIT_TEST_VECTORS;

class PeftAdapters : public ::testing::TestWithParam<const char*> {
 protected:
  std::string folder_ = kVectors + "/lora/" + GetParam();
  test::Golden golden_ = test::load_golden(folder_);
  test::TinyModel model_ = test::hf_folder(kVectors + "/hf/" + GetParam());
  LoraAdapter lora_ = load_lora(folder_, model_.config()).value();
};

TEST_P(PeftAdapters, the_reference_with_merged_weights_gives_the_logits_of_peft) {
  const std::vector<float> plain = test::reference_logits(model_, golden_);
  const std::vector<float> adapted = test::reference_logits(test::merged(model_, lora_), golden_);
  const test::Distance with = test::distance(golden_.logits, adapted);
  const test::Distance without = test::distance(golden_.logits, plain);
  std::printf("%s: largest logit %.3g, largest difference %.3g, without the adapter %.3g\n", GetParam(),
              double(with.largest), double(with.worst), double(without.worst));
  // peft adds B A x to W x; the weights here are merged, and rounded, first.
  EXPECT_LT(with.worst, 3e-4f);
  EXPECT_GT(without.worst, 1.0f);
}

std::vector<float> engine_logits(const Pack& pack, const Adapter* adapter, const std::vector<TokenId>& ids) {
  const int n = static_cast<int>(ids.size());
  Forward forward(pack, {.rows_max = n, .logits_rows_max = n});
  KvCache cache = KvCache::make(pack.config(), n).value();
  const Segment segment{.cache = &cache, .tokens = ids, .adapter = adapter};
  EXPECT_TRUE(forward.step(std::span(&segment, 1)));
  const float* logits = forward.logits(0, n).value();
  return {logits, logits + ids.size() * forward.logits_stride()};
}

// The bounds are those of the models without adapters (families_test.cpp).
TEST_P(PeftAdapters, the_exact_engine_is_close) {
  const test::TempDir dir;
  test::GivenLogits golden(golden_.logits, golden_.vocab);
  for (const auto& [act, kl_max] :
       {std::pair{kernels::ActForm::kA16, 0.05}, {kernels::ActForm::kA8g32, 0.1}}) {
    const Pack pack = test::pack_of(model_, dir.path(), {.bits = 8, .act = act});
    const auto adapter = Adapter::load(folder_, pack).value();
    const auto kl = [&](const Adapter* used) {
      test::GivenLogits engine(engine_logits(pack, used, golden_.ids), golden_.vocab);
      return compare_models(golden_.ids, golden, engine, {.vocab = golden_.vocab}, {})->mean_kl;
    };
    const double with = kl(adapter.get()), without = kl(nullptr);
    std::printf("%s, form %d: mean KL %.3g, without the adapter %.3g\n", GetParam(), static_cast<int>(act),
                with, without);
    EXPECT_LT(with, kl_max * (pack.config().indexer.top_k > 0 ? 3 : 1));
    EXPECT_GT(without, 2 * with);
  }
}

// One name for an adapter, whatever its base is packed as.
TEST_P(PeftAdapters, its_hash_is_that_of_the_script) {
  std::map<std::string, std::string> hashes;
  const Bytes text = read_file(kVectors + "/lora/hashes.txt", 1 << 16).value();
  for (std::size_t at = 0; at < text.size(); ++at) {
    const std::size_t end = as_text(text).find('\n', at);
    hashes[std::string(as_text(text).substr(at + 66, end - at - 66))] = as_text(text).substr(at, 64);
    at = end;
  }
  const test::TempDir dir;
  for (const PackOptions& options : {PackOptions{.bits = 8}, {.bits = 4, .act = kernels::ActForm::kA8g32}}) {
    const Pack pack = test::pack_of(model_, dir.path(), options);
    EXPECT_EQ(to_hex(Adapter::load(folder_, pack).value()->content_hash()), hashes.at(GetParam()));
  }
}

INSTANTIATE_TEST_SUITE_P(All, PeftAdapters,
                         ::testing::Values("llama", "qwen2", "qwen3", "deepseek_v2", "deepseek_v3",
                                           "deepseek_v32"),
                         [](const auto& family) { return std::string(family.param); });

}  // namespace
}  // namespace adit::model
