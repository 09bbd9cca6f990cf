// SPDX-License-Identifier: MIT
// Several adapters in one batch: what a sequence answers is what it answers alone, bit for bit, for every family,
// instruction set, thread count and chunk, and blocks of one adapter are nothing to another.
#include <set>
#include <tuple>

#include <gtest/gtest.h>

#include "tests/support/batch_jobs.hpp"
#include "tests/support/given_logits.hpp"
#include "tests/support/temp_dir.hpp"
#include "tests/support/tiny_adapter.hpp"

namespace adit::model {
namespace {

using kernels::ActForm;
using kernels::Isa;
using kernels::ScaleGroup;
using test::describe;
using test::expect_same;
using test::isas;
using test::Job;
using test::random_job;
using test::run;

using Adapters = std::vector<std::shared_ptr<const Adapter>>;

// None; all linears; some of them, of small rank; few, of large rank.
Adapters some_adapters(const Pack& pack) {
  const ModelConfig& c = pack.config();
  return {nullptr, test::adapter_of(test::random_lora(c, 1), pack),
          test::adapter_of(test::random_lora(c, 2, 60, 8), pack),
          test::adapter_of(test::random_lora(c, 3, 20, 70), pack)};
}

bool is_deepseek(const std::string& family) {
  return family.starts_with("deepseek");
}

class MixedAdapters : public testing::TestWithParam<std::tuple<std::string, int, ActForm, ScaleGroup>> {
 protected:
  test::TempDir folder_;
  std::string family_ = std::get<0>(GetParam());
  Pack pack_ = test::pack_of(
      test::TinyModel(test::tiny_config(family_)), folder_.path(),
      {.bits = std::get<1>(GetParam()), .act = std::get<2>(GetParam()), .group = std::get<3>(GetParam())});
  Adapters adapters_ = some_adapters(pack_);
};

TEST_P(MixedAdapters, a_sequence_answers_as_it_does_alone) {
  SeededRng rng(51);
  const SamplingParams noisy{.temperature_milli = 900, .top_p_65536 = 62000};
  std::vector<Job> jobs;
  for (std::size_t i = 0; i < 9; ++i) {
    const std::size_t prompt = i == 4 ? 130 : 1 + rng.below(45);
    const auto tokens = static_cast<std::uint32_t>(2 + rng.below(is_deepseek(family_) ? 6 : 14));
    jobs.push_back(
        random_job(rng, pack_.config().vocab, prompt, tokens, i % 2 == 0 ? noisy : SamplingParams{}));
    jobs.back().adapter = adapters_[i * 3 % adapters_.size()];
  }
  const std::vector<Generated> want =
      run(pack_, jobs, {.isa = Isa::kScalar, .threads = 1, .prefill_chunk = 512, .shares_prefixes = false},
          false);
  for (const Isa isa : isas()) {
    for (const auto& [threads, chunk] : {std::pair{1, 512}, {1, 1}, {2, 7}, {3, 512}, {4, 64}}) {
      // The scalar version is slow; two of its ways say what differs.
      if (isa == Isa::kScalar && threads != 2 && threads != 4) continue;
      for (const bool together : {true, false}) {
        if (!together && threads != 2) continue;
        const EngineOptions options{.isa = isa, .threads = threads, .prefill_chunk = chunk};
        expect_same(want, run(pack_, jobs, options, together), describe(options, together));
      }
    }
  }
}

TEST_P(MixedAdapters, each_one_answers_in_its_own_way) {
  SeededRng rng(52);
  std::vector<Job> jobs(adapters_.size(), random_job(rng, pack_.config().vocab, 40, 12, {}));
  for (std::size_t i = 0; i < jobs.size(); ++i) jobs[i].adapter = adapters_[i];
  std::set<std::string> roots;
  for (const Generated& answer : run(pack_, jobs, {.threads = 2}, true))
    roots.insert(to_hex(answer.trace_root));
  EXPECT_EQ(roots.size(), jobs.size());
}

// Logits of every position of `ids` with an adapter, beside a sequence with another one and one without.
std::vector<float> logits_beside_others(const Pack& pack, const Adapter* adapter, const Adapter* other,
                                        const std::vector<TokenId>& ids) {
  const int n = static_cast<int>(ids.size());
  Forward forward(pack, {.threads = 2, .rows_max = 3 * n, .logits_rows_max = 3 * n});
  KvCache caches[] = {KvCache::make(pack.config(), n).value(), KvCache::make(pack.config(), n).value(),
                      KvCache::make(pack.config(), n).value()};
  const Segment segments[] = {{.cache = &caches[0], .tokens = ids, .adapter = other},
                              {.cache = &caches[1], .tokens = ids, .adapter = adapter},
                              {.cache = &caches[2], .tokens = ids}};
  EXPECT_TRUE(forward.step(segments));
  const float* logits = forward.logits(n, n).value();
  return {logits, logits + static_cast<std::size_t>(n) * forward.logits_stride()};
}

// The plain f32 pass over W + scale * B * A knows nothing of adapters.
TEST_P(MixedAdapters, the_reference_with_merged_weights_says_nearly_the_same) {
  const auto [family, bits, act, group] = GetParam();
  if (bits != 8 || act != ActForm::kA16 || group != ScaleGroup::k32) return;
  SeededRng rng(53);
  std::vector<TokenId> ids(24);
  for (TokenId& id : ids) id = 3 + static_cast<TokenId>(rng.below(297));
  const test::TinyModel base(pack_.config());
  for (const std::uint64_t seed : {1, 2}) {
    const LoraAdapter lora =
        test::random_lora(pack_.config(), seed, seed == 1 ? 100 : 60, seed == 1 ? 40 : 8);
    const test::TinyModel whole = test::merged(base, lora);
    const Reference reference = Reference::from_source(whole, 1).value();
    const auto want = reference_source(reference);
    const auto kl = [&](const Pack& pack, const Adapter* adapter, const Adapter* other) {
      test::GivenLogits got(logits_beside_others(pack, adapter, other, ids), pack.config().vocab);
      return compare_models(ids, *want, got, {.vocab = pack.config().vocab, .threads = 1}, {})->mean_kl;
    };
    const double with = kl(pack_, adapters_[seed].get(), adapters_[3].get());
    const double without = kl(pack_, nullptr, adapters_[3].get());
    // What rounding costs: random models of a few columns magnify it.
    const double rounding = kl(test::pack_of(whole, folder_.path(), {.bits = 8}), nullptr, nullptr);
    std::printf("%s, adapter %d: mean KL %.3g, merged and packed %.3g, without the adapter %.3g\n",
                family.c_str(), static_cast<int>(seed), with, rounding, without);
    EXPECT_LT(with, 3 * rounding + 0.01);
    EXPECT_LT(with, without / 10);
  }
}

TEST_P(MixedAdapters, blocks_of_one_adapter_are_nothing_to_another) {
  SeededRng rng(54);
  const Job job = random_job(rng, pack_.config().vocab, 70, 3, {});
  BatchEngine engine(pack_, {.threads = 2, .batch_max = 4});
  const auto answer = [&](const std::shared_ptr<const Adapter>& adapter, int& shared) {
    EXPECT_TRUE(engine.add(job.prompt, job.params, job.binding, {.adapter = adapter}));
    Generated out;
    shared = 0;
    while (engine.running() > 0) {
      StepResult step = engine.step().value();
      shared += step.shared_rows;
      if (!step.finished.empty()) out = step.finished[0];
    }
    return to_hex(out.trace_root);
  };
  int shared = 0;
  std::vector<std::string> first;
  for (const auto& adapter : adapters_) {
    first.push_back(answer(adapter, shared));
    EXPECT_EQ(shared, 0);
  }
  for (std::size_t i = 0; i < adapters_.size(); ++i) {
    EXPECT_EQ(answer(adapters_[i], shared), first[i]);
    EXPECT_EQ(shared, 64);
  }
  // The same adapter read again has the same hash, and so the same blocks.
  EXPECT_EQ(answer(some_adapters(pack_)[2], shared), first[2]);
  EXPECT_EQ(shared, 64);
}

TEST_P(MixedAdapters, the_engine_holds_an_adapter_until_its_sequence_ends) {
  SeededRng rng(55);
  const Job job = random_job(rng, pack_.config().vocab, 10, 4, {});
  BatchEngine engine(pack_, {});
  std::weak_ptr<const Adapter> seen = adapters_[1];
  ASSERT_TRUE(engine.add(job.prompt, job.params, job.binding, {.adapter = adapters_[1]}));
  adapters_.clear();
  while (engine.running() > 0) {
    EXPECT_FALSE(seen.expired());
    ASSERT_TRUE(engine.step());
  }
  EXPECT_TRUE(seen.expired());
}

INSTANTIATE_TEST_SUITE_P(
    Packs, MixedAdapters,
    testing::Combine(testing::Values("llama", "qwen2", "qwen3", "deepseek_v2", "deepseek_v3", "deepseek_v32"),
                     testing::Values(8, 4), testing::Values(ActForm::kA16, ActForm::kA8g32),
                     testing::Values(ScaleGroup::k32)),
    [](const auto& pack) {
      return std::get<0>(pack.param) + "w" + std::to_string(std::get<1>(pack.param)) +
             (std::get<2>(pack.param) == ActForm::kA16 ? "a16" : "a8g32");
    });

INSTANTIATE_TEST_SUITE_P(Groups, MixedAdapters,
                         testing::Values(std::tuple("llama", 8, ActForm::kA16, ScaleGroup::kRow),
                                         std::tuple("deepseek_v3", 4, ActForm::kA8g32, ScaleGroup::k128)));

TEST(MixedAdaptersRefusals, an_adapter_belongs_to_one_pack) {
  const test::TempDir folder;
  const Pack pack = test::pack_of(test::TinyModel(test::tiny_config("llama")), folder.path(), {.bits = 8});
  const Pack other =
      test::pack_of(test::TinyModel(test::tiny_config("llama"), 2), folder.path(), {.bits = 8});
  const auto adapter = test::adapter_of(test::random_lora(pack.config(), 1), other);
  BatchEngine engine(pack, {});
  const std::vector<TokenId> prompt{5};
  const auto refused = engine.add(prompt, {}, {}, {.adapter = adapter});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().message, "the adapter was made for pack " + to_hex(other.content_hash()) +
                                         ", this is " + to_hex(pack.content_hash()));
}

}  // namespace
}  // namespace adit::model
