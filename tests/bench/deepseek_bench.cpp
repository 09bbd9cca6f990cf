// SPDX-License-Identifier: MIT
// Speed of what the DeepSeek families add, as ratios within one run, on one thread's processor time: latent
// attention beside the scalar version and over chosen rows beside all rows; the indexer's scores; a step of a
// layer of experts beside the same step when every expert is chosen; and, in time on the clock on two threads, a token
// of a pack whose experts are all on the disk, with and without advice to the system.
//
//   adit_deepseek_bench [--benchmark_filter=REGEX]
#include <algorithm>
#include <chrono>
#include <filesystem>
#include <numeric>

#include <benchmark/benchmark.h>

#include "common/model/forward.hpp"
#include "common/model/model_parts.hpp"
#include "kernels/indexer/indexer.h"
#include "kernels/indexer/top_k.h"
#include "kernels/mla/latent_attention.h"
#include "tests/bench/thread_time.hpp"
#include "tests/support/evicted_pack.hpp"
#include "tests/support/temp_dir.hpp"
#include "tests/support/tiny_model.hpp"
#include "tests/unit/kernels/kernel_test.hpp"

namespace adit::kernels {
namespace {

std::size_t z(int value) { return static_cast<std::size_t>(value); }

using bench::fastest;

// DeepSeek's sizes: kv_rank 512, rope_dim 64; V3.2's indexer: 64 heads of 128.
constexpr int kRank = 512, kCells = 576, kIndexHeads64 = 64, kIndexDim = 128;

struct LatentSetting {
  LatentSetting(int rows_, int heads_, int keys_) : rows(rows_), heads(heads_), keys(keys_) {
    Random random(7);
    q.resize(z(rows) * z(heads) * kCells);
    for (float& x : q) x = random.unit();
    out.resize(z(rows) * z(heads) * kRank);
    scratch.resize(latent_scratch_floats(rows, heads, kCells, keys));
    memory.resize(z(keys) * kCells);
    for (std::uint16_t& x : memory) x = f16_from_f32(random.unit());
    for (int b = 0; b * kKeyBlock < keys; ++b) blocks.push_back(memory.data() + z(b * kKeyBlock) * kCells);
  }
  double seconds(Isa isa, const std::vector<std::int32_t>* chosen, int rounds) {
    LatentParams params;
    params.rows = rows;
    params.heads = heads;
    params.kv_rank = kRank;
    params.first_keys = chosen == nullptr ? keys - rows + 1 : static_cast<int>(chosen->size());
    params.scale = 0.05f;
    params.q = q.data();
    params.q_stride = z(heads) * kCells;
    params.keys = {blocks.data(), 0, kCells};
    params.chosen = chosen == nullptr ? nullptr : chosen->data();
    params.out = out.data();
    params.out_stride = z(heads) * kRank;
    params.scratch = scratch.data();
    return fastest(rounds, [&] { attend_latent(isa, params); });
  }
  int rows, heads, keys;
  std::vector<float> q, out, scratch;
  std::vector<std::uint16_t> memory;
  std::vector<const std::uint16_t*> blocks;
};

void latent(benchmark::State& state, Isa isa) {
  LatentSetting set(static_cast<int>(state.range(0)), static_cast<int>(state.range(1)), 2048);
  const double scalar = set.seconds(Isa::kScalar, nullptr, 1);
  double seconds = 1e30;
  for (auto _ : state) seconds = std::min(seconds, set.seconds(isa, nullptr, 1));
  const double macs = static_cast<double>(set.rows) * set.heads * set.keys * (kCells + kRank);
  state.counters["x_scalar"] = scalar / seconds;
  state.counters["GMACps"] = macs / seconds * 1e-9;
  state.counters["kv_GBps"] = static_cast<double>(set.keys) * kCells * 2 / seconds * 1e-9;
}

// All of 16384 rows, or 2048 chosen ones.
void latent_chosen(benchmark::State& state, Isa isa) {
  LatentSetting set(1, 16, 16384);
  std::vector<std::int32_t> chosen(2048);
  for (int i = 0; i < 2048; ++i) chosen[z(i)] = 8 * i + i % 7;
  double all = 1e30, some = 1e30;
  for (auto _ : state) {
    all = std::min(all, set.seconds(isa, nullptr, 1));
    some = std::min(some, set.seconds(isa, &chosen, 1));
  }
  state.counters["all_ms"] = all * 1e3;
  state.counters["chosen_ms"] = some * 1e3;
  state.counters["x_all"] = all / some;
}

void indexer(benchmark::State& state, Isa isa) {
  constexpr int kCount = 16384;
  Random random(9);
  std::vector<std::int8_t> q(z(kIndexHeads64 * kIndexDim));
  for (auto& x : q) x = static_cast<std::int8_t>(random.between(-127, 127));
  std::vector<std::int32_t> weights(z(kIndexHeads64));
  for (auto& w : weights) w = random.between(-32767, 32767);
  const std::size_t block = index_block_bytes(kIndexDim) / 2;
  std::vector<std::uint16_t> memory(block * kCount / kKeyBlock);
  for (auto& x : memory) x = static_cast<std::uint16_t>(random.between(0, 0x3fff));
  std::vector<const std::uint16_t*> blocks;
  for (std::size_t b = 0; b < kCount / kKeyBlock; ++b) blocks.push_back(memory.data() + b * block);
  std::vector<float> scores(kCount);
  std::vector<std::uint8_t> scratch(index_scratch_bytes(kIndexHeads64, kIndexDim));
  std::vector<std::int32_t> chosen(2048);
  IndexParams params{kIndexHeads64, kIndexDim, q.data(), weights.data(), {blocks.data(), 0}, kCount,
                     scores.data(), scratch.data()};
  const double scalar = fastest(1, [&] { index_scores(Isa::kScalar, params); });
  double seconds = 1e30, selection = 1e30;
  for (auto _ : state) {
    seconds = std::min(seconds, fastest(1, [&] { index_scores(isa, params); }));
    selection = std::min(selection, fastest(1, [&] { top_k(scores.data(), kCount, 2048, chosen.data()); }));
  }
  state.counters["x_scalar"] = scalar / seconds;
  state.counters["Mkeys_ps"] = kCount / seconds * 1e-6;
  state.counters["GMACps"] = 1e-9 * kCount * kIndexHeads64 * kIndexDim / seconds;
  state.counters["top_k_us"] = selection * 1e6;
}

// One decode step of two layers of 64 experts (30 MB each), 4 of them chosen or all.
double step_seconds(const model::Pack& pack, int rounds) {
  model::Forward forward(pack, {.threads = 1, .rows_max = 1, .logits_rows_max = 1});
  model::KvCache cache = model::KvCache::make(pack.config(), 1024).value();
  int position = 0;
  return fastest(rounds, [&] {
    const TokenId token = 3 + position % 200;
    const model::Segment segment{.cache = &cache, .first_position = position, .tokens = {&token, 1}};
    ++position;
    benchmark::DoNotOptimize(forward.step(std::span(&segment, 1)).has_value());
  });
}

void experts(benchmark::State& state) {
  const test::TempDir dir;
  model::ModelConfig config = test::tiny_config("deepseek_v2");
  config.layers = 2;
  config.hidden = 512;
  config.moe = {.experts = 64, .per_token = 4, .ffn = 320, .shared_ffn = 0};
  const model::Pack few = test::pack_of(test::TinyModel(config), dir.path(), {.bits = 8});
  config.moe.per_token = 64;
  const model::Pack all = test::pack_of(test::TinyModel(config), dir.path(), {.bits = 8});
  double seconds_few = 1e30, seconds_all = 1e30;
  for (auto _ : state) {
    seconds_few = std::min(seconds_few, step_seconds(few, 20));
    seconds_all = std::min(seconds_all, step_seconds(all, 20));
  }
  state.counters["all_ms"] = seconds_all * 1e3;
  state.counters["chosen_ms"] = seconds_few * 1e3;
  state.counters["x_all"] = seconds_all / seconds_few;
}

// Two layers with V2-Lite's attention and half its width: a prompt of 256 rows, then single rows. GMACps counts the
// linears that a row uses, not attention.
void layers(benchmark::State& state) {
  const test::TempDir dir;
  model::ModelConfig config = test::tiny_config("deepseek_v2");
  config.layers = 2;
  config.hidden = 1024;
  config.heads = 16;
  config.mla = {.q_rank = 0, .kv_rank = 512, .nope_dim = 128, .rope_dim = 64, .v_dim = 128};
  config.head_dim = 192;
  config.moe = {.experts = 32, .per_token = 6, .ffn = 352, .shared_ffn = 704};
  const model::Pack pack = test::pack_of(test::TinyModel(config), dir.path(), {.bits = 8});
  model::Forward forward(pack, {.threads = 1, .rows_max = 256, .logits_rows_max = 1});
  model::KvCache cache = model::KvCache::make(config, 512).value();
  const std::vector<TokenId> tokens(256, 5);
  const auto seconds = [&](int first, int count) {
    const model::Segment segment{
        .cache = &cache, .first_position = first, .tokens = std::span(tokens).first(z(count))};
    return fastest(1, [&] { benchmark::DoNotOptimize(forward.step(std::span(&segment, 1)).has_value()); });
  };
  double prompt = 1e30, row = 1e30;
  for (auto _ : state) {
    prompt = std::min(prompt, seconds(0, 256));
    for (int i = 0; i < 20; ++i) row = std::min(row, seconds(256 + i, 1));
  }
  const double macs =
      static_cast<double>(model::active_weights(config)) - static_cast<double>(config.vocab) * config.hidden;
  state.counters["prompt_ms"] = prompt * 1e3;
  state.counters["prompt_GMACps"] = 256 * macs / prompt * 1e-9;
  state.counters["row_us"] = row * 1e6;
  state.counters["row_GBps"] = macs / row * 1e-9;
}

// Nothing of the experts is in memory, as of a pack that exceeds it.
void evicted_experts(benchmark::State& state) {
  const test::TempDir dir;
  model::ModelConfig config = test::many_experts(9);
  config.moe.experts = 32;
  config.moe.ffn = 256;
  config.moe.per_token = 6;
  const model::Pack pack = test::pack_of(test::TinyModel(config), dir.path(), {.bits = 8});
  const auto seconds = [&](model::ExpertAdvice advice) {
    model::Forward forward(pack, {.threads = 2, .rows_max = 8, .expert_advice = advice});
    model::KvCache cache = model::KvCache::make(config, 64).value();
    const TokenId token = 77;
    const model::Segment segment{.cache = &cache, .first_position = 0, .tokens = {&token, 1}};
    test::map_plainly(pack, advice == model::ExpertAdvice::kAlways);
    test::evict(pack, pack.path());
    if (!test::is_evicted(pack)) state.SkipWithError("this file system keeps a file's pages");
    const auto start = std::chrono::steady_clock::now();
    benchmark::DoNotOptimize(forward.step(std::span(&segment, 1)).has_value());
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  };
  double plain = 1e30, advised = 1e30;
  for (auto _ : state) {
    plain = std::min(plain, seconds(model::ExpertAdvice::kNever));
    advised = std::min(advised, seconds(model::ExpertAdvice::kAlways));
  }
  state.counters["plain_ms"] = plain * 1e3;
  state.counters["advised_ms"] = advised * 1e3;
  state.counters["x_plain"] = plain / advised;
}

void register_all() {
  for (const Isa isa : vector_isas()) {
    const std::string name = isa_name(isa);
    benchmark::RegisterBenchmark(("latent/" + name).c_str(), latent, isa)
        ->Args({1, 16})
        ->Args({1, 128})
        ->Args({8, 16})
        ->Iterations(8)
        ->Unit(benchmark::kMillisecond);
    benchmark::RegisterBenchmark(("latent_chosen/" + name).c_str(), latent_chosen, isa)
        ->Iterations(5)
        ->Unit(benchmark::kMillisecond);
    benchmark::RegisterBenchmark(("indexer/" + name).c_str(), indexer, isa)
        ->Iterations(8)
        ->Unit(benchmark::kMillisecond);
  }
  benchmark::RegisterBenchmark("layers", layers)->Iterations(4)->Unit(benchmark::kMillisecond);
  benchmark::RegisterBenchmark("experts", experts)->Iterations(3)->Unit(benchmark::kMillisecond);
  benchmark::RegisterBenchmark("evicted_experts", evicted_experts)->Iterations(3)->Unit(benchmark::kMillisecond);
}

}  // namespace
}  // namespace adit::kernels

int main(int argc, char** argv) {
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
  adit::kernels::register_all();
  benchmark::RunSpecifiedBenchmarks();
  benchmark::Shutdown();
  return 0;
}
