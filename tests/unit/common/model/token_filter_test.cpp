// SPDX-License-Identifier: MIT
// Filters and log-probabilities in the engine: what a filter forbids is never chosen, what it allows is chosen
// with the same bits beside anything, and log-probabilities are the canonical log-softmax.
#include "common/model/token_filter.hpp"

#include <cmath>
#include <map>
#include <memory>
#include <vector>

#include <gtest/gtest.h>

#include "common/base/rng.hpp"
#include "common/model/generator.hpp"
#include "common/model/logprobs.hpp"
#include "kernels/core/numerics.h"
#include "tests/support/temp_dir.hpp"
#include "tests/support/tiny_llama.hpp"

namespace adit::model {
namespace {

const Pack& tiny() {
  static const test::TempDir folder;
  static const Pack pack = test::tiny_llama_pack(folder.path(), {}, {.bits = 8});
  return pack;
}

// After id t only ids of another remainder modulo `modulus` may come; nothing at all after `steps` of them.
class Alternating final : public TokenFilter {
 public:
  Alternating(int vocab, int modulus, int steps) : vocab_(vocab), modulus_(modulus), left_(steps) { fill(-1); }
  AllowedIds allowed() override { return left_ == 0 ? AllowedIds{} : AllowedIds(words_); }
  void advance(TokenId chosen) override {
    --left_;
    fill(chosen % modulus_);
  }

 private:
  void fill(int forbidden) {
    words_.assign(static_cast<std::size_t>(vocab_ + 63) / 64, 0);
    for (int id = 3; id < vocab_; ++id) {
      if (id % modulus_ == forbidden) continue;
      words_[static_cast<std::size_t>(id / 64)] |= std::uint64_t{1} << (id % 64);
    }
  }
  int vocab_;
  int modulus_;
  int left_;
  std::vector<std::uint64_t> words_;
};

struct Trail {
  std::vector<NewToken> tokens;
  Generated done;
};

// Sequences with odd numbers are filtered and want log-probabilities.
std::vector<Trail> run_all(int count, const EngineOptions& options) {
  BatchEngine engine(tiny(), options);
  std::map<SequenceId, std::size_t> index;
  std::vector<Trail> runs(static_cast<std::size_t>(count));
  int next = 0;
  while (next < count || engine.running() > 0) {
    for (; next < count && engine.has_room(); ++next) {
      GenerateExtras extras;
      if (next % 2 == 1) {
        extras = {.filter = std::make_shared<Alternating>(tiny().config().vocab, 2 + next % 3, 15),
                  .top_logprobs = next % 6};
      }
      const GenerateParams params{.max_tokens = 24,
                                  .sampling = {.temperature_milli = next % 4 == 1 ? 0U : 900U}};
      const std::vector<TokenId> prompt(static_cast<std::size_t>(5 + next * 7), 40 + next);
      const auto id = engine.add(prompt, params, {.seed = {static_cast<std::uint8_t>(next)}}, extras);
      if (!id) throw std::runtime_error(id.error().message);
      index[*id] = static_cast<std::size_t>(next);
    }
    auto step = engine.step();
    if (!step) throw std::runtime_error(step.error().message);
    for (NewToken& token : step->tokens) runs[index.at(token.sequence)].tokens.push_back(std::move(token));
    for (Generated& done : step->finished) runs[index.at(done.sequence)].done = std::move(done);
  }
  return runs;
}

TEST(TokenFilter, holds_and_ends_where_nothing_is_allowed) {
  const std::vector<Trail> runs = run_all(8, {.threads = 1, .batch_max = 8});
  for (std::size_t i = 0; i < runs.size(); ++i) {
    const Generated& done = runs[i].done;
    if (i % 2 == 0) {
      EXPECT_NE(done.finish, FinishReason::kDeadEnd);
      continue;
    }
    EXPECT_EQ(done.finish, FinishReason::kDeadEnd);
    EXPECT_EQ(done.ids.size(), 15U);
    const auto modulus = static_cast<TokenId>(2 + i % 3);
    for (std::size_t t = 1; t < done.ids.size(); ++t) {
      EXPECT_NE(done.ids[t] % modulus, done.ids[t - 1] % modulus);
      EXPECT_GE(done.ids[t], 3);
    }
  }
}

TEST(TokenFilter, gives_the_same_bits_for_any_batch_and_threads) {
  const std::vector<Trail> alone = run_all(8, {.isa = kernels::Isa::kScalar, .threads = 1, .batch_max = 1});
  for (const int threads : {1, 3}) {
    const std::vector<Trail> beside = run_all(8, {.threads = threads, .prefill_chunk = 7, .batch_max = 5});
    for (std::size_t i = 0; i < alone.size(); ++i) {
      EXPECT_EQ(alone[i].done.ids, beside[i].done.ids);
      EXPECT_EQ(alone[i].done.trace_root, beside[i].done.trace_root);
      ASSERT_EQ(alone[i].tokens.size(), beside[i].tokens.size());
      for (std::size_t t = 0; t < alone[i].tokens.size(); ++t) {
        EXPECT_EQ(alone[i].tokens[t].logprobs, beside[i].tokens[t].logprobs);
        EXPECT_EQ(alone[i].tokens[t].logprobs.has_value(), i % 2 == 1);
      }
    }
  }
}

TEST(TokenFilter, that_allows_no_first_token_is_refused) {
  BatchEngine engine(tiny(), {});
  const auto added = engine.add(std::vector<TokenId>{5}, {.max_tokens = 3}, {},
                                {.filter = std::make_shared<Alternating>(300, 2, 0)});
  EXPECT_EQ(added.error().code, ErrorCode::kInvalidArgument);
}

TEST(Logprobs, are_the_log_softmax_of_the_row) {
  SeededRng rng(5);
  for (const std::size_t n : {1UL, 7UL, 300UL, 5000UL}) {
    std::vector<float> logits(n), scratch(n), other(n);
    for (float& x : logits) x = static_cast<float>(rng.below(400)) / 16.0f - 12.0f;
    const auto chosen = static_cast<TokenId>(rng.below(n));
    const TokenLogprobs got = logprobs_of(kernels::best_isa(), logits, chosen, 5, scratch);
    EXPECT_EQ(got, logprobs_of(kernels::Isa::kScalar, logits, chosen, 5, other));
    double sum = 0;
    for (const float x : logits) sum += std::exp(static_cast<double>(x));
    EXPECT_NEAR(static_cast<double>(got.logprob),
                static_cast<double>(logits[static_cast<std::size_t>(chosen)]) - std::log(sum), 1e-5);
    // The likeliest by a plain search, the lowest id of equals first.
    std::vector<char> used(n, 0);
    ASSERT_EQ(got.top.size(), std::min<std::size_t>(n, 5));
    for (const TokenLogprob& each : got.top) {
      std::size_t best = n;
      for (std::size_t i = 0; i < n; ++i) {
        if (used[i] == 0 && (best == n || logits[i] > logits[best])) best = i;
      }
      used[best] = 1;
      EXPECT_EQ(each.token, static_cast<TokenId>(best));
      EXPECT_NEAR(static_cast<double>(each.logprob), static_cast<double>(logits[best]) - std::log(sum), 1e-5);
    }
  }
}

}  // namespace
}  // namespace adit::model
