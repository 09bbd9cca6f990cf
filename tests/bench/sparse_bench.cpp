// SPDX-License-Identifier: MIT
// Sparse int8 decode beside dense int8 decode of the same run: the linears of SmolLM2-135M without the head
// (106 M weights), one token, one and two threads. x_dense = dense time / sparse time, the rounds interleaved.
//
//   adit_kernels_bench --benchmark_filter=sparse
#include <algorithm>
#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <thread>

#include <benchmark/benchmark.h>

#include "tests/bench/sparse_bench.hpp"
#include "tests/unit/kernels/sparse_linear.hpp"

namespace adit::kernels {
namespace {

double wall_seconds() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

// A second thread that runs what it is given, woken by spinning: the calls take about a millisecond.
class Second {
 public:
  Second() : thread_([this](const std::stop_token& stop) { loop(stop); }) {}
  ~Second() {
    thread_.request_stop();
    go_.fetch_add(1);
  }
  void start(const std::function<void()>& work) {
    work_ = &work;
    done_ = false;
    go_.fetch_add(1);
  }
  void wait() const {
    while (!done_.load()) {
    }
  }

 private:
  void loop(const std::stop_token& stop) {
    for (int seen = 0;;) {
      while (go_.load() == seen) {
      }
      seen = go_.load();
      if (stop.stop_requested()) return;
      (*work_)();
      done_ = true;
    }
  }
  const std::function<void()>* work_ = nullptr;
  std::atomic<int> go_{0};
  std::atomic<bool> done_{false};
  std::jthread thread_;
};

// One matrix of the set, dense and sparse, and a token for it.
struct Matrix {
  Matrix(const SparseForm& form, Isa isa, ActForm act_form, int m, int k)
      : random(7), layer(WeightForm::kI8, act_form, m, k) {
    for (int row = 0; row < m; ++row) {
      for (int column = 0; column < k; ++column) layer.code(row, column) = random.between(1, 127);
    }
    sparsify(layer, form, m, k, 4, random);
    layer.set_scales(100);
    layer.build();
    sparse = std::make_unique<SparseLinear>(layer.view(), form);
    const std::vector<float> x = random.wide_row(k);
    act.prepare(isa, act_form, 1, k);
    quantize(isa, x.data(), x.size(), act, 0, 1);
    y.resize(static_cast<std::size_t>(m));
  }
  void run(Isa isa, bool is_sparse, int part, int parts) {
    const LinearWeights weights = is_sparse ? sparse->view() : layer.view();
    const int tiles = tile_count(weights);
    linear(isa, weights, act, y.data(), y.size(), tiles * part / parts, tiles * (part + 1) / parts);
  }
  Random random;
  TestLinear layer;
  std::unique_ptr<SparseLinear> sparse;
  ActBuffer act;
  std::vector<float> y;
};

struct Case {
  Isa isa;
  ActForm act;
  SparseForm form;
};

double once(const Case& c, std::array<Matrix, 2>& set, bool is_sparse, int threads, Second* second) {
  const auto half = [&](int part) {
    for (Matrix& matrix : set) matrix.run(c.isa, is_sparse, part, threads);
  };
  const std::function<void()> other = [&] { half(1); };
  const double begin = wall_seconds();
  if (second != nullptr) second->start(other);
  half(0);
  if (second != nullptr) second->wait();
  return wall_seconds() - begin;
}

void decode_sparse(benchmark::State& state, const Case& c) {
  const int threads = static_cast<int>(state.range(0));
  // Rows of q, k, v, o, gate and up of 30 layers; and of down.
  static std::unique_ptr<std::array<Matrix, 2>> set;
  static std::string made;
  const std::string wanted = std::to_string(static_cast<int>(c.isa)) + std::to_string(static_cast<int>(c.act)) +
                             std::to_string(static_cast<int>(c.form.storage)) +
                             std::to_string(c.form.block_rows);
  if (made != wanted) {
    set.reset();
    set.reset(new std::array<Matrix, 2>{Matrix(c.form, c.isa, c.act, 30 * 4608, 576),
                                        Matrix(c.form, c.isa, c.act, 30 * 576, 1536)});
    made = wanted;
  }
  const std::unique_ptr<Second> second(threads == 2 ? new Second : nullptr);
  double dense = 1e30;
  double sparse = 1e30;
  for (auto _ : state) {
    dense = std::min(dense, once(c, *set, false, threads, second.get()));
    sparse = std::min(sparse, once(c, *set, true, threads, second.get()));
  }
  double bytes = 0;
  for (const Matrix& matrix : *set)
    bytes += static_cast<double>(matrix.sparse->stored_bytes()) +
             static_cast<double>(matrix.layer.view().m_pad) * matrix.layer.view().k_pad / kGroup * 2;
  state.counters["dense_ms"] = dense * 1e3;
  state.counters["sparse_ms"] = sparse * 1e3;
  state.counters["x_dense"] = dense / sparse;
  state.counters["GBps"] = bytes / sparse * 1e-9;
}

}  // namespace

void register_sparse() {
  const std::pair<const char*, SparseForm> forms[] = {
      {"2:4", {Storage::k24, 0, 0}},
      {"bitmask-50", {Storage::kBitmask, 0, 0}},
      {"block-16x64-50", {Storage::kBlock, 16, 64}},
      {"block-32x32-50", {Storage::kBlock, 32, 32}},
      {"block-1x128-50", {Storage::kBlock, 1, 128}}};
  for (const Isa isa : vector_isas()) {
    for (const auto& [name, form] : forms) {
      for (const ActForm act : {ActForm::kA16, ActForm::kA8g32}) {
        const std::string title = std::string("sparse/") + isa_name(isa) + "/" + name +
                                  (act == ActForm::kA16 ? "/a16" : "/a8g32");
        benchmark::RegisterBenchmark(title.c_str(), decode_sparse, Case{isa, act, form})
            ->Arg(1)
            ->Arg(2)
            ->Iterations(25)
            ->Unit(benchmark::kMillisecond);
      }
    }
  }
}

}  // namespace adit::kernels
