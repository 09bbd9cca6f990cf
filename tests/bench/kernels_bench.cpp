// SPDX-License-Identifier: MIT
// Speed of the kernels beside two yardsticks of the same run: the scalar version (counter x_scalar) and a
// plain read of memory (memory_read; of_read = the share of it that a memory-bound kernel reaches). One
// thread.
//
//   adit_kernels_bench [--benchmark_filter=REGEX] [--benchmark_min_time=0.3]
#include <algorithm>
#include <memory>
#include <string>

#include <benchmark/benchmark.h>

#include "kernels/attention/attention.h"
#include "kernels/norm/rms_norm.h"
#include "kernels/ops/rows.h"
#include "kernels/swiglu/swiglu.h"
#include "tests/bench/sparse_bench.hpp"
#include "tests/bench/thread_time.hpp"
#include "tests/unit/kernels/random_linear.hpp"

namespace adit::kernels {
namespace {

constexpr std::uint64_t kSeed = 7;

using bench::fastest;

// Bytes a second of adding up 64 MiB, the best of some rounds, measured once.
double read_bandwidth() {
  using Vector = std::uint64_t __attribute__((vector_size(64)));
  static const double bandwidth = [] {
    const std::size_t count = std::size_t{1} << 20;
    const std::unique_ptr<Vector[]> memory(new Vector[count]());
    const double seconds = fastest(20, [&] {
      Vector sums[4] = {};
      for (std::size_t i = 0; i < count; i += 4) {
        for (std::size_t j = 0; j < 4; ++j) sums[j] += memory[i + j];
      }
      benchmark::DoNotOptimize(sums);
    });
    return static_cast<double>(count * sizeof(Vector)) / seconds;
  }();
  return bandwidth;
}

struct Case {
  Isa isa;
  WeightForm weights;
  ActForm act;
  ScaleGroup group = ScaleGroup::k32;
};

std::string name_of(const Case& c) {
  return std::string(isa_name(c.isa)) + (c.weights == WeightForm::kI8 ? "/w8" : "/u4") +
         (c.act == ActForm::kA16 ? "/a16" : "/a8g32") +
         (c.group == ScaleGroup::k32    ? ""
          : c.group == ScaleGroup::kRow ? "/row"
                                        : "/g" + std::to_string(static_cast<int>(c.group)));
}

// A layer and activations for n tokens; callers ask for more weights than a cache holds.
struct LinearSetting {
  LinearSetting(const Case& c, int m, int k, int n) : random(kSeed), layer(c.weights, c.act, m, k, c.group) {
    for (int row = 0; row < m; ++row) {
      const auto bits = random.bits();
      for (int column = 0; column < k; ++column) {
        const int mixed = static_cast<int>((bits >> (column % 57)) & 255);
        layer.code(row, column) = c.weights == WeightForm::kU4 ? mixed & 15 : mixed - 128;
      }
    }
    // What a packer writes: about 100, and 1 for a row of int8.
    layer.set_scales(c.group == ScaleGroup::kRow && c.weights == WeightForm::kI8 ? 1 : 100);
    layer.build();
    x = random.wide_row(n * k);
    act.prepare(c.isa, c.act, n, k);
    quantize(c.isa, x.data(), static_cast<std::size_t>(k), act, 0, n);
    y.resize(static_cast<std::size_t>(n) * static_cast<std::size_t>(m));
  }
  void run(Isa isa, int tiles) {
    linear(isa, layer.view(), act, y.data(), static_cast<std::size_t>(layer.view().m), 0, tiles);
  }
  Random random;
  TestLinear layer;
  std::vector<float> x;
  ActBuffer act;
  std::vector<float> y;
};

double weight_bytes(const LinearWeights& weights) {
  const double cells = static_cast<double>(weights.m_pad) * static_cast<double>(weights.k_pad);
  const double scales = static_cast<double>(weights.m_pad) * scales_of(weights);
  return weights.form == WeightForm::kU4 ? cells / 2 + scales * 4
                                         : cells + scales * 2;
}

void decode(benchmark::State& state, const Case& c) {
  const int tokens = static_cast<int>(state.range(0));
  LinearSetting setting(c, 65536, 576, tokens);
  const int tiles = tile_count(setting.layer.view());
  const int few = tiles / 32;
  const double scalar = fastest(2, [&] { setting.run(Isa::kScalar, few); }) * tiles / few;
  double best = 1e30;
  for (auto _ : state) best = std::min(best, fastest(1, [&] { setting.run(c.isa, tiles); }));
  const double bytes = weight_bytes(setting.layer.view());
  state.counters["GBps"] = bytes / best * 1e-9;
  state.counters["of_read"] = bytes / best / read_bandwidth();
  state.counters["x_scalar"] = scalar / best;
}

void prefill(benchmark::State& state, const Case& c) {
  constexpr int kTokens = 256;
  const int m = static_cast<int>(state.range(0));
  const int k = static_cast<int>(state.range(1));
  LinearSetting setting(c, m, k, kTokens);
  const int tiles = tile_count(setting.layer.view());
  const double scalar = fastest(1, [&] { setting.run(Isa::kScalar, 1); }) * tiles;
  double best = 1e30;
  for (auto _ : state) best = std::min(best, fastest(1, [&] { setting.run(c.isa, tiles); }));
  state.counters["GMACps"] = static_cast<double>(m) * k * kTokens / best * 1e-9;
  state.counters["x_scalar"] = scalar / best;
}

// `rows` query rows of some heads over about `keys` keys.
void attention(benchmark::State& state, Isa isa) {
  const int rows = static_cast<int>(state.range(0));
  const int keys = static_cast<int>(state.range(1));
  constexpr int kDim = 64;
  const int heads = static_cast<int>(state.range(2));
  Random random(kSeed);
  const std::vector<float> q = random.wide_row(rows * heads * kDim);
  std::vector<std::uint16_t> k(cache_cells(keys, kDim));
  std::vector<std::uint16_t> v(cache_cells(keys, kDim));
  for (int position = 0; position < keys; ++position) {
    store_kv(isa, kDim, position, random.wide_row(kDim).data(), random.wide_row(kDim).data(),
             k.data(), v.data());
  }
  std::vector<float> out(q.size());
  std::vector<float> scratch(attend_scratch_floats(rows, heads, keys));
  AttendParams params;
  params.rows = rows;
  params.group = heads;
  params.head_dim = kDim;
  params.first_keys = keys - rows + 1;
  params.scale = 0.125f;
  params.q = q.data();
  params.q_stride = heads * kDim;
  params.k = k.data();
  params.v = v.data();
  params.out = out.data();
  params.out_stride = heads * kDim;
  params.scratch = scratch.data();
  const double scalar = fastest(2, [&] { attend_rows(Isa::kScalar, params); });
  double best = 1e30;
  for (auto _ : state) best = std::min(best, fastest(1, [&] { attend_rows(isa, params); }));
  const double pairs = (static_cast<double>(keys) - (rows - 1) / 2.0) * rows * heads;
  state.counters["GFMAps"] = pairs * 2 * kDim / best * 1e-9;
  state.counters["x_scalar"] = scalar / best;
}

template <class F>
void row_op(benchmark::State& state, Isa isa, int n, F f) {
  Random random(kSeed);
  const std::vector<float> x = random.wide_row(n);
  const std::vector<float> y = random.wide_row(n);
  std::vector<float> out(x.size());
  const double scalar = fastest(50, [&] { f(Isa::kScalar, x.data(), y.data(), out.data()); });
  const double vector = fastest(2000, [&] { f(isa, x.data(), y.data(), out.data()); });
  for (auto _ : state) f(isa, x.data(), y.data(), out.data());
  state.counters["x_scalar"] = scalar / vector;
  state.SetItemsProcessed(state.iterations() * n);
}

void register_rows(Isa isa) {
  const std::string suffix = std::string("/") + isa_name(isa);
  benchmark::RegisterBenchmark(("rms_norm_576" + suffix).c_str(), [isa](benchmark::State& state) {
    row_op(state, isa, 576, [](Isa used, const float* x, const float* y, float* out) {
      rms_norm(used, x, y, 576, 1e-5f, out);
    });
  });
  benchmark::RegisterBenchmark(("swiglu_1536" + suffix).c_str(), [isa](benchmark::State& state) {
    row_op(state, isa, 1536, [](Isa used, const float* x, const float* y, float* out) {
      swiglu(used, x, y, 1536, out);
    });
  });
  benchmark::RegisterBenchmark(("argmax_49152" + suffix).c_str(), [isa](benchmark::State& state) {
    row_op(state, isa, 49152, [](Isa used, const float* x, const float*, float*) {
      benchmark::DoNotOptimize(argmax(used, x, 49152));
    });
  });
  for (const ActForm form : {ActForm::kA16, ActForm::kA8g32}) {
    const std::string name = form == ActForm::kA16 ? "quantize_a16_576" : "quantize_a8g32_576";
    benchmark::RegisterBenchmark((name + suffix).c_str(), [isa, form](benchmark::State& state) {
      ActBuffer act;
      act.prepare(isa, form, 1, 576);
      row_op(state, isa, 576, [&act](Isa used, const float* x, const float*, float*) {
        benchmark::DoNotOptimize(quantize(used, x, 576, act, 0, 1));
      });
    });
  }
}

void register_all() {
  benchmark::RegisterBenchmark("memory_read", [](benchmark::State& state) {
    double bandwidth = 0;
    for (auto _ : state) bandwidth = read_bandwidth();
    state.counters["GBps"] = bandwidth * 1e-9;
  })->Iterations(1);
  for (const Isa isa : vector_isas()) {
    for (const WeightForm weights : {WeightForm::kI8, WeightForm::kU4}) {
      for (int i = 0; i < 2 * static_cast<int>(kScaleGroups.size()); ++i) {
        const Case c{isa, weights, i % 2 == 0 ? ActForm::kA16 : ActForm::kA8g32,
                     kScaleGroups[static_cast<std::size_t>(i / 2)]};
        benchmark::RegisterBenchmark(("decode/" + name_of(c)).c_str(), decode, c)
            ->Arg(1)
            ->Arg(4)
            ->Iterations(12)
            ->Unit(benchmark::kMillisecond);
        benchmark::RegisterBenchmark(("prefill/" + name_of(c)).c_str(), prefill, c)
            ->Args({1536, 576})
            ->Args({576, 1536})
            ->Iterations(20)
            ->Unit(benchmark::kMillisecond);
      }
    }
    benchmark::RegisterBenchmark((std::string("attention/") + isa_name(isa)).c_str(), attention,
                                 isa)
        ->Args({1, 64, 1})
        ->Args({1, 512, 1})
        ->Args({1, 64, 3})
        ->Args({1, 512, 3})
        ->Args({16, 512, 3})
        ->Args({64, 512, 3})
        ->Iterations(40)
        ->Unit(benchmark::kMicrosecond);
    register_rows(isa);
  }
}

}  // namespace
}  // namespace adit::kernels

int main(int argc, char** argv) {
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
  adit::kernels::register_all();
  adit::kernels::register_sparse();
  benchmark::RunSpecifiedBenchmarks();
  benchmark::Shutdown();
  return 0;
}
