// SPDX-License-Identifier: MIT
// common/model/chooser.hpp
//
// Samplers for a team of threads: chooses the next tokens of several rows at once, with their
// log-probabilities where they are asked for.
//
// In       logits: row i at logits + i * stride; one request a row.
// Out      choices in row order.
// Errors   as Sampler::choose; of several, the lowest row's.
// Threads  one thread per object; uses the team.
// Tests    tests/unit/common/model/generator_test.cpp
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <vector>

#include "common/base/result.hpp"
#include "common/model/logprobs.hpp"
#include "common/model/sampler.hpp"
#include "common/model/thread_team.hpp"

namespace adit::model {

class Chooser {
 public:
  struct Request {
    SamplingParams sampling;
    PhiloxKey key{};
    std::uint32_t position = 0;
    // Empty: every id.
    AllowedIds allowed{};
    // How many of the likeliest ids to tell of; none: no log-probabilities.
    std::optional<int> top_logprobs{};
  };
  struct Choice {
    TokenId token = 0;
    std::optional<TokenLogprobs> logprobs{};
  };

  Chooser(kernels::Isa isa, int vocab, int threads);
  [[nodiscard]] Result<std::vector<Choice>> choose(ThreadTeam& team, const float* logits, std::size_t stride,
                                                   std::span<const Request> requests);

 private:
  [[nodiscard]] Result<Choice> choose_row(std::size_t worker, const float* logits, const Request& request);

  kernels::Isa isa_;
  std::size_t vocab_;
  std::vector<Sampler> samplers_;
  // One a worker; made when log-probabilities are first asked for.
  std::vector<std::vector<float>> scratch_;
};

}  // namespace adit::model
