// SPDX-License-Identifier: MIT
// common/model/chooser.hpp
//
// Samplers for a team of threads: chooses the next tokens of several rows at once.
//
// In       logits: row i at logits + i * stride; one request a row.
// Out      tokens in row order.
// Errors   as Sampler::choose; of several, the lowest row's.
// Threads  one thread per object; uses the team.
// Tests    tests/unit/common/model/generator_test.cpp
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "common/base/result.hpp"
#include "common/model/sampler.hpp"
#include "common/model/thread_team.hpp"

namespace adit::model {

class Chooser {
 public:
  struct Request {
    SamplingParams sampling;
    PhiloxKey key{};
    std::uint32_t position = 0;
  };

  Chooser(kernels::Isa isa, int vocab, int threads);
  [[nodiscard]] Result<std::vector<TokenId>> choose(ThreadTeam& team, const float* logits, std::size_t stride,
                                                    std::span<const Request> requests);

 private:
  std::vector<Sampler> samplers_;
};

}  // namespace adit::model
