// SPDX-License-Identifier: MIT
#include "miner/announce/announcer.hpp"

#include <algorithm>

#include "common/base/limits.hpp"
#include "common/chain/calls.hpp"
#include "common/crypto/ss58.hpp"

namespace adit::miner {
namespace {

// protocol field of serve_axon: TCP.
constexpr std::uint8_t kTcp = 4;

bool says(const chain::Axon& axon, const AnnounceOptions& options) {
  return net::Endpoint::from_axon(axon.is_v6, axon.ip, axon.port) == options.advertise &&
         axon.version == options.version;
}

}  // namespace

Result<void> Announcer::submit(ByteView call, crypto::Signer& signer, std::string_view what) {
  ADIT_TRY(const chain::Inclusion inclusion, chain_.submit(call, signer));
  if (!inclusion.success) return failed_precondition("{}: {}", what, inclusion.error);
  return {};
}

Result<bool> Announcer::ensure_registered(const chain::Metagraph& metagraph) {
  if (metagraph.find(hotkey_.account()) != nullptr) return false;
  const std::string who = crypto::ss58_encode(hotkey_.account());
  if (!options_.register_if_missing) {
    return failed_precondition(
        "hotkey {} is not registered on netuid {}: register it, or set register: true", who,
        options_.netuid);
  }
  if (coldkey_ == nullptr) {
    return failed_precondition(
        "hotkey {} is not registered on netuid {} and register: true needs a coldkey", who,
        options_.netuid);
  }
  ADIT_TRY(const Bytes call,
           chain::burned_register(chain_.metadata(), options_.netuid, hotkey_.account()));
  ADIT_TRY_VOID(submit(call, *coldkey_, "burned_register"));
  return true;
}

Result<bool> Announcer::ensure_announced(const chain::Metagraph& metagraph) {
  const chain::Neuron* self = metagraph.find(hotkey_.account());
  if (self == nullptr) return false;
  if (self->axon && says(*self->axon, options_)) {
    wait_blocks_ = 0;
    next_try_block_ = 0;
    return false;
  }
  if (metagraph.block < next_try_block_) return false;
  // Also after a success: the snapshot that shows it comes later.
  wait_blocks_ = std::clamp<BlockNumber>(wait_blocks_ * 2, limits::kAnnounceWaitBlocksMin,
                                         limits::kAnnounceWaitBlocksMax);
  next_try_block_ = metagraph.block + wait_blocks_;
  const chain::AxonInfo axon{.netuid = options_.netuid,
                             .version = options_.version,
                             .ip = options_.advertise.axon_ip(),
                             .port = options_.advertise.port,
                             .is_v6 = options_.advertise.is_v6,
                             .protocol = kTcp};
  ADIT_TRY(const Bytes call, chain::serve_axon(chain_.metadata(), axon));
  ADIT_TRY_VOID(submit(call, hotkey_, "serve_axon"));
  return true;
}

}  // namespace adit::miner
