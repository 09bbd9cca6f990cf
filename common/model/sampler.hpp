// SPDX-License-Identifier: MIT
// common/model/sampler.hpp
//
// The canonical choice of the next token from a row of logits: the same id on every machine.
//
// In       logits [vocab]; key from the request's seed; position: of the row whose logits these are (row t
//          chooses id t + 1); allowed: the ids that may be chosen, as token_filter.hpp; empty: all.
// Out      temperature 0: the largest logit. Otherwise the largest z + gumbel among the ids that top-k, top-p
//          and min-p leave, in that order. The lowest id wins a tie; +0 = -0.
// Units    temperature in 1/1000; top_p and min_p in 1/65536.
// Errors   kDataLoss if a logit, or a logit divided by the temperature, is not finite; kFailedPrecondition if
//          no id is allowed.
// Exact    independent of isa; noise depends on (seed, position, id) only, not on what the filters left.
// Threads  one thread per object.
// Source   kernels/NUMERICS.md, "Sampling"
// Tests    tests/unit/common/model/sampler_test.cpp
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "common/base/bytes.hpp"
#include "common/base/result.hpp"
#include "common/base/strong.hpp"
#include "common/model/philox.hpp"
#include "common/model/token_filter.hpp"
#include "kernels/core/isa.h"

namespace adit::model {

inline constexpr std::uint32_t kTopPOff = 65536;

struct SamplingParams {
  // 0: greedy.
  std::uint32_t temperature_milli = 0;
  // kTopPOff: off.
  std::uint32_t top_p_65536 = kTopPOff;
  // 0: off.
  std::uint32_t top_k = 0;
  // 0: off.
  std::uint32_t min_p_65536 = 0;
  bool operator==(const SamplingParams&) const = default;
};

// Temperature at most 100, top_p above 0 and at most 1, min_p at most 1: the bounds of the protocol.
[[nodiscard]] Result<void> check_sampling(const SamplingParams& params);

// The first 8 bytes of BLAKE2b-256(seed), as two little-endian words.
[[nodiscard]] PhiloxKey sampling_key(const Hash256& seed);

class Sampler {
 public:
  Sampler(kernels::Isa isa, int vocab);
  [[nodiscard]] Result<TokenId> choose(const float* logits, const SamplingParams& params,
                                       const PhiloxKey& key, std::uint32_t position,
                                       AllowedIds allowed = {});

 private:
  [[nodiscard]] bool is_allowed(std::size_t id) const {
    return allowed_.empty() || ((allowed_[id / 64] >> (id % 64)) & 1) != 0;
  }
  // The largest of the allowed ids' values, the lowest id of equals.
  [[nodiscard]] TokenId best_allowed(const float* values) const;
  void keep_filtered(const SamplingParams& params, float z_max);
  void keep_likely(float z_max);
  [[nodiscard]] TokenId choose_kept(const PhiloxKey& key, std::uint32_t position);
  // The next ids in (z descending, id ascending) order are appended to order_; false: there are no more.
  bool extend_order(float z_max);

  kernels::Isa isa_;
  std::size_t vocab_;
  // Of the choice that is being made.
  AllowedIds allowed_;
  std::size_t candidates_ = 0;
  std::vector<float> z_;
  std::vector<float> p_;
  // Ids in order of z, a growing prefix, and the number of bands it covers.
  std::vector<TokenId> order_;
  std::size_t bands_ = 0;
  // Ids that passed the filters.
  std::vector<TokenId> kept_;
  std::vector<float> noise_;
};

}  // namespace adit::model
