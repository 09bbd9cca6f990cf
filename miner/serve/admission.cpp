// SPDX-License-Identifier: MIT
#include "miner/serve/admission.hpp"

namespace adit::miner {

Result<void> Admission::may_call(const AccountId& hotkey) const {
  if (hotkey == own_) return {};
  const auto metagraph = snapshot_();
  if (metagraph == nullptr) return unavailable("this miner has not read the metagraph yet");
  const chain::Neuron* neuron = metagraph->find(hotkey);
  if (neuron == nullptr) {
    return permission_denied("the caller is not registered on netuid {} as of block {}",
                             metagraph->netuid, metagraph->block);
  }
  if (rules_.require_permit && !neuron->validator_permit) {
    return permission_denied("uid {} has no validator permit as of block {}", neuron->uid,
                             metagraph->block);
  }
  if (neuron->stake < rules_.min_stake) {
    return permission_denied("uid {} has {} rao of stake, this miner asks for {}", neuron->uid,
                             neuron->stake, rules_.min_stake);
  }
  return {};
}

Result<Admission::Ticket> Admission::take(const AccountId& hotkey) {
  const std::lock_guard lock(mutex_);
  std::uint32_t& held = held_[hotkey];
  if (held >= rules_.questions_per_hotkey) {
    return resource_exhausted("this hotkey has {} questions here already", held);
  }
  ++held;
  return Ticket(*this, hotkey);
}

void Admission::give_back(const AccountId& hotkey) {
  const std::lock_guard lock(mutex_);
  const auto found = held_.find(hotkey);
  if (--found->second == 0) held_.erase(found);
}

}  // namespace adit::miner
