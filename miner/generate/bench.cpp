// SPDX-License-Identifier: MIT
#include "miner/generate/bench.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <memory>
#include <numeric>

#include "common/base/check.hpp"
#include "common/base/clock.hpp"
#include "common/base/rng.hpp"
#include "common/model/chooser.hpp"
#include "common/model/forward.hpp"
#include "common/proof/trace.hpp"

namespace adit::miner {
namespace {

constexpr int kLogitsRows = 16;

// `batch` sequences of `rows` random tokens, `chunk` of them a step; logits from row `first_wanted` on.
struct Pass {
  int batch = 1;
  int rows = 0;
  int chunk = 0;
  int first_wanted = 0;
};

struct Sequence {
  model::KvCache cache;
  proof::TraceBuilder trace;
  std::vector<TokenId> tokens;
};

class Bench {
 public:
  Bench(const model::Pack& pack, const BenchOptions& options, int threads, std::vector<int> cpus)
      : config_(pack.config()),
        forward_(pack, {.isa = options.isa,
                        .kv = options.kv,
                        .threads = threads,
                        .cpus = std::move(cpus),
                        .rows_max = std::max(options.prefill_chunk, largest(options.batches)),
                        .logits_rows_max = std::min(kLogitsRows, largest(options.batches))}),
        chooser_(options.isa, pack.config().vocab, threads) {}

  Result<double> tokens_per_second(const Pass& pass) {
    SeededRng rng(7);
    const SystemClock clock;
    const std::uint64_t start = clock.steady_ns();
    ADIT_TRY_VOID(reserve(pass.batch * model::kv_blocks(pass.rows)));
    std::vector<Sequence> sequences;
    for (int i = 0; i < pass.batch; ++i) {
      ADIT_TRY(Sequence sequence, make(pass, rng));
      sequences.push_back(std::move(sequence));
    }
    for (int done = 0; done < pass.rows;) {
      const int here = std::min(pass.chunk, pass.rows - done);
      std::vector<model::Segment> segments;
      for (Sequence& one : sequences) {
        segments.push_back(
            {.cache = &one.cache,
             .trace = &one.trace,
             .first_position = done,
             .tokens = std::span<const TokenId>(one.tokens)
                           .subspan(static_cast<std::size_t>(done), static_cast<std::size_t>(here)),
             .first_wanted = pass.first_wanted});
      }
      ADIT_TRY_VOID(forward_.step(segments));
      ADIT_TRY_VOID(choose());
      done += here;
    }
    const double seconds = static_cast<double>(clock.steady_ns() - start) * 1e-9;
    return static_cast<double>(pass.rows) * pass.batch / seconds;
  }

 private:
  static int largest(const std::vector<int>& values) {
    return values.empty() ? 1 : *std::max_element(values.begin(), values.end());
  }

  // One pool for all passes, as a server has: what one has touched is resident for the next.
  Result<void> reserve(int blocks) {
    if (pool_ && pool_->blocks() >= blocks) return {};
    ADIT_TRY(pool_, model::KvPool::make(model::kv_shape(config_, false, forward_.options().kv), blocks));
    return {};
  }

  Result<Sequence> make(const Pass& pass, SeededRng& rng) {
    model::KvCache cache(pool_, config_, pass.rows);
    ADIT_CHECK(cache.grow(pass.rows));
    std::vector<TokenId> tokens(static_cast<std::size_t>(pass.rows));
    for (TokenId& token : tokens) {
      token = static_cast<TokenId>(rng.below(static_cast<std::uint64_t>(config_.vocab)));
    }
    return Sequence{
        std::move(cache),
        proof::TraceBuilder({config_.layers, config_.kv_heads},
                            static_cast<std::uint32_t>(pass.first_wanted + 1), forward_.options().isa),
        std::move(tokens)};
  }

  // A greedy choice for each wanted row, as a server makes.
  Result<void> choose() {
    const int wanted = forward_.wanted();
    for (int first = 0; first < wanted; first += forward_.options().logits_rows_max) {
      const int count = std::min(forward_.options().logits_rows_max, wanted - first);
      ADIT_TRY(const float* logits, forward_.logits(first, count));
      const std::vector<model::Chooser::Request> greedy(static_cast<std::size_t>(count));
      ADIT_TRY_VOID(chooser_.choose(forward_.team(), logits, forward_.logits_stride(), greedy));
    }
    return {};
  }

  const model::ModelConfig& config_;
  model::Forward forward_;
  model::Chooser chooser_;
  std::shared_ptr<model::KvPool> pool_;
};

Result<void> check(const model::Pack& pack, const BenchOptions& options) {
  if (auto fits = model::check_kv(pack.config(), options.kv); !fits)
    return tl::unexpected<Error>(fits.error().context("--kv int8"));
  for (const std::vector<int>* lengths : {&options.prompts, &options.decodes}) {
    for (const int length : *lengths) {
      if (length > pack.config().context) {
        return invalid_argument("{}: {} tokens are over the model's context of {}", pack.path().string(),
                                length, pack.config().context);
      }
    }
  }
  return {};
}

}  // namespace

double Samples::mean() const {
  return values.empty()
             ? 0
             : std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

double Samples::deviation() const {
  if (values.size() < 2) return 0;
  const double middle = mean();
  double sum = 0;
  for (const double value : values) sum += (value - middle) * (value - middle);
  return std::sqrt(sum / static_cast<double>(values.size() - 1));
}

double Samples::best() const {
  return values.empty() ? 0 : *std::max_element(values.begin(), values.end());
}

double Samples::median() const {
  if (values.empty()) return 0;
  std::vector<double> sorted = values;
  std::sort(sorted.begin(), sorted.end());
  return sorted[(sorted.size() - 1) / 2];
}

std::string BenchRow::test() const {
  if (is_prompt) return fmt::format("pp{}", tokens);
  return batch == 1 ? fmt::format("tg{}", tokens) : fmt::format("tg{} x{}", tokens, batch);
}

Result<void> bench(const model::Pack& pack, const BenchOptions& options, const OnBenchRow& on_row) {
  ADIT_TRY_VOID(check(pack, options));
  for (const int threads : options.threads) {
    ADIT_TRY(std::vector<int> cpus, model::place_workers(options.pin, threads));
    Bench one(pack, options, threads, std::move(cpus));
    const auto measure = [&](BenchRow row, const Pass& pass) -> Result<void> {
      for (int round = options.warm_up ? -1 : 0; round < options.repetitions; ++round) {
        ADIT_TRY(const double speed, one.tokens_per_second(pass));
        if (round >= 0) row.speed.values.push_back(speed);
      }
      on_row(row);
      return {};
    };
    for (const int tokens : options.prompts) {
      ADIT_TRY_VOID(
          measure({.threads = threads, .is_prompt = true, .tokens = tokens, .batch = 1, .speed = {}},
                  {.batch = 1, .rows = tokens, .chunk = options.prefill_chunk, .first_wanted = tokens - 1}));
    }
    for (const int tokens : options.decodes) {
      for (const int batch : options.batches) {
        ADIT_TRY_VOID(
            measure({.threads = threads, .is_prompt = false, .tokens = tokens, .batch = batch, .speed = {}},
                    {.batch = batch, .rows = tokens, .chunk = 1, .first_wanted = 0}));
      }
    }
  }
  return {};
}

}  // namespace adit::miner
