// SPDX-License-Identifier: MIT
// common/model/logprobs.hpp
//
// How likely the model held a token, and which tokens it held likeliest.
//
// In       logits [n], finite, as the model gave them: before temperature and filters; `top` likeliest ids.
// Out      log-softmax in canonical operations: with m = the largest logit, (logit - m) - log_c(sum<256> of
//          exp_c(logit - m)), every operation in f32; top in (logit descending, id ascending) order.
// Exact    the same bits on every machine; no part of receipts and trace roots.
// Threads  pure but for the caller's scratch [n].
// Source   kernels/NUMERICS.md, "Log-probabilities"
// Tests    tests/unit/common/model/token_filter_test.cpp
#pragma once

#include <span>
#include <vector>

#include "common/base/strong.hpp"
#include "kernels/core/isa.h"

namespace adit::model {

struct TokenLogprob {
  TokenId token = 0;
  float logprob = 0;
  bool operator==(const TokenLogprob&) const = default;
};

struct TokenLogprobs {
  // Of the token that was chosen.
  float logprob = 0;
  std::vector<TokenLogprob> top;
  bool operator==(const TokenLogprobs&) const = default;
};

inline constexpr int kTopLogprobsMax = 20;

[[nodiscard]] TokenLogprobs logprobs_of(kernels::Isa isa, std::span<const float> logits, TokenId chosen,
                                        int top, std::span<float> scratch);

}  // namespace adit::model
