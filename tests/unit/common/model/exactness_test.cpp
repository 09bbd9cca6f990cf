// SPDX-License-Identifier: MIT
// The promise of the engine: ids and trace root depend on pack, prompt, parameters and seed, and on
// nothing else: not on the instruction set, the number of threads, the prompt chunk, or what runs
// beside.
#include <string>
#include <tuple>
#include <vector>

#include <gtest/gtest.h>

#include "common/model/replay.hpp"
#include "tests/support/batch_jobs.hpp"
#include "tests/support/temp_dir.hpp"
#include "tests/support/test_model.hpp"
#include "tests/support/tiny_model.hpp"

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

void expect_replays(const Pack& pack, const std::vector<Job>& jobs, const std::vector<Generated>& answers,
                    KvForm kv = KvForm::kF16) {
  for (const Isa isa : isas()) {
    Replayer replayer(pack, {.isa = isa, .kv = kv, .threads = 2, .chunk = 37, .logits_rows = 5});
    for (std::size_t i = 0; i < jobs.size(); ++i) {
      const Result<ReplayResult> result = replayer.replay({.prompt = jobs[i].prompt,
                                                           .ids = answers[i].ids,
                                                           .params = jobs[i].params,
                                                           .binding = jobs[i].binding,
                                                           .trace_root = answers[i].trace_root});
      ASSERT_TRUE(result) << result.error().message;
      EXPECT_FALSE(result->mismatch) << name(result->mismatch->kind) << " at " << result->mismatch->index;
    }
  }
}

// Family, bits, form, columns of a scale; "" is tiny_llama, which comes from a GGUF file.
class Exactness : public testing::TestWithParam<std::tuple<std::string, int, ActForm, ScaleGroup>> {
 protected:
  // A head reads A16 unless it is told otherwise: with 4 bits and A8g32 it is.
  static PackOptions options() {
    const auto [family, bits, act, group] = GetParam();
    PackOptions out{.bits = bits, .act = act, .group = group};
    if (bits == 4 && act == ActForm::kA8g32) {
      for (const char* name : {"embedding", "head"}) out.choices[name] = {8, act};
    }
    return out;
  }
};

Pack tiny_pack(const std::filesystem::path& folder, const std::string& family, const PackOptions& options) {
  if (family.empty()) return test::tiny_llama_pack(folder, {}, options);
  return test::pack_of(test::TinyModel(test::tiny_config(family)), folder, options);
}

TEST_P(Exactness, same_bits_for_every_isa_thread_count_chunk_and_batch) {
  const test::TempDir folder;
  const std::string& family = std::get<0>(GetParam());
  const Pack pack = tiny_pack(folder.path(), family, options());
  SeededRng rng(41);
  const int vocab = pack.config().vocab;
  const SamplingParams noisy{.temperature_milli = 900, .top_p_65536 = 62000};
  // Experts and latent attention have more stages: fewer rows show them all.
  const bool is_deepseek = family.starts_with("deepseek");
  const std::vector<Job> jobs{
      random_job(rng, vocab, 1, is_deepseek ? 8 : 40, {}),
      random_job(rng, vocab, 70, 12, noisy),
      random_job(rng, vocab, is_deepseek ? 140 : 530, 6, {.temperature_milli = 1200, .top_k = 40}),
      random_job(rng, vocab, 33, is_deepseek ? 15 : 50, {.temperature_milli = 700, .min_p_65536 = 3000}),
  };
  const std::vector<Generated> want =
      run(pack, jobs, {.isa = Isa::kScalar, .threads = 1, .prefill_chunk = 512}, false);
  for (const Isa isa : isas()) {
    for (const int threads : {1, 2, 3}) {
      for (const int chunk : {1, 7, 64, 512}) {
        // All of the scalar version's ways would take minutes; the others are covered.
        if (isa == Isa::kScalar && (threads == 3 || chunk == 1)) continue;
        if (is_deepseek && chunk != (threads == 1 ? 1 : threads == 2 ? 7 : 64)) continue;
        for (const bool together : {false, true}) {
          const EngineOptions options{.isa = isa, .threads = threads, .prefill_chunk = chunk};
          expect_same(want, run(pack, jobs, options, together), describe(options, together));
        }
      }
    }
  }
  expect_replays(pack, jobs, want);
}

TEST_P(Exactness, a_batch_of_64_equals_each_alone) {
  const test::TempDir folder;
  const Pack pack = tiny_pack(folder.path(), std::get<0>(GetParam()), options());
  SeededRng rng(42);
  std::vector<Job> jobs;
  for (int i = 0; i < 64; ++i) {
    jobs.push_back(random_job(rng, pack.config().vocab, 1 + rng.below(40),
                              1 + static_cast<std::uint32_t>(rng.below(20)), {.temperature_milli = 1000}));
  }
  const EngineOptions options{.threads = 2, .prefill_chunk = 96};
  expect_same(run(pack, jobs, options, false), run(pack, jobs, options, true), describe(options, true));
}

INSTANTIATE_TEST_SUITE_P(Packs, Exactness,
                         testing::Combine(testing::Values("", "llama", "qwen2", "qwen3"),
                                          testing::Values(8, 4),
                                          testing::Values(ActForm::kA16, ActForm::kA8g32),
                                          testing::Values(ScaleGroup::k32)),
                         [](const auto& pack) {
                           const bool is_a16 = std::get<2>(pack.param) == ActForm::kA16;
                           const std::string& family = std::get<0>(pack.param);
                           return (family.empty() ? "gguf" : family) + "w" +
                                  std::to_string(std::get<1>(pack.param)) + (is_a16 ? "a16" : "a8g32");
                         });

