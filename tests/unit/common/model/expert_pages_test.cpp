// SPDX-License-Identifier: MIT
// Of a pack that is not in memory, the chosen experts' pages come, and only they; the bits are those of any other run.
#include "common/model/expert_pages.hpp"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include "common/model/forward.hpp"
#include "common/model/huge_pages.hpp"
#include "common/model/kv_cache.hpp"
#include "common/model/prune.hpp"
#include "tests/support/temp_dir.hpp"
#include "tests/support/tiny_model.hpp"

namespace adit::model {
namespace {

using kernels::LinearWeights;

// An expert's codes of one matrix take 8 pages and more; the file stays below kHugeFileBytes: mapped plainly.
ModelConfig many_experts(int layers) {
  ModelConfig c = test::tiny_config("deepseek_v2");
  c.layers = layers;
  c.hidden = 1024;
  c.ffn = 64;
  c.moe.experts = 24;
  c.moe.ffn = 64;
  c.moe.shared_ffn = 32;
  c.moe.groups = c.moe.groups_per_token = 1;
  c.moe.dense_layers = 1;
  return c;
}

std::uintptr_t page_bytes() { return static_cast<std::uintptr_t>(sysconf(_SC_PAGESIZE)); }

// Whether each page that holds codes of rows [first, first + count), and of no other rows, is in memory.
std::vector<bool> inner_pages(const LinearWeights& all, int first, int count) {
  const std::size_t row = static_cast<std::size_t>(all.k_pad) / (all.form == kernels::WeightForm::kU4 ? 2 : 1);
  const auto begin = reinterpret_cast<std::uintptr_t>(all.q) + static_cast<std::size_t>(first) * row;
  const std::uintptr_t end = begin + static_cast<std::size_t>(count) * row;
  const std::uintptr_t from = (begin + page_bytes() - 1) / page_bytes() * page_bytes();
  const std::uintptr_t to = end / page_bytes() * page_bytes();
  std::vector<unsigned char> pages((to - from) / page_bytes());
  EXPECT_EQ(0, mincore(reinterpret_cast<void*>(from), to - from, pages.data()));
  std::vector<bool> out;
  for (const unsigned char page : pages) out.push_back((page & 1U) != 0);
  return out;
}

bool all_in(const std::vector<bool>& pages) { return std::find(pages.begin(), pages.end(), false) == pages.end(); }
bool none_in(const std::vector<bool>& pages) { return std::find(pages.begin(), pages.end(), true) == pages.end(); }

// Takes the experts' codes out of this mapping, and then the file's pages out of the cache.
void evict(const Pack& pack, const std::filesystem::path& path) {
  for (const LayerWeights& layer : pack.layers()) {
    for (const LinearWeights* w : {&layer.experts_gate, &layer.experts_up, &layer.experts_down}) {
      if (w->q == nullptr) continue;
      const std::uintptr_t begin = reinterpret_cast<std::uintptr_t>(w->q) / page_bytes() * page_bytes();
      const std::size_t bytes =
          static_cast<std::size_t>(w->m_pad) * static_cast<std::size_t>(w->k_pad) /
          (w->form == kernels::WeightForm::kU4 ? 2 : 1);
      madvise(reinterpret_cast<void*>(begin), reinterpret_cast<std::uintptr_t>(w->q) + bytes - begin, MADV_DONTNEED);
    }
  }
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  ASSERT_GE(fd, 0);
  fsync(fd);
  EXPECT_EQ(0, posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED));
  close(fd);
}

bool is_evicted(const Pack& pack) {
  const LayerWeights& layer = pack.layers().back();
  const ModelConfig& c = pack.config();
  return none_in(inner_pages(layer.experts_gate, 0, c.moe.experts * c.moe.ffn)) &&
         none_in(inner_pages(layer.experts_up, 0, c.moe.experts * c.moe.ffn)) &&
         none_in(inner_pages(layer.experts_down, 0, c.moe.experts * c.hidden));
}

std::vector<float> logits_of(Forward& forward, std::span<const TokenId> tokens) {
  KvCache cache = KvCache::make(forward.config(), 64).value();
  const int last = static_cast<int>(tokens.size()) - 1;
  const Segment segment{.cache = &cache, .first_position = 0, .tokens = tokens, .first_wanted = last};
  EXPECT_TRUE(forward.step(std::span(&segment, 1)));
  const float* logits = forward.logits(0, 1).value();
  return {logits, logits + forward.config().vocab};
}

struct Scene {
  explicit Scene(int bits) : pack(test::pack_of(test::TinyModel(many_experts(2)), folder.path(), {.bits = bits})) {}
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

// How long a token takes when every expert has to come from the disk. Run it by name:
//   adit_model_engine_test --gtest_also_run_disabled_tests --gtest_filter='*evicted*'
TEST(ExpertPages, DISABLED_an_evicted_packs_token_takes) {
  const test::TempDir folder;
  ModelConfig config = many_experts(9);
  config.moe.experts = 32;
  config.moe.ffn = 256;
  config.moe.per_token = 6;
  const Pack pack = test::pack_of(test::TinyModel(config), folder.path(), {.bits = 8});
  std::printf("pack of %.0f MB\n", static_cast<double>(pack.file_bytes()) / 1e6);
  for (int round = 0; round < 3; ++round) {
    for (const ExpertAdvice advice : {ExpertAdvice::kNever, ExpertAdvice::kAlways}) {
      for (const LayerWeights& layer : pack.layers()) {
        for (const LinearWeights* w : {&layer.experts_gate, &layer.experts_up, &layer.experts_down}) {
          if (w->q == nullptr) continue;
          // As a pack that exceeds memory is mapped.
          const std::uintptr_t begin = reinterpret_cast<std::uintptr_t>(w->q) / page_bytes() * page_bytes();
          const std::size_t bytes = static_cast<std::size_t>(w->m_pad) * static_cast<std::size_t>(w->k_pad);
          madvise(reinterpret_cast<void*>(begin), bytes, MADV_NORMAL);
          madvise(reinterpret_cast<void*>(begin), bytes, MADV_NOHUGEPAGE);
        }
      }
      Forward forward(pack, {.threads = 2, .rows_max = 8, .expert_advice = advice});
      evict(pack, pack.path());
      if (!is_evicted(pack)) GTEST_SKIP() << "this file system keeps a file's pages: " << folder.path();
      const auto start = std::chrono::steady_clock::now();
      const std::vector<TokenId> token{77};
      (void)logits_of(forward, token);
      const std::chrono::duration<double, std::milli> taken = std::chrono::steady_clock::now() - start;
      std::printf("%s: %.1f ms\n", advice == ExpertAdvice::kNever ? "page by page" : "advised", taken.count());
    }
  }
}

}  // namespace
}  // namespace adit::model
