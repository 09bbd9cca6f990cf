// SPDX-License-Identifier: MIT
// Of a pack that is not in memory, the chosen experts' pages come, and only they; the bits are those of any other run.
#include "common/model/expert_pages.hpp"

#include <gtest/gtest.h>

#include "common/model/forward.hpp"
#include "common/model/huge_pages.hpp"
#include "common/model/kv_cache.hpp"
#include "common/model/prune.hpp"
#include "tests/support/evicted_pack.hpp"
#include "tests/support/temp_dir.hpp"
#include "tests/support/tiny_model.hpp"

namespace adit::model {
namespace {

using test::all_in;
using test::evict;
using test::inner_pages;
using test::is_evicted;
using test::none_in;

std::vector<float> logits_of(Forward& forward, std::span<const TokenId> tokens) {
  KvCache cache = KvCache::make(forward.config(), 64).value();
  const int last = static_cast<int>(tokens.size()) - 1;
  const Segment segment{.cache = &cache, .first_position = 0, .tokens = tokens, .first_wanted = last};
  EXPECT_TRUE(forward.step(std::span(&segment, 1)));
  const float* logits = forward.logits(0, 1).value();
  return {logits, logits + forward.config().vocab};
}

struct Scene {
  explicit Scene(int bits)
      : pack(test::pack_of(test::TinyModel(test::many_experts(2)), folder.path(), {.bits = bits})) {}
  test::TempDir folder;
  Pack pack;
};

TEST(ExpertPages, of_the_chosen_experts_alone_come_into_memory) {
  for (const int bits : {8, 4}) {
    Scene scene(bits);
    const ModelConfig& c = scene.pack.config();
    ASSERT_LT(scene.pack.file_bytes(), kHugeFileBytes);
    const std::vector<TokenId> token{77};
    std::vector<float> wanted;
    {
      Forward plain(scene.pack, {.threads = 1, .rows_max = 8, .expert_advice = ExpertAdvice::kNever});
      wanted = logits_of(plain, token);
    }
    for (const int threads : {1, 3}) {
      Forward forward(scene.pack, {.threads = threads, .rows_max = 8, .expert_advice = ExpertAdvice::kAlways});
      evict(scene.pack, scene.pack.path());
      if (!is_evicted(scene.pack)) GTEST_SKIP() << "this file system keeps a file's pages: " << scene.folder.path();
      EXPECT_EQ(logits_of(forward, token), wanted);
      const LayerWeights& layer = scene.pack.layers().back();
      int chosen = 0;
      for (int e = 0; e < c.moe.experts; ++e) {
        const auto gate = inner_pages(layer.experts_gate, e * c.moe.ffn, c.moe.ffn);
        const auto up = inner_pages(layer.experts_up, e * c.moe.ffn, c.moe.ffn);
        const auto down = inner_pages(layer.experts_down, e * c.hidden, c.hidden);
        ASSERT_GE(gate.size(), 6u);
        ASSERT_GE(down.size(), 6u);
        const bool is_chosen = all_in(gate);
        EXPECT_EQ(is_chosen, all_in(up)) << e;
        EXPECT_EQ(is_chosen, all_in(down)) << e;
        EXPECT_TRUE(is_chosen || (none_in(gate) && none_in(up) && none_in(down))) << e;
        chosen += is_chosen ? 1 : 0;
      }
      EXPECT_EQ(chosen, c.moe.per_token);
    }
  }
}

// Every storage has ranges of its own; its logits do not depend on the advice.
TEST(ExpertPages, advice_does_not_change_the_bits) {
  const test::TempDir folder;
  const test::TinyModel source(test::tiny_config("deepseek_v3"));
  std::vector<TokenId> tokens;
  for (int i = 0; i < 40; ++i) tokens.push_back(3 + i * 37 % 250);
  const Pruner pairs(parse_pattern("2:4").value(), 0, 99, nullptr, {{kernels::Storage::k24, 0, 0}});
  const Pruner masks(parse_pattern("unstructured:0.5").value(), 0, 99, nullptr, {{kernels::Storage::kBitmask, 0, 0}});
  const Pruner blocks(parse_pattern("block:16x32:0.5").value(), 0, 99, nullptr, {{kernels::Storage::kBlock, 16, 32}});
  const std::vector<PackOptions> forms{
      {.bits = 8}, {.bits = 4}, {.bits = 8, .prune = &pairs}, {.bits = 8, .prune = &masks},
      {.bits = 8, .prune = &blocks}};
  for (const PackOptions& form : forms) {
    const Pack pack = test::pack_of(source, folder.path(), form);
    Forward plain(pack, {.threads = 1, .rows_max = 64, .expert_advice = ExpertAdvice::kNever});
    const std::vector<float> wanted = logits_of(plain, tokens);
    for (const int threads : {1, 2, 4}) {
      Forward forward(pack, {.threads = threads, .rows_max = 64, .expert_advice = ExpertAdvice::kAlways});
      EXPECT_EQ(logits_of(forward, tokens), wanted);
    }
  }
}

}  // namespace
}  // namespace adit::model