INSTANTIATE_TEST_SUITE_P(DeepSeek, Exactness,
                         testing::Combine(testing::Values("deepseek_v2", "deepseek_v3", "deepseek_v32"),
                                          testing::Values(8, 4), testing::Values(ActForm::kA16),
                                          testing::Values(ScaleGroup::k32)),
                         [](const auto& pack) {
                           return std::get<0>(pack.param) + "w" + std::to_string(std::get<1>(pack.param));
                         });

INSTANTIATE_TEST_SUITE_P(DeepSeekA8, Exactness,
                         testing::Values(std::tuple("deepseek_v32", 4, ActForm::kA8g32, ScaleGroup::k32)));

INSTANTIATE_TEST_SUITE_P(Groups, Exactness,
                         testing::Values(std::tuple("llama", 8, ActForm::kA16, ScaleGroup::kRow),
                                         std::tuple("qwen2", 8, ActForm::kA8g32, ScaleGroup::kRow),
                                         std::tuple("qwen3", 4, ActForm::kA16, ScaleGroup::k64),
                                         std::tuple("llama", 4, ActForm::kA8g32, ScaleGroup::k128),
                                         std::tuple("deepseek_v3", 4, ActForm::kA16, ScaleGroup::k128)));

// Numerics 2: keys and values in int8, for every family that has them.
class Int8KeysValues : public testing::TestWithParam<std::string> {};

TEST_P(Int8KeysValues, same_bits_for_every_isa_thread_count_chunk_and_batch) {
  const test::TempDir folder;
  const Pack pack = tiny_pack(folder.path(), GetParam(), {.bits = 8});
  SeededRng rng(44);
  const int vocab = pack.config().vocab;
  std::vector<Job> jobs{random_job(rng, vocab, 1, 40, {}),
                        random_job(rng, vocab, 90, 12, {.temperature_milli = 900, .top_p_65536 = 62000}),
                        random_job(rng, vocab, 33, 20, {.temperature_milli = 700, .min_p_65536 = 3000})};
  // Takes over the second one's first blocks where it runs after it.
  jobs.push_back(jobs[1]);
  jobs.back().prompt.push_back(5);
  const std::vector<Generated> want =
      run(pack, jobs, {.isa = Isa::kScalar, .kv = KvForm::kI8, .threads = 1, .prefill_chunk = 512}, false);
  const std::vector<Generated> f16 = run(pack, jobs, {.threads = 1}, false);
  for (std::size_t i = 0; i < jobs.size(); ++i) EXPECT_NE(want[i].trace_root, f16[i].trace_root) << i;
  for (const Isa isa : isas()) {
    for (const int threads : {1, 2, 3}) {
      for (const int chunk : {1, 7, 64}) {
        if (isa == Isa::kScalar && (threads == 3 || chunk == 1)) continue;
        for (const bool together : {false, true}) {
          const EngineOptions options{
              .isa = isa, .kv = KvForm::kI8, .threads = threads, .prefill_chunk = chunk};
          expect_same(want, run(pack, jobs, options, together), describe(options, together));
        }
      }
    }
  }
  expect_replays(pack, jobs, want, KvForm::kI8);
  // A replay in the other numerics does not agree.
  Replayer other(pack, {.threads = 1});
  const auto result = other.replay({.prompt = jobs[1].prompt,
                                    .ids = want[1].ids,
                                    .params = jobs[1].params,
                                    .binding = jobs[1].binding,
                                    .trace_root = want[1].trace_root});
  ASSERT_TRUE(result) << result.error().message;
  EXPECT_TRUE(result->mismatch);
}

INSTANTIATE_TEST_SUITE_P(Families, Int8KeysValues, testing::Values("", "llama", "qwen2", "qwen3"),
                         [](const auto& family) { return family.param.empty() ? "gguf" : family.param; });

TEST(ExactnessRealModel, same_bits_for_every_isa_thread_count_chunk_and_batch) {
  const auto gguf = test::test_model();
  if (!gguf) GTEST_SKIP() << test::kNoTestModel;
  const test::TempDir folder;
  for (const int bits : {8, 4}) {
    const std::filesystem::path path = folder.path() / ("w" + std::to_string(bits) + ".adit");
    const auto packed = pack_model(*gguf, path, {.bits = bits}, [](double, std::string_view) {});
    ASSERT_TRUE(packed) << packed.error().message;
    const Pack pack = Pack::open(path).value();
    SeededRng rng(43);
    const std::vector<Job> jobs{
        random_job(rng, 49152, 90, 6, {}),
        random_job(rng, 49152, 17, 9, {.temperature_milli = 800, .top_p_65536 = 60000})};
    const std::vector<Generated> want = run(pack, jobs, {.threads = 1}, false);
    for (const Isa isa : isas()) {
      for (const int chunk : {1, 7, 64, 512}) {
        // The scalar version is slow: one chunk of it says all that differs.
        if (isa == Isa::kScalar && chunk != 64) continue;
        const EngineOptions options{.isa = isa, .threads = 2, .prefill_chunk = chunk};
        expect_same(want, run(pack, jobs, options, true), describe(options, true));
      }
    }
    expect_replays(pack, jobs, want);
  }
}

}  // namespace
}  // namespace adit::model
