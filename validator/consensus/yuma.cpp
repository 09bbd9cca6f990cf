// SPDX-License-Identifier: MIT
#include "validator/consensus/yuma.hpp"

#include <algorithm>
#include <limits>
#include <numeric>

#include "common/base/limits.hpp"
#include "validator/consensus/fixed.hpp"
#include "validator/consensus/sparse.hpp"

namespace adit::validator {
namespace {

Result<void> check_rows(const char* what, const std::vector<ShareRow>& rows, std::size_t count) {
  std::vector<std::size_t> seen(count, 0);
  for (std::size_t i = 0; i < rows.size(); ++i) {
    for (const auto& [uid, value] : rows[i]) {
      if (uid >= count) return invalid_argument("{} row {}: uid {} of {}", what, i, uid, count);
      if (seen[uid] == i + 1) return invalid_argument("{} row {}: uid {} stands twice", what, i, uid);
      seen[uid] = i + 1;
    }
  }
  return {};
}

Result<void> check_input(const EpochInput& in) {
  const std::size_t count = in.stake.size();
  if (count > limits::kUidsMax) return invalid_argument("{} uids are above {}", count, limits::kUidsMax);
  const auto expect = [&](const char* what, std::size_t size) -> Result<void> {
    if (size != count) return invalid_argument("{} has {} items for {} uids", what, size, count);
    return {};
  };
  ADIT_TRY_VOID(expect("last_update", in.last_update.size()));
  ADIT_TRY_VOID(expect("registered_at", in.registered_at.size()));
  ADIT_TRY_VOID(expect("permits", in.permits.size()));
  ADIT_TRY_VOID(expect("weights", in.weights.size()));
  ADIT_TRY_VOID(expect("bonds", in.bonds.size()));
  if (in.commit_reveal) ADIT_TRY_VOID(expect("commit_blocks", in.commit_blocks.size()));
  if (in.owner && *in.owner >= count) return invalid_argument("owner uid {} of {}", *in.owner, count);
  ADIT_TRY_VOID(check_rows("weights", in.weights, count));
  return check_rows("bonds", in.bonds, count);
}

BlockNumber saturating_add(BlockNumber a, BlockNumber b) {
  return a > std::numeric_limits<BlockNumber>::max() - b ? std::numeric_limits<BlockNumber>::max() : a + b;
}

// Share of the stake that counts, by uid.
Vector stake_shares(const EpochInput& in) {
  const auto counted = [&](std::size_t uid) -> Rao {
    return in.owner != uid && in.stake[uid] < in.stake_threshold ? 0 : in.stake[uid];
  };
  I64F64Sum total;
  for (std::size_t uid = 0; uid < in.stake.size(); ++uid) total.add(counted(uid));
  Vector out;
  for (std::size_t uid = 0; uid < in.stake.size(); ++uid) out.push_back(total.share_of(counted(uid)));
  return out;
}

// True for the `most` greatest values that are not 0; of equal ones the higher uids.
std::vector<bool> top_nonzero(const Vector& values, std::size_t most) {
  std::vector<bool> out(values.size());
  for (std::size_t i = 0; i < values.size(); ++i) out[i] = !values[i].is_zero();
  if (values.size() < most) return out;
  std::vector<std::size_t> order(values.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return values[a] < values[b]; });
  for (std::size_t i = 0; i < values.size() - most; ++i) out[order[i]] = false;
  return out;
}

// The weights that count: of permitted rows, not to oneself (the owner may), not older than the target's
// registration, and with commit-reveal not committed before it.
Matrix masked_weights(const EpochInput& in, const std::vector<bool>& permits) {
  Matrix out(in.weights.size());
  for (std::size_t i = 0; i < out.size(); ++i) {
    if (!permits[i]) continue;
    for (const auto& [uid, value] : in.weights[i]) {
      if (uid == i && in.owner != i) continue;
      if (in.last_update[i] <= in.registered_at[uid]) continue;
      if (in.commit_reveal && in.commit_blocks[i] && *in.commit_blocks[i] < in.registered_at[uid]) continue;
      out[i].emplace_back(uid, I32F32::from_int(value));
    }
  }
  normalise_rows(out);
  return out;
}

Matrix clipped(const Matrix& weights, const Vector& consensus) {
  Matrix out(weights.size());
  for (std::size_t i = 0; i < weights.size(); ++i) {
    for (const auto& [uid, value] : weights[i]) {
      const bool over = consensus[uid] < value;
      if (over && !consensus[uid].is_positive()) continue;
      out[i].emplace_back(uid, over ? consensus[uid] : value);
    }
  }
  return out;
}

// weights + penalty * (clipped - weights): what bonds are bought with.
Matrix penalised(const Matrix& weights, const Matrix& clipped_weights, I32F32 penalty) {
  if (penalty.is_zero()) return weights;
  if (penalty == I32F32::one()) return clipped_weights;
  const std::size_t count = weights.size();
  Matrix out(count);
  for (std::size_t i = 0; i < count; ++i) {
    const Vector from = dense(weights[i], count);
    const Vector to = dense(clipped_weights[i], count);
    for (std::size_t j = 0; j < count; ++j) {
      const I32F32 value = from[j] + penalty * (to[j] - from[j]);
      if (value.is_positive()) out[i].emplace_back(static_cast<Uid>(j), value);
    }
  }
  return out;
}

// Stored bonds, without columns that were registered since the last step.
Matrix stored_bonds(const EpochInput& in, bool as_shares) {
  const BlockNumber since = in.last_mechanism_step > 0
                                ? saturating_add(in.last_mechanism_step, 1)
                                : in.block - std::min<BlockNumber>(in.block, in.tempo);
  Matrix out(in.bonds.size());
  for (std::size_t i = 0; i < out.size(); ++i) {
    for (const auto& [uid, value] : in.bonds[i]) {
      if (since <= in.registered_at[uid]) continue;
      out[i].emplace_back(uid, as_shares ? I32F32::share(value) : I32F32::from_int(value));
    }
  }
  return out;
}

// 1 - moving average, in I64F64 cut to I32F32.
I32F32 bonds_alpha(std::uint64_t millionths) {
  constexpr UInt128 most = std::numeric_limits<std::int64_t>::max();
  const std::uint64_t whole = std::min(millionths, static_cast<std::uint64_t>(most));
  const UInt128 average = ((static_cast<UInt128>(whole) << 64) / 1000000) >> 32;
  return I32F32::one() - I32F32::from_raw(static_cast<std::int64_t>(average > most ? most : average));
}

struct LiquidAlpha {
  I32F32 low;
  I32F32 high;
  I32F32 slope;

