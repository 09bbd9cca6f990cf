// SPDX-License-Identifier: MIT
#include "common/model/sampler.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <numeric>
#include <vector>

#include <gtest/gtest.h>

#include "common/base/rng.hpp"
#include "common/crypto/hash.hpp"
#include "common/model/philox.hpp"
#include "kernels/core/numerics.h"

namespace adit::model {
namespace {

using kernels::Isa;

// Published with Random123 (kat_vectors, philox4x32 with 10 rounds).
TEST(Philox, has_the_published_answers) {
  EXPECT_EQ((PhiloxCounter{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}),
            philox4x32_10({0, 0, 0, 0}, {0, 0}));
  const std::uint32_t f = 0xffffffff;
  EXPECT_EQ((PhiloxCounter{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}),
            philox4x32_10({f, f, f, f}, {f, f}));
  EXPECT_EQ(
      (PhiloxCounter{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}),
      philox4x32_10({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, {0xa4093822, 0x299f31d0}));
}

float direct_sum256(const std::vector<float>& x) {
  std::array<float, 256> lanes{};
  for (std::size_t i = 0; i < x.size(); ++i) lanes[i % 256] = lanes[i % 256] + x[i];
  for (std::size_t stride = 128; stride > 0; stride /= 2) {
    for (std::size_t i = 0; i < stride; ++i) lanes[i] = lanes[i] + lanes[i + stride];
  }
  return lanes[0];
}

// The definition, word for word: sorts everything, draws noise for everything. `open`: 1 for an allowed id.
TokenId direct_choice(const std::vector<float>& logits, const SamplingParams& s,
                      const PhiloxKey& key, std::uint32_t position, std::vector<char> open = {}) {
  const std::size_t n = logits.size();
  if (open.empty()) open.assign(n, 1);
  if (s.temperature_milli == 0) {
    std::size_t best = n;
    for (std::size_t i = 0; i < n; ++i) {
      if (open[i] != 0 && (best == n || logits[i] > logits[best])) best = i;
    }
    return static_cast<TokenId>(best);
  }
  std::vector<float> z(n);
  const float t = static_cast<float>(s.temperature_milli) / 1000.0f;
  for (std::size_t i = 0; i < n; ++i) z[i] = logits[i] / t;
  float m = -std::numeric_limits<float>::max();
  std::vector<std::size_t> order;
  for (std::size_t i = 0; i < n; ++i) {
    if (open[i] == 0) continue;
    m = std::max(m, z[i]);
    order.push_back(i);
  }
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return z[a] > z[b]; });
  std::vector<char> kept = open;
  if (s.top_k != 0) {
    for (std::size_t i = s.top_k; i < order.size(); ++i) kept[order[i]] = 0;
  }
  if (s.top_p_65536 < kTopPOff) {
    std::vector<float> p(n, 0.0f);
    for (std::size_t i = 0; i < n; ++i) p[i] = kept[i] != 0 ? kernels::exp_c(z[i] - m) : 0.0f;
    const float wanted = (static_cast<float>(s.top_p_65536) / 65536.0f) * direct_sum256(p);
    float sum = 0;
    bool reached = false;
    for (const std::size_t id : order) {
      if (reached) kept[id] = 0;
      if (kept[id] != 0) sum = sum + p[id];
      reached = reached || sum >= wanted;
    }
  }
  for (std::size_t i = 0; i < n; ++i) {
    if (kernels::exp_c(z[i] - m) < static_cast<float>(s.min_p_65536) / 65536.0f) kept[i] = 0;
  }
  std::size_t best = n;
  float best_value = 0;
  for (std::size_t i = 0; i < n; ++i) {
    if (kept[i] == 0) continue;
    const auto id = static_cast<std::uint32_t>(i);
    const std::uint32_t k = philox4x32_10({position, id / 4, 0, 0}, key)[i % 4] >> 9;
    const float u = static_cast<float>(2 * k + 1) * 0x1p-24f;
    const float value = z[i] + -kernels::log_c(-kernels::log_c(u));
    if (best == n || value > best_value) {
      best = i;
      best_value = value;
    }
  }
  return static_cast<TokenId>(best);
}

std::vector<float> random_logits(SeededRng& rng, std::size_t n) {
  // Few distinct values in some rows, so that ties are common; wide and narrow rows.
  const std::uint64_t levels = rng.below(2) == 0 ? 6 : 1u << 20;
  const float width = std::array{0.5f, 8.0f, 40.0f, 300.0f}[rng.below(4)];
  std::vector<float> logits(n);
  for (float& x : logits) {
    const float u = static_cast<float>(rng.below(levels)) / static_cast<float>(levels) - 0.5f;
    x = u * u * u * 4.0f * width;
    if (rng.below(16) == 0) x = rng.below(2) == 0 ? 0.0f : -0.0f;
  }
  return logits;
}

TEST(Sampler, equals_the_direct_definition) {
  SeededRng rng(31);
  std::array<std::uint64_t, 2> different{};
  for (const int vocab : {1, 5, 63, 260, 1000}) {
    Sampler scalar(Isa::kScalar, vocab);
    Sampler best(kernels::best_isa(), vocab);
    for (int round = 0; round < 400; ++round) {
      const std::vector<float> logits = random_logits(rng, static_cast<std::size_t>(vocab));
      SamplingParams s;
      s.temperature_milli =
          static_cast<std::uint32_t>(std::array{0, 1, 300, 700, 1000, 3000}[rng.below(6)]);
      if (rng.below(2) == 0) s.top_p_65536 = static_cast<std::uint32_t>(rng.below(kTopPOff + 1));
      const auto ids = static_cast<std::uint64_t>(vocab);
      if (rng.below(2) == 0) s.top_k = static_cast<std::uint32_t>(rng.below(ids + 3));
      if (rng.below(2) == 0) s.min_p_65536 = static_cast<std::uint32_t>(rng.below(kTopPOff + 1));
      Hash256 seed;
      rng.fill(seed);
      const PhiloxKey key = sampling_key(seed);
      const auto position = static_cast<std::uint32_t>(rng.below(8192));
      // Half of the rounds under a filter that leaves at least one id.
      std::vector<char> open(logits.size(), 1);
      std::vector<std::uint64_t> allowed;
      if (rng.below(2) == 0) {
        for (char& id : open) id = rng.below(4) == 0 ? 1 : 0;
        open[rng.below(ids)] = 1;
        allowed.assign((open.size() + 63) / 64, 0);
        for (std::size_t i = 0; i < open.size(); ++i) {
          allowed[i / 64] |= static_cast<std::uint64_t>(open[i]) << (i % 64);
        }
      }
      const TokenId want = direct_choice(logits, s, key, position, open);
      ASSERT_EQ(want, scalar.choose(logits.data(), s, key, position, allowed).value())
          << "vocab " << vocab << " round " << round << " T " << s.temperature_milli << " top_p "
          << s.top_p_65536 << " top_k " << s.top_k << " min_p " << s.min_p_65536;
      ASSERT_EQ(want, best.choose(logits.data(), s, key, position, allowed).value());
      const TokenId greedy = direct_choice(logits, {}, key, position);
      ++different[want == greedy ? 0 : 1];
    }
  }
  // Both kinds of outcome occur, so the comparison says something.
  EXPECT_GT(different[0], 100U);
  EXPECT_GT(different[1], 100U);
}

TEST(Sampler, gives_the_lowest_id_on_a_tie) {
  Sampler sampler(kernels::best_isa(), 64);
  std::vector<float> logits(64, -1.0f);
  logits[17] = 2.0f;
  logits[40] = 2.0f;
  EXPECT_EQ(17, sampler.choose(logits.data(), {}, {}, 0).value());
  std::vector<float> zeros(64, 0.0f);
  zeros[0] = -0.0f;
  EXPECT_EQ(0, sampler.choose(zeros.data(), {}, {}, 0).value());
}

// 20 000 draws from a known distribution: the counts stay within five standard deviations.
TEST(Sampler, draws_in_proportion) {
  const std::vector<float> probability{0.5f, 0.25f, 0.125f, 0.125f};
  std::vector<float> logits;
  for (const float p : probability) logits.push_back(std::log(p));
  Sampler sampler(kernels::best_isa(), 4);
  std::array<int, 4> count{};
  constexpr int kDraws = 20000;
  for (std::uint32_t t = 0; t < kDraws; ++t) {
    const TokenId id =
        sampler.choose(logits.data(), {.temperature_milli = 1000}, {1, 2}, t).value();
    ++count[static_cast<std::size_t>(id)];
  }
  for (std::size_t i = 0; i < 4; ++i) {
    const double p = static_cast<double>(probability[i]);
    EXPECT_NEAR(p * kDraws, count[i], 5 * std::sqrt(kDraws * p * (1 - p))) << i;
  }
}

TEST(Sampler, refuses_what_is_not_finite) {
  Sampler sampler(kernels::best_isa(), 4);
  for (const float bad :
       {std::numeric_limits<float>::infinity(), std::numeric_limits<float>::quiet_NaN()}) {
    const std::vector<float> logits{0, 1, bad, 2};
    EXPECT_EQ(ErrorCode::kDataLoss, sampler.choose(logits.data(), {}, {}, 7).error().code);
  }
  const std::vector<float> huge{0, 3e38f, 1, 2};
  EXPECT_TRUE(sampler.choose(huge.data(), {.temperature_milli = 0}, {}, 7));
  EXPECT_FALSE(sampler.choose(huge.data(), {.temperature_milli = 500}, {}, 7));
  const std::vector<std::uint64_t> none{0};
  const std::vector<float> fine{0, 1, 3, 2};
  EXPECT_EQ(ErrorCode::kFailedPrecondition, sampler.choose(fine.data(), {}, {}, 7, none).error().code);
}

TEST(Sampler, refuses_parameters_out_of_range) {
  EXPECT_TRUE(check_sampling({.temperature_milli = 100000}));
  EXPECT_FALSE(check_sampling({.temperature_milli = 100001}));
  EXPECT_FALSE(check_sampling({.top_p_65536 = 65537}));
  EXPECT_FALSE(check_sampling({.top_p_65536 = 0}));
  EXPECT_FALSE(check_sampling({.min_p_65536 = 65537}));
}

TEST(Sampler, key_is_the_start_of_the_seed_hash) {
  const Hash256 seed{1, 2, 3};
  const Hash256 digest = crypto::blake2b_256(seed);
  EXPECT_EQ(load_le<std::uint32_t>(digest.data()), sampling_key(seed)[0]);
  EXPECT_EQ(load_le<std::uint32_t>(digest.data() + 4), sampling_key(seed)[1]);
}

}  // namespace
}  // namespace adit::model
