// SPDX-License-Identifier: MIT
// tests/support/fake_chain.hpp
//
// A ChainClient over values that a test sets; calls are decoded with the real metadata and take
// effect at once. Threads: any (one mutex).
#pragma once

#include <functional>
#include <mutex>
#include <string>
#include <vector>

#include "common/chain/calls.hpp"
#include "common/chain/client.hpp"
#include "common/chain/localnet_metadata.hpp"

namespace adit::test {

class FakeChain final : public chain::ChainClient {
 public:
  FakeChain() { state.netuid = 1; }

  chain::Metagraph state;
  // Set to make the next reads fail.
  bool down = false;
  // Not empty: every submission is included and fails with this error.
  std::string dispatch_error;
  std::vector<chain::DecodedCall> submitted;
  std::vector<AccountId> signers;

  chain::Neuron& add_neuron(const AccountId& hotkey) {
    chain::Neuron neuron;
    neuron.uid = static_cast<Uid>(state.neurons.size());
    neuron.hotkey = hotkey;
    return state.neurons.emplace_back(neuron);
  }

  Result<chain::BlockRef> head() override { return chain::BlockRef{state.block, state.block_hash}; }
  Result<chain::BlockRef> finalized_head() override { return head(); }
  Result<Hash256> block_hash(BlockNumber) override { return state.block_hash; }
  Result<chain::Metagraph> metagraph(NetUid netuid, const std::optional<Hash256>&) override {
    const std::lock_guard lock(mutex_);
    if (down) return unavailable("the fake chain is down");
    if (netuid != state.netuid) return not_found("netuid {}", netuid);
    return state;
  }
  Result<std::vector<std::pair<Uid, std::uint16_t>>> weights_of(
      NetUid, MechId, Uid, const std::optional<Hash256>&) override {
    return unimplemented("weights_of");
  }
  Result<std::optional<Bytes>> storage(ByteView, const std::optional<Hash256>&) override {
    return unimplemented("storage");
  }
  Result<std::uint32_t> next_nonce(const AccountId&) override { return 0U; }
  Result<chain::Inclusion> submit(ByteView call, crypto::Signer& signer) override {
    const std::lock_guard lock(mutex_);
    if (down) return unavailable("the fake chain is down");
    ADIT_TRY(const chain::DecodedCall decoded, chain::decode_call(metadata_, call));
    submitted.push_back(decoded);
    signers.push_back(signer.account());
    chain::Inclusion out;
    out.error = dispatch_error;
    out.success = dispatch_error.empty();
    if (out.success) ADIT_TRY_VOID(apply(decoded, signer.account()));
    return out;
  }
  const chain::Metadata& metadata() override { return metadata_; }

 private:
  Result<void> apply(const chain::DecodedCall& call, const AccountId& signer) {
    if (call.name == "burned_register") {
      ADIT_TRY(const AccountId hotkey, call.account("hotkey"));
      add_neuron(hotkey).coldkey = signer;
    } else if (call.name == "serve_axon") {
      ADIT_TRY(const chain::AxonInfo info, chain::decode_serve_axon(call));
      for (chain::Neuron& neuron : state.neurons) {
        if (neuron.hotkey != signer) continue;
        neuron.axon = chain::Axon{.version = info.version,
                                  .is_v6 = info.is_v6,
                                  .ip = info.ip,
                                  .port = info.port,
                                  .protocol = info.protocol,
                                  .block = state.block};
      }
    }
    return {};
  }

  std::mutex mutex_;
  chain::Metadata metadata_ = chain::Metadata::decode(chain::localnet_metadata()).value();
};

}  // namespace adit::test
