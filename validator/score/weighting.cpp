// SPDX-License-Identifier: MIT
#include "validator/score/weighting.hpp"

#include <algorithm>
#include <map>

#include "common/base/wide.hpp"
#include "common/chain/weights.hpp"

namespace adit::validator {
namespace {

using Wide = Int128;

constexpr std::uint32_t kWhole = 65536;  // burn is in 1/65536

struct Moments {
  Wide mean = 0;
  Wide error_squared = 0;  // variance of the mean
};

Moments moments(const std::vector<std::uint64_t>& values) {
  const Wide n = static_cast<Wide>(values.size());
  if (n == 0) return {};
  Moments out;
  for (const std::uint64_t value : values) out.mean += value;
  out.mean /= n;
  if (n < 2) return {out.mean, out.mean * out.mean};  // one answer says nothing about its spread
  Wide sum = 0;
  for (const std::uint64_t value : values) {
    const Wide d = static_cast<Wide>(value) - out.mean;
    sum += d * d;
  }
  out.error_squared = sum / (n - 1) / n;
  return out;
}

const HotkeyScore* find(const std::vector<HotkeyScore>& scores, const AccountId& hotkey) {
  const auto it = std::find_if(scores.begin(), scores.end(),
                               [&](const HotkeyScore& s) { return s.hotkey == hotkey; });
  return it == scores.end() ? nullptr : &*it;
}

// The winner among miners that are planned and have a score above 0.
const HotkeyScore* choose_winner(const WeightRules& rules, const std::vector<HotkeyScore>& scores,
                                 const std::map<AccountId, Uid>& uid_of,
                                 const std::optional<AccountId>& incumbent) {
  const HotkeyScore* best = nullptr;
  for (const HotkeyScore& score : scores) {
    if (score.score == 0 || !uid_of.contains(score.hotkey)) continue;
    if (best == nullptr || score.score > best->score) best = &score;
  }
  if (best == nullptr || !incumbent || !uid_of.contains(*incumbent)) return best;
  const HotkeyScore* holder = find(scores, *incumbent);
  if (holder == nullptr || holder->score == 0) return best;
  return beats(*best, *holder, rules.margin_sigma_milli) ? best : holder;
}

}  // namespace

bool beats(const HotkeyScore& challenger, const HotkeyScore& incumbent, std::uint32_t sigma_milli) {
  const Moments c = moments(challenger.values);
  const Moments i = moments(incumbent.values);
  if (c.mean <= i.mean) return false;
  const Wide d = c.mean - i.mean;
  const Wide sigma = sigma_milli;
  return d * d * 1'000'000 > sigma * sigma * (c.error_squared + i.error_squared);
}

WeightVector make_weights(const WeightRules& rules, const std::vector<HotkeyScore>& scores,
                          const std::vector<PlannedMiner>& miners,
                          const std::optional<AccountId>& incumbent) {
  std::map<AccountId, Uid> uid_of;
  std::map<Uid, std::uint64_t> raw;
  for (const PlannedMiner& miner : miners) {
    uid_of[miner.hotkey] = miner.uid;
    raw[miner.uid] = 0;
  }
  std::uint64_t total = 0;
  if (rules.rule == WeightRule::kWinnerMargin) {
    if (const HotkeyScore* winner = choose_winner(rules, scores, uid_of, incumbent)) {
      raw[uid_of[winner->hotkey]] = total = winner->score;
    }
  } else {
    for (const HotkeyScore& score : scores) {
      const auto it = uid_of.find(score.hotkey);
      if (it == uid_of.end()) continue;
      raw[it->second] = score.score;
      total += score.score;
    }
  }
  if (total == 0 && rules.burn == 0) return {};
  if (rules.burn >= kWhole || total == 0) {
    for (auto& [uid, value] : raw) value = 0;
    raw[rules.burn_uid] = 1;
  } else if (rules.burn > 0) {
    const auto share = static_cast<Uint128>(total) * rules.burn / (kWhole - rules.burn);
    raw[rules.burn_uid] += static_cast<std::uint64_t>(share);
  }
  WeightVector out;
  std::vector<std::uint64_t> values;
  for (const auto& [uid, value] : raw) {
    if (value == 0 && !rules.explicit_zeros) continue;
    out.uids.push_back(uid);
    values.push_back(value);
  }
  out.values = chain::to_u16(values);
  return out;
}

std::optional<AccountId> winner_of(const WeightVector& weights, const std::vector<PlannedMiner>& miners) {
  const auto top = std::max_element(weights.values.begin(), weights.values.end());
  if (top == weights.values.end() || *top == 0) return std::nullopt;
  const Uid uid = weights.uids[static_cast<std::size_t>(top - weights.values.begin())];
  for (const PlannedMiner& miner : miners) {
    if (miner.uid == uid) return miner.hotkey;
  }
  return std::nullopt;
}

}  // namespace adit::validator