  // How fast a bond moves, from how far the weight stands from consensus.
  [[nodiscard]] I32F32 rate(I32F32 weight, I32F32 bond, I32F32 consensus) const {
    const I32F32 distance = weight >= bond ? weight - consensus : bond - weight;
    const I32F32 gap = std::clamp(distance, I32F32(), I32F32::one());
    const I32F32 sigmoid = I32F32::one() / (I32F32::one() + exp_clamped(slope * (gap - I32F32::half())));
    return std::max(low, std::min(high, low + sigmoid * (high - low)));
  }
};

Matrix liquid_bonds(const EpochInput& in, const Matrix& weights, const Matrix& bonds,
                    const Vector& consensus) {
  const LiquidAlpha alpha{.low = I32F32::share(in.alpha_low),
                          .high = I32F32::share(in.alpha_high),
                          .slope = I32F32::from_int(in.alpha_steepness) / I32F32::from_int(-100)};
  Matrix out(weights.size());
  for (std::size_t i = 0; i < weights.size(); ++i) {
    const Vector old = dense(bonds[i], weights.size());
    for (const auto& [uid, weight] : weights[i]) {
      const I32F32 rate = alpha.rate(weight, old[uid], consensus[uid]);
      const I32F32 kept = (I32F32::one() - rate) * old[uid];
      const I32F32 value = std::min(I32F32::one(), kept + std::max(I32F32(), rate * weight));
      if (value.is_positive()) out[i].emplace_back(uid, value);
    }
  }
  return out;
}

struct BondsResult {
  Matrix stored;
  Vector dividends;
};

BondsResult yuma3_bonds(const EpochInput& in, const Matrix& weights, const Vector& consensus,
                        const Vector& incentive, const Vector& active_stake) {
  const Matrix old = stored_bonds(in, true);
  const bool any_consensus =
      std::any_of(consensus.begin(), consensus.end(), [](I32F32 c) { return !c.is_zero(); });
  Matrix fresh = in.liquid_alpha && any_consensus
                     ? liquid_bonds(in, weights, old, consensus)
                     : blend(weights, old, bonds_alpha(in.bonds_moving_average));
  Matrix shares = fresh;
  normalise_columns(shares);
  Vector dividends = right_product(shares, incentive);
  for (std::size_t i = 0; i < dividends.size(); ++i) dividends[i] = dividends[i] * active_stake[i];
  return {.stored = std::move(fresh), .dividends = normalised(dividends)};
}

BondsResult classic_bonds(const EpochInput& in, const Matrix& weights, const Vector& incentive,
                          const Vector& active_stake) {
  Matrix old = stored_bonds(in, false);
  normalise_columns(old);
  Matrix bought = weights;
  for (std::size_t i = 0; i < bought.size(); ++i) {
    for (auto& [uid, value] : bought[i]) value = value * active_stake[i];
  }
  normalise_columns(bought);
  Matrix fresh = blend(bought, old, bonds_alpha(in.bonds_moving_average));
  normalise_columns(fresh);
  Vector dividends = normalised(right_product(fresh, incentive));
  divide_by_column_max(fresh);
  return {.stored = std::move(fresh), .dividends = std::move(dividends)};
}

std::vector<std::uint16_t> to_shares(const Vector& values) {
  std::vector<std::uint16_t> out;
  out.reserve(values.size());
  for (const I32F32 value : values) out.push_back(value.to_share());
  return out;
}

std::vector<Rao> to_amounts(const Vector& values, Rao amount) {
  std::vector<Rao> out;
  out.reserve(values.size());
  for (const I32F32 value : values) out.push_back(value.of_amount(amount));
  return out;
}

struct Earnings {
  Vector incentive;
  Vector dividends;
  Vector stake;
  Vector active_stake;
};

void pay(const Earnings& earned, Rao emission, EpochOutput& out) {
  Vector both;
  for (std::size_t i = 0; i < earned.incentive.size(); ++i) {
    both.push_back(earned.incentive[i] + earned.dividends[i]);
  }
  const I32F32 total = sum(both);
  Vector server = earned.incentive;
  Vector validator = earned.dividends;
  both = normalised(both);
  if (total.is_zero()) {
    // No consensus: validators are paid by stake.
    const bool any_active = std::any_of(earned.active_stake.begin(), earned.active_stake.end(),
                                        [](I32F32 s) { return !s.is_zero(); });
    validator = any_active ? earned.active_stake : earned.stake;
    both = validator;
  } else {
    for (I32F32& value : server) value = value / total;
    for (I32F32& value : validator) value = value / total;
  }
  out.emission = to_amounts(both, emission);
  out.server_emission = to_amounts(server, emission);
  out.validator_emission = to_amounts(validator, emission);
}

}  // namespace

