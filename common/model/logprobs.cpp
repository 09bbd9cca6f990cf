// SPDX-License-Identifier: MIT
#include "common/model/logprobs.hpp"

#include <algorithm>

#include "kernels/core/numerics.h"
#include "kernels/ops/rows.h"

namespace adit::model {

TokenLogprobs logprobs_of(kernels::Isa isa, std::span<const float> logits, TokenId chosen, int top,
                          std::span<float> scratch) {
  const int n = static_cast<int>(logits.size());
  const auto at = [&](TokenId id) { return logits[static_cast<std::size_t>(id)]; };
  const float largest = at(kernels::argmax(isa, logits.data(), n));
  kernels::exp_rows(isa, logits.data(), largest, n, scratch.data());
  const float log_sum = kernels::log_c(kernels::sum256(isa, scratch.data(), n));
  const auto logprob = [&](TokenId id) { return (at(id) - largest) - log_sum; };

  TokenLogprobs out{.logprob = logprob(chosen), .top = {}};
  if (top <= 0) return out;
  // The best so far, best first; a later id goes behind its equals.
  std::vector<TokenId> best;
  const auto wanted = static_cast<std::size_t>(std::min(top, n));
  for (TokenId id = 0; id < n; ++id) {
    if (best.size() == wanted && !(at(id) > at(best.back()))) continue;
    if (best.size() == wanted) best.pop_back();
    const auto place = std::upper_bound(best.begin(), best.end(), id,
                                        [&](TokenId a, TokenId b) { return at(a) > at(b); });
    best.insert(place, id);
  }
  for (const TokenId id : best) out.top.push_back({id, logprob(id)});
  return out;
}

}  // namespace adit::model
