// SPDX-License-Identifier: MIT
// tests/support/batch_jobs.hpp
//
// Generations for tests of exactness: run alone or together, and compared bit for bit.
//
// Threads  one.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "common/base/rng.hpp"
#include "common/model/generator.hpp"

namespace adit::test {

struct Job {
  std::vector<TokenId> prompt;
  model::GenerateParams params;
  proof::TraceBinding binding;
  std::shared_ptr<const model::Adapter> adapter{};
};

inline Job random_job(SeededRng& rng, int vocab, std::size_t prompt, std::uint32_t tokens,
                      const model::SamplingParams& sampling) {
  Job job;
  for (std::size_t i = 0; i < prompt; ++i) {
    job.prompt.push_back(static_cast<TokenId>(rng.below(static_cast<std::uint64_t>(vocab))));
  }
  job.params = {.max_tokens = tokens, .sampling = sampling};
  rng.fill(job.binding.card);
  rng.fill(job.binding.request);
  rng.fill(job.binding.seed);
  return job;
}

// All jobs together when `together`, else one after the other; job i's answer at i.
inline std::vector<model::Generated> run(const model::Pack& pack, const std::vector<Job>& jobs,
                                         model::EngineOptions options, bool together) {
  options.batch_max = static_cast<int>(jobs.size());
  model::BatchEngine engine(pack, options);
  std::map<model::SequenceId, std::size_t> index;
  std::vector<model::Generated> answers(jobs.size());
  const auto step_once = [&] {
    const Result<model::StepResult> step = engine.step();
    if (!step) {
      ADD_FAILURE() << step.error().message;
      return;
    }
    for (const model::Generated& done : step->finished) answers[index.at(done.sequence)] = done;
  };
  const auto drain = [&] {
    while (engine.running() > 0) step_once();
  };
  for (std::size_t i = 0; i < jobs.size(); ++i) {
    const Result<model::SequenceId> id =
        engine.add(jobs[i].prompt, jobs[i].params, jobs[i].binding, {.adapter = jobs[i].adapter});
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

inline void expect_same(const std::vector<model::Generated>& want, const std::vector<model::Generated>& got,
                        const std::string& how) {
  ASSERT_EQ(want.size(), got.size());
  for (std::size_t i = 0; i < want.size(); ++i) {
    EXPECT_EQ(want[i].ids, got[i].ids) << how << ", job " << i;
    EXPECT_EQ(to_hex(want[i].trace_root), to_hex(got[i].trace_root)) << how << ", job " << i;
    EXPECT_EQ(want[i].finish, got[i].finish) << how << ", job " << i;
  }
}

inline std::vector<kernels::Isa> isas() {
  std::vector<kernels::Isa> out;
  for (const kernels::Isa isa : kernels::kIsas) {
    if (kernels::isa_supported(isa)) out.push_back(isa);
  }
  return out;
}

inline std::string describe(const model::EngineOptions& options, bool together) {
  return std::string(kernels::isa_name(options.isa)) + " threads " + std::to_string(options.threads) +
         " chunk " + std::to_string(options.prefill_chunk) + (together ? " together" : " alone");
}

}  // namespace adit::test
