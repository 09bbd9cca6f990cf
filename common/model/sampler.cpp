// SPDX-License-Identifier: MIT
#include "common/model/sampler.hpp"

#include <algorithm>
#include <array>
#include <bit>

#include "common/crypto/hash.hpp"
#include "kernels/ops/rows.h"

namespace adit::model {
namespace {

constexpr std::uint32_t kTemperatureMilliMax = 100'000;

// An id further than this below the largest z cannot win: the noise lies between -2.82 and 16.64.
constexpr float kNoiseSpan = 21.0f;

// Lower ends of the bands, below the largest z, in which ids are brought into order.
constexpr std::array<float, 5> kBands{2.0f, 5.0f, 10.0f, 25.0f, 100.0f};

}  // namespace

Result<void> check_sampling(const SamplingParams& params) {
  if (params.temperature_milli > kTemperatureMilliMax) {
    return invalid_argument("temperature: {}/1000 is above {}", params.temperature_milli,
                            kTemperatureMilliMax / 1000);
  }
  if (params.top_p_65536 == 0 || params.top_p_65536 > kTopPOff) {
    return invalid_argument("top_p: {}/65536 is not above 0 and at most 1", params.top_p_65536);
  }
  if (params.min_p_65536 > kTopPOff) {
    return invalid_argument("min_p: {}/65536 is above 1", params.min_p_65536);
  }
  return {};
}

PhiloxKey sampling_key(const Hash256& seed) {
  const Hash256 digest = crypto::blake2b_256(seed);
  return {load_le<std::uint32_t>(digest.data()), load_le<std::uint32_t>(digest.data() + 4)};
}

Sampler::Sampler(kernels::Isa isa, int vocab)
    : isa_(isa),
      vocab_(static_cast<std::size_t>(vocab)),
      z_(vocab_),
      p_(vocab_),
      noise_(vocab_) {
  order_.reserve(vocab_);
  kept_.reserve(vocab_);
}

Result<TokenId> Sampler::choose(const float* logits, const SamplingParams& params, const PhiloxKey& key,
                                std::uint32_t position, AllowedIds allowed) {
  const int n = static_cast<int>(vocab_);
  if (!kernels::all_finite(isa_, logits, n)) {
    return make_error(ErrorCode::kDataLoss, "position {}: a logit is not finite", position);
  }
  allowed_ = allowed;
  candidates_ = vocab_;
  if (!allowed.empty()) {
    candidates_ = 0;
    for (const std::uint64_t word : allowed) candidates_ += static_cast<std::size_t>(std::popcount(word));
  }
  if (candidates_ == 0) return failed_precondition("position {}: no id is allowed", position);
  if (params.temperature_milli == 0) return best_allowed(logits);

  const float temperature = static_cast<float>(params.temperature_milli) / 1000.0f;
  kernels::divide_rows(isa_, logits, temperature, n, z_.data());
  if (!kernels::all_finite(isa_, z_.data(), n)) {
    return make_error(ErrorCode::kDataLoss, "position {}: a logit over the temperature {} is not finite",
                      position, temperature);
  }
  const float z_max = z_[static_cast<std::size_t>(best_allowed(z_.data()))];
  const bool filtered = params.top_k != 0 || params.top_p_65536 < kTopPOff || params.min_p_65536 != 0;
  if (filtered) {
    keep_filtered(params, z_max);
  } else {
    keep_likely(z_max);
  }
  return choose_kept(key, position);
}

TokenId Sampler::best_allowed(const float* values) const {
  if (allowed_.empty()) return kernels::argmax(isa_, values, static_cast<int>(vocab_));
  std::size_t best = vocab_;
  for (std::size_t word = 0; word < allowed_.size(); ++word) {
    for (std::uint64_t left = allowed_[word]; left != 0; left &= left - 1) {
      const std::size_t id = word * 64 + static_cast<std::size_t>(std::countr_zero(left));
      if (best == vocab_ || values[id] > values[best]) best = id;
    }
  }
  return static_cast<TokenId>(best);
}

bool Sampler::extend_order(float z_max) {
  if (bands_ > kBands.size()) return false;
  const auto floor_of = [&](std::size_t band) { return z_max - kBands[band]; };
  const bool first = bands_ == 0;
  const bool last = bands_ == kBands.size();
  const float above = first ? 0.0f : floor_of(bands_ - 1);
  const float from = last ? 0.0f : floor_of(bands_);
  const std::size_t begin = order_.size();
  for (std::size_t id = 0; id < vocab_; ++id) {
    const bool inside = (first || z_[id] < above) && (last || z_[id] >= from);
    if (inside && is_allowed(id)) order_.push_back(static_cast<TokenId>(id));
  }
  std::sort(order_.begin() + static_cast<std::ptrdiff_t>(begin), order_.end(), [&](TokenId a, TokenId b) {
    const float za = z_[static_cast<std::size_t>(a)];
    const float zb = z_[static_cast<std::size_t>(b)];
    return za > zb || (!(za < zb) && a < b);
  });
  ++bands_;
  return true;
}

void Sampler::keep_filtered(const SamplingParams& params, float z_max) {
  kernels::exp_rows(isa_, z_.data(), z_max, static_cast<int>(vocab_), p_.data());
  for (std::size_t id = 0; !allowed_.empty() && id < vocab_; ++id) {
    if (!is_allowed(id)) p_[id] = 0.0f;
  }
  const auto p_of = [&](TokenId id) { return p_[static_cast<std::size_t>(id)]; };
  order_.clear();
  bands_ = 0;
  std::size_t kept = candidates_;

  if (params.top_k != 0 && params.top_k < candidates_) {
    kept = params.top_k;
    while (order_.size() < kept && extend_order(z_max)) {
    }
  }
  if (params.top_p_65536 < kTopPOff) {
    float den = 0;
    if (kept == candidates_) {
      den = kernels::sum256(isa_, p_.data(), static_cast<int>(vocab_));
    } else {
      std::fill(noise_.begin(), noise_.end(), 0.0f);
      for (std::size_t i = 0; i < kept; ++i) noise_[static_cast<std::size_t>(order_[i])] = p_of(order_[i]);
      den = kernels::sum256(isa_, noise_.data(), static_cast<int>(vocab_));
    }
    const float wanted = (static_cast<float>(params.top_p_65536) * 0x1p-16f) * den;
    float sum = 0;
    std::size_t count = 0;
    while (count < kept) {
      if (count == order_.size() && !extend_order(z_max)) break;
      if (count == order_.size()) continue;
      sum = sum + p_of(order_[count]);
      ++count;
      if (sum >= wanted) break;
    }
    kept = count;
  }
  const float min_p = static_cast<float>(params.min_p_65536) * 0x1p-16f;
  kept_.clear();
  if (kept == candidates_) {
    for (std::size_t id = 0; id < vocab_; ++id) {
      const bool stays = p_[id] >= min_p && z_[id] >= z_max - kNoiseSpan;
      if (stays && is_allowed(id)) kept_.push_back(static_cast<TokenId>(id));
    }
    return;
  }
  for (std::size_t i = 0; i < kept; ++i) {
    if (p_of(order_[i]) >= min_p) kept_.push_back(order_[i]);
  }
  std::sort(kept_.begin(), kept_.end());
}

void Sampler::keep_likely(float z_max) {
  kept_.clear();
  for (std::size_t id = 0; id < vocab_; ++id) {
    if (z_[id] >= z_max - kNoiseSpan && is_allowed(id)) kept_.push_back(static_cast<TokenId>(id));
  }
}

TokenId Sampler::choose_kept(const PhiloxKey& key, std::uint32_t position) {
  // kept_ ascends, so the four ids of one counter stand together.
  PhiloxCounter words{};
  std::uint32_t block = ~std::uint32_t{0};
  for (std::size_t i = 0; i < kept_.size(); ++i) {
    const auto id = static_cast<std::uint32_t>(kept_[i]);
    if (id / 4 != block) {
      block = id / 4;
      words = philox4x32_10({position, block, 0, 0}, key);
    }
    const std::uint32_t k = words[id % 4] >> 9;
    noise_[i] = static_cast<float>(2 * k + 1) * 0x1p-24f;
  }
  kernels::gumbel_rows(isa_, noise_.data(), static_cast<int>(kept_.size()), noise_.data());
  std::size_t best = 0;
  float best_value = 0;
  for (std::size_t i = 0; i < kept_.size(); ++i) {
    const float value = z_[static_cast<std::size_t>(kept_[i])] + noise_[i];
    if (i == 0 || value > best_value) {
      best = i;
      best_value = value;
    }
  }
  return kept_[best];
}

}  // namespace adit::model