Result<EpochOutput> run_epoch(const EpochInput& in) {
  ADIT_TRY_VOID(check_input(in));
  const std::size_t count = in.stake.size();
  EpochOutput out;
  const Vector stake = stake_shares(in);
  std::vector<bool> permits = in.permits;
  out.permits = top_nonzero(stake, in.max_validators);
  if (in.owner) permits[*in.owner] = out.permits[*in.owner] = true;
  Vector active_stake(count);
  for (std::size_t i = 0; i < count; ++i) {
    out.active.push_back(saturating_add(in.last_update[i], in.activity_cutoff) >= in.block);
    if (out.active[i] && permits[i]) active_stake[i] = stake[i];
  }
  active_stake = normalised(active_stake);

  const Matrix weights = masked_weights(in, permits);
  const Vector consensus = weighted_median_columns(active_stake, weights, I32F32::share(in.kappa));
  const Matrix agreed = clipped(weights, consensus);
  Vector trust(count);
  for (std::size_t i = 0; i < count; ++i) {
    for (const auto& [uid, value] : agreed[i]) trust[i] += value;
  }
  const Vector incentive = normalised(left_product(active_stake, agreed));
  const Matrix for_bonds = penalised(weights, agreed, I32F32::share(in.bonds_penalty));
  const BondsResult bonds = in.yuma3 ? yuma3_bonds(in, for_bonds, consensus, incentive, active_stake)
                                     : classic_bonds(in, for_bonds, incentive, active_stake);
  out.incentive = to_shares(incentive);
  out.dividends = to_shares(bonds.dividends);
  out.consensus = to_shares(consensus);
  out.validator_trust = to_shares(trust);
  out.stake_weight = to_shares(stake);
  out.bonds.resize(count);
  for (std::size_t i = 0; i < count; ++i) {
    if (!out.permits[i]) continue;
    for (const auto& [uid, value] : bonds.stored[i]) out.bonds[i].emplace_back(uid, value.to_share());
  }
  pay({.incentive = incentive, .dividends = bonds.dividends, .stake = stake, .active_stake = active_stake},
      in.emission, out);
  return out;
}

}  // namespace adit::validator
