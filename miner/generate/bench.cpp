// SPDX-License-Identifier: MIT
#include "miner/generate/bench.hpp"

#include <algorithm>

#include "common/base/clock.hpp"
#include "common/base/rng.hpp"
#include "common/model/chooser.hpp"
#include "common/model/forward.hpp"
#include "common/proof/trace.hpp"

namespace adit::miner {
namespace {

// Seconds for `rows` rows of random tokens, `chunk` of them a step, logits of the last row of each
// step from row `first_wanted` on.
struct Pass {
  int rows = 0;
  int chunk = 0;
  int first_wanted = 0;
};

Result<double> seconds_of(const model::Pack& pack, model::Forward& forward, model::Chooser& chooser,
                          const Pass& pass) {
  const model::ModelConfig& config = pack.config();
  SeededRng rng(7);
  std::vector<TokenId> tokens(static_cast<std::size_t>(pass.rows));
  for (TokenId& token : tokens) {
    token = static_cast<TokenId>(rng.below(static_cast<std::uint64_t>(config.vocab)));
  }
  const SystemClock clock;
  const std::uint64_t start = clock.steady_ns();
  ADIT_TRY(model::KvCache cache, model::KvCache::make(config, pass.rows));
  proof::TraceBuilder trace({config.layers, config.kv_heads},
                            static_cast<std::uint32_t>(pass.first_wanted + 1),
                            forward.options().isa);
  for (int done = 0; done < pass.rows;) {
    const int here = std::min(pass.chunk, pass.rows - done);
    const model::Segment segment{
        .cache = &cache,
        .trace = &trace,
        .first_position = done,
        .tokens = std::span<const TokenId>(tokens).subspan(static_cast<std::size_t>(done),
                                                           static_cast<std::size_t>(here)),
        .first_wanted = pass.first_wanted};
    ADIT_TRY_VOID(forward.step(std::span(&segment, 1)));
    if (forward.wanted() > 0) {
      ADIT_TRY(const float* logits, forward.logits(forward.wanted() - 1, 1));
      const model::Chooser::Request greedy{};
      ADIT_TRY_VOID(
          chooser.choose(forward.team(), logits, forward.logits_stride(), std::span(&greedy, 1)));
    }
    done += here;
  }
  return static_cast<double>(clock.steady_ns() - start) * 1e-9;
}

Speed speed_of(int tokens, std::vector<double> seconds) {
  std::sort(seconds.begin(), seconds.end());
  return {.best = tokens / seconds.front(), .median = tokens / seconds[seconds.size() / 2]};
}

}  // namespace

Result<std::vector<BenchRow>> bench(const model::Pack& pack, const BenchOptions& options) {
  std::vector<BenchRow> rows;
  for (const int threads : options.threads) {
    model::Forward forward(pack, {.isa = options.isa,
                                  .threads = threads,
                                  .rows_max = options.prefill_chunk,
                                  .logits_rows_max = 1});
    model::Chooser chooser(options.isa, pack.config().vocab, threads);
    const Pass prompt{.rows = options.prompt_tokens,
                      .chunk = options.prefill_chunk,
                      .first_wanted = options.prompt_tokens - 1};
    const Pass decode{.rows = options.decode_tokens, .chunk = 1, .first_wanted = 0};
    std::vector<double> prompt_seconds;
    std::vector<double> decode_seconds;
    // One unmeasured round brings the pack into memory.
    for (int round = -1; round < options.repetitions; ++round) {
      ADIT_TRY(const double p, seconds_of(pack, forward, chooser, prompt));
      ADIT_TRY(const double d, seconds_of(pack, forward, chooser, decode));
      if (round < 0) continue;
      prompt_seconds.push_back(p);
      decode_seconds.push_back(d);
    }
    rows.push_back({.threads = threads,
                    .prompt = speed_of(options.prompt_tokens, prompt_seconds),
                    .decode = speed_of(options.decode_tokens, decode_seconds)});
  }
  return rows;
}

}  // namespace adit::miner
