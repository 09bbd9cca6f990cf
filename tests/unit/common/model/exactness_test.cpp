// SPDX-License-Identifier: MIT
// The promise of the engine: ids and trace root depend on pack, prompt, parameters and seed, and on
// nothing else: not on the instruction set, the number of threads, the prompt chunk, or what runs
// beside.
#include <map>
#include <string>
#include <tuple>
#include <vector>

#include <gtest/gtest.h>

#include "common/base/rng.hpp"
#include "common/model/generator.hpp"
#include "common/model/replay.hpp"
#include "tests/support/temp_dir.hpp"
#include "tests/support/test_model.hpp"
#include "tests/support/tiny_model.hpp"

namespace adit::model {
namespace {

using kernels::ActForm;
using kernels::Isa;
using kernels::ScaleGroup;

struct Job {
  std::vector<TokenId> prompt;
  GenerateParams params;
  proof::TraceBinding binding;
};

Job random_job(SeededRng& rng, int vocab, std::size_t prompt, std::uint32_t tokens, const SamplingParams& s) {
  Job job;
  for (std::size_t i = 0; i < prompt; ++i) {
    job.prompt.push_back(static_cast<TokenId>(rng.below(static_cast<std::uint64_t>(vocab))));
  }
  job.params = {.max_tokens = tokens, .sampling = s};
  rng.fill(job.binding.card);
  rng.fill(job.binding.request);
  rng.fill(job.binding.seed);
  return job;
}

// All jobs together when `together`, else one after the other; job i's answer at i.
std::vector<Generated> run(const Pack& pack, const std::vector<Job>& jobs, EngineOptions options,
                           bool together) {
  options.batch_max = static_cast<int>(jobs.size());
  BatchEngine engine(pack, options);
  std::map<SequenceId, std::size_t> index;
  std::vector<Generated> answers(jobs.size());
  const auto step_once = [&] {
    const Result<StepResult> step = engine.step();
    if (!step) {
      ADD_FAILURE() << step.error().message;
      return;
    }
    for (const Generated& done : step->finished) answers[index.at(done.sequence)] = done;
  };
  const auto drain = [&] {
    while (engine.running() > 0) step_once();
  };
  for (std::size_t i = 0; i < jobs.size(); ++i) {
    const Result<SequenceId> id = engine.add(jobs[i].prompt, jobs[i].params, jobs[i].binding);
    if (!id) {
      ADD_FAILURE() << id.error().message;
      return answers;
    }
    index[*id] = i;
    // Later ones arrive while earlier ones are at work.
    if (together) {
      step_once();
    } else {
      drain();
    }
  }
  drain();
  return answers;
}

void expect_same(const std::vector<Generated>& want, const std::vector<Generated>& got,
                 const std::string& how) {
  ASSERT_EQ(want.size(), got.size());
  for (std::size_t i = 0; i < want.size(); ++i) {
    EXPECT_EQ(want[i].ids, got[i].ids) << how << ", job " << i;
    EXPECT_EQ(to_hex(want[i].trace_root), to_hex(got[i].trace_root)) << how << ", job " << i;
    EXPECT_EQ(want[i].finish, got[i].finish) << how << ", job " << i;
  }
}

std::vector<Isa> isas() {
  std::vector<Isa> out;
  for (const Isa isa : kernels::kIsas) {
    if (kernels::isa_supported(isa)) out.push_back(isa);
  }
  return out;
}

std::string describe(const EngineOptions& options, bool together) {
  return std::string(kernels::isa_name(options.isa)) + " threads " + std::to_string(options.threads) +
         " chunk " + std::to_string(options.prefill_chunk) + (together ? " together" : " alone");
}

void expect_replays(const Pack& pack, const std::vector<Job>& jobs, const std::vector<Generated>& answers) {
  for (const Isa isa : isas()) {
    Replayer replayer(pack, {.isa = isa, .threads = 2, .chunk = 37, .logits_rows = 5});
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
class Exactness : public testing::TestWithParam<std::tuple<std::string, int, ActForm, ScaleGroup>> {};

Pack tiny_pack(const std::filesystem::path& folder, const std::string& family, const PackOptions& options) {
  if (family.empty()) return test::tiny_llama_pack(folder, {}, options);
  return test::pack_of(test::TinyModel(test::tiny_config(family)), folder, options);
}

TEST_P(Exactness, same_bits_for_every_isa_thread_count_chunk_and_batch) {
  const test::TempDir folder;
  const auto [family, bits, act, group] = GetParam();
  const Pack pack = tiny_pack(folder.path(), family, {.bits = bits, .act = act, .group = group});
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
  const auto [family, bits, act, group] = GetParam();
  const Pack pack = tiny_pack(folder.path(), family, {.bits = bits, .act = act, .group = group});
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
