// SPDX-License-Identifier: MIT
#include "common/chain/weights.hpp"

#include <algorithm>

namespace adit::chain {
namespace {

template <class... Args>
tl::unexpected<Error> refused(const char* name, fmt::format_string<Args...> format, Args&&... args) {
  return make_error(ErrorCode::kFailedPrecondition, "{}: {}", name,
                    fmt::format(format, std::forward<Args>(args)...));
}

Result<void> check_uids(const Metagraph& metagraph, std::span<const Uid> uids, bool to_self) {
  std::vector<Uid> sorted(uids.begin(), uids.end());
  std::sort(sorted.begin(), sorted.end());
  const auto twice = std::adjacent_find(sorted.begin(), sorted.end());
  if (twice != sorted.end()) return refused("DuplicateUids", "uid {} is given twice", *twice);
  if (!sorted.empty() && sorted.back() >= metagraph.neurons.size()) {
    return refused("UidVecContainInvalidOne", "uid {} of {}", sorted.back(), metagraph.neurons.size());
  }
  const std::size_t least = std::min<std::size_t>(metagraph.min_allowed_weights, metagraph.neurons.size());
  if (uids.size() < least && !to_self) {
    return refused("WeightVecLengthIsLow", "{} weights, at least {}", uids.size(), least);
  }
  return {};
}

}  // namespace

std::vector<std::uint16_t> to_u16(std::span<const std::uint64_t> scores) {
  std::uint64_t largest = 0;
  for (const std::uint64_t score : scores) largest = std::max(largest, score);
  std::vector<std::uint16_t> out(scores.size(), 0);
  if (largest == 0) return out;
  for (std::size_t i = 0; i < scores.size(); ++i) {
    __extension__ using Wide = unsigned __int128;
    // Half is rounded up: (2 v 65535 + max) / (2 max).
    const Wide twice = Wide{2} * scores[i] * 65535u;
    out[i] = static_cast<std::uint16_t>((twice + largest) / (Wide{2} * largest));
  }
  return out;
}

Result<void> preflight(const Metagraph& metagraph, const AccountId& hotkey, std::span<const Uid> uids,
                       std::span<const std::uint16_t> values, std::uint64_t version_key) {
  if (metagraph.commit_reveal) {
    return refused("CommitRevealEnabled", "subnet {} takes commits only", metagraph.netuid);
  }
  if (metagraph.netuid == 0) return refused("CanNotSetRootNetworkWeights", "subnet 0 takes no weights");
  if (uids.size() != values.size()) {
    return refused("WeightVecNotEqualSize", "{} uids, {} values", uids.size(), values.size());
  }
  if (uids.size() > metagraph.neurons.size()) {
    return refused("UidsLengthExceedUidsInSubNet", "{} uids, {} neurons", uids.size(),
                   metagraph.neurons.size());
  }
  const Neuron* self = metagraph.find(hotkey);
  if (self == nullptr) return refused("HotKeyNotRegisteredInSubNet", "subnet {}", metagraph.netuid);
  if (self->stake < metagraph.stake_threshold) {
    return refused("NotEnoughStakeToSetWeights", "stake {}, at least {}", self->stake,
                   metagraph.stake_threshold);
  }
  if (metagraph.weights_version != 0 && version_key < metagraph.weights_version) {
    return refused("IncorrectWeightVersionKey", "{}, at least {}", version_key, metagraph.weights_version);
  }
  const BlockNumber next = metagraph.block + 1;
  const BlockNumber since = next > self->last_update ? next - self->last_update : 0;
  if (self->last_update != 0 && since < metagraph.weights_rate_limit) {
    return refused("SettingWeightsTooFast", "last at block {}, next allowed at block {}", self->last_update,
                   self->last_update + metagraph.weights_rate_limit);
  }
  const bool to_self = uids.size() == 1 && uids[0] == self->uid;
  if (!self->validator_permit && !to_self) {
    return refused("NeuronNoValidatorPermit", "uid {} has no validator permit", self->uid);
  }
  return check_uids(metagraph, uids, to_self);
}

}  // namespace adit::chain
