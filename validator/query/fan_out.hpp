// SPDX-License-Identifier: MIT
// validator/query/fan_out.hpp
//
// Asks all questions of a step, several at a time, and comes back when each has a reply or passed its deadline.
//
// In       per_miner: questions under way at one miner at the same time (>= 1): a miner is never asked faster
//          than it is asked by every other validator. threads: questions under way in all.
// Out      one Answered per question, in the order of the questions.
// Threads  starts `threads` of its own and joins them; `client` must allow that many callers.
// Tests    tests/unit/validator/fan_out_test.cpp
#pragma once

#include <functional>
#include <vector>

#include "validator/query/miner_client.hpp"

namespace adit::validator {

struct FanOutOptions {
  unsigned threads = 16;
  unsigned per_miner = 1;
  std::uint64_t deadline_ms = 30'000;
};

// `done` is called after each reply with the number of replies so far (any thread, one at a time).
[[nodiscard]] std::vector<Answered> fan_out(MinerClient& client, std::vector<Question> questions,
                                            const FanOutOptions& options,
                                            const std::function<void(std::size_t)>& done = {});

}  // namespace adit::validator
