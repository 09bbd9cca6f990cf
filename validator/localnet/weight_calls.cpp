// SPDX-License-Identifier: MIT
#include <algorithm>

#include "validator/consensus/fixed.hpp"
#include "validator/localnet/neuron_calls.hpp"
#include "validator/localnet/subnet.hpp"

namespace adit::validator {
namespace {

using Row = std::vector<std::pair<Uid, std::uint16_t>>;

struct WeightsArgs {
  NetUid netuid = 0;
  MechId mechanism = 0;
  NetUid index = 0;
  std::vector<Uid> uids;
  std::vector<std::uint16_t> values;
  std::uint64_t version_key = 0;
};

WeightsArgs read_args(const CallContext& call) {
  WeightsArgs args{.netuid = call.arg<NetUid>("netuid"),
                   .uids = call.arg<std::vector<Uid>>("dests"),
                   .values = call.arg<std::vector<std::uint16_t>>("weights"),
                   .version_key = call.arg<std::uint64_t>("version_key")};
  if (call.call.name == "set_mechanism_weights") args.mechanism = call.arg<MechId>("mecid");
  args.index = storage_index(args.netuid, args.mechanism);
  return args;
}

bool mechanism_exists(const State& state, const WeightsArgs& args) {
  return subnet_exists(state, args.netuid) &&
         args.mechanism < state.get<MechId>(subtensor("MechanismCountCurrent"), args.netuid);
}

bool enough_stake(const CallContext& call, const WeightsArgs& args, std::optional<Uid> uid) {
  if (uid && owner_uid(call.state, args.netuid) == uid) return true;
  const Rao threshold = call.state.get<Rao>(subtensor("StakeThreshold"));
  return stake_of(call.state, args.netuid, *call.signer).total >= threshold;
}

bool too_fast(const CallContext& call, const WeightsArgs& args, Uid uid) {
  const auto updates =
      uid_list<BlockNumber>(call.state, "LastUpdate", args.index, uid_count(call.state, args.netuid));
  const BlockNumber last = updates[uid];
  const auto limit = call.state.get<std::uint64_t>(subtensor("WeightsSetRateLimit"), args.netuid);
  return last != 0 && call.block - std::min(call.block, last) < limit;
}

std::uint16_t rounded(I32F32 value) {
  const I32F32 up = value + I32F32::half();
  return static_cast<std::uint16_t>(std::clamp<std::int64_t>(up.raw() >> 32, 0, 65535));
}

// The largest value becomes 65535 and the others keep their ratio to it.
std::vector<std::uint16_t> max_upscaled(const std::vector<std::uint16_t>& values) {
  const std::uint16_t most = values.empty() ? 0 : *std::max_element(values.begin(), values.end());
  if (most == 0) return values;
  const I32F32 full = I32F32::from_int(65535);
  const I32F32 largest = I32F32::from_int(most);
  std::vector<std::uint16_t> out;
  for (const std::uint16_t value : values) {
    const I32F32 fixed = I32F32::from_int(value);
    out.push_back(rounded(most > 32768 ? fixed * (full / largest) : fixed * full / largest));
  }
  return out;
}

Dispatched check_sender(const CallContext& call, const WeightsArgs& args, Uid uid) {
  State& state = call.state;
  if (!enough_stake(call, args, uid)) return call.fail("NotEnoughStakeToSetWeights");
  const auto version = state.get<std::uint64_t>(subtensor("WeightsVersionKey"), args.netuid);
  if (version != 0 && args.version_key < version) return call.fail("IncorrectWeightVersionKey");
  if (too_fast(call, args, uid)) return call.fail("SettingWeightsTooFast");
  const bool self_weight = args.uids.size() == 1 && args.uids[0] == uid;
  const auto permits = uid_list<bool>(state, "ValidatorPermit", args.netuid, uid_count(state, args.netuid));
  if (!permits[uid] && !self_weight && owner_uid(state, args.netuid) != uid) {
    return call.fail("NeuronNoValidatorPermit");
  }
  return {};
}

Dispatched check_row(const CallContext& call, const WeightsArgs& args, Uid uid) {
  const std::uint16_t count = uid_count(call.state, args.netuid);
  std::vector<Uid> sorted = args.uids;
  std::sort(sorted.begin(), sorted.end());
  if (std::adjacent_find(sorted.begin(), sorted.end()) != sorted.end()) return call.fail("DuplicateUids");
  if (!sorted.empty() && sorted.back() >= count) return call.fail("UidVecContainInvalidOne");
  const auto least = call.state.get<std::uint16_t>(subtensor("MinAllowedWeights"), args.netuid);
  const bool self_weight = args.uids.size() == 1 && args.uids[0] == uid;
  if (!self_weight && args.uids.size() < std::min(least, count)) return call.fail("WeightVecLengthIsLow");
  return {};
}

}  // namespace

Dispatched call_set_weights(const CallContext& call) {
  if (!call.signer) return bad_origin();
  State& state = call.state;
  const WeightsArgs args = read_args(call);
  if (state.get<bool>(subtensor("CommitRevealWeightsEnabled"), args.netuid)) {
    return call.fail("CommitRevealEnabled");
  }
  if (args.netuid == kRootNetUid) return call.fail("CanNotSetRootNetworkWeights");
  if (args.uids.size() != args.values.size()) return call.fail("WeightVecNotEqualSize");
  if (!mechanism_exists(state, args)) return call.fail("MechanismDoesNotExist");
  const std::uint16_t count = uid_count(state, args.netuid);
  if (args.uids.size() > count) return call.fail("UidsLengthExceedUidsInSubNet");
  const std::optional<Uid> uid = uid_of(state, args.netuid, *call.signer);
  if (!uid) return call.fail("HotKeyNotRegisteredInSubNet");
  if (const Dispatched ok = check_sender(call, args, *uid); !ok) return ok;
  if (const Dispatched ok = check_row(call, args, *uid); !ok) return ok;
  const std::vector<std::uint16_t> values = max_upscaled(args.values);
  Row row;
  for (std::size_t i = 0; i < values.size(); ++i) row.emplace_back(args.uids[i], values[i]);
  state.put(subtensor("Weights"), row, args.index, *uid);
  auto updates = uid_list<BlockNumber>(state, "LastUpdate", args.index, count);
  updates[*uid] = call.block;
  state.put(subtensor("LastUpdate"), updates, args.index);
  call.emit("WeightsSet", args.index, *uid);
  return {};
}

std::optional<std::uint8_t> set_weights_refusal(const CallContext& call) {
  constexpr std::uint8_t stake_too_low = 1;
  constexpr std::uint8_t rate_limit = 6;
  if (!call.signer) return std::nullopt;
  const WeightsArgs args = read_args(call);
  const std::optional<Uid> uid = uid_of(call.state, args.netuid, *call.signer);
  if (!enough_stake(call, args, uid)) return stake_too_low;
  const bool commit_reveal = call.state.get<bool>(subtensor("CommitRevealWeightsEnabled"), args.netuid);
  if (uid && !commit_reveal && too_fast(call, args, *uid)) return rate_limit;
  return std::nullopt;
}

}  // namespace adit::validator
