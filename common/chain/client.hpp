// SPDX-License-Identifier: MIT
// common/chain/client.hpp
//
// The ChainClient seam: what the miner and the validator ask of the chain.
//
// In       at: a block hash; none means the best block. call: an encoded call (calls.hpp).
// Out      metagraph: every value of one snapshot is read at one block hash. submit: returns when the
//          extrinsic's fate is known; success is proved by the block's events, and a failed dispatch is not
//          an Error but Inclusion{success = false, error = "SubtensorModule.SettingWeightsTooFast"}.
// Units    stake in rao of alpha plus TAO weighted as the chain does; incentive and dividends 65535 = 1.0.
// Errors   kUnavailable  no connection (with url and reason), or the chain does not know whether it took
// the
//                        extrinsic; kDeadlineExceeded; kDataLoss  the answer does not decode;
//          submit: kFailedPrecondition  the pool refused it and will again (the reason by name);
//                  kAborted  refused now, a later try may pass (nonce taken, runtime upgraded).
// Threads  every method from any thread.
// Tests    tests/unit/common/chain/substrate_client_test.cpp, tests/integration/chain_localnet_test.cpp
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "common/base/bytes.hpp"
#include "common/base/result.hpp"
#include "common/base/strong.hpp"
#include "common/chain/events.hpp"
#include "common/chain/metadata.hpp"
#include "common/crypto/signer.hpp"

namespace adit::chain {

// Where a hotkey says it serves. ip: 16 bytes in network order; of an IPv4 address the last four.
struct Axon {
  std::uint32_t version = 0;
  bool is_v6 = false;
  std::array<std::uint8_t, 16> ip{};
  std::uint16_t port = 0;
  std::uint8_t protocol = 0;
  BlockNumber block = 0;
};

struct Neuron {
  Uid uid = 0;
  AccountId hotkey{};
  AccountId coldkey{};
  bool active = false;
  bool validator_permit = false;
  Rao stake = 0;
  BlockNumber last_update = 0;
  std::uint16_t incentive = 0;
  std::uint16_t dividends = 0;
  BlockNumber registered_at = 0;
  std::optional<Axon> axon{};
};

struct Metagraph {
  NetUid netuid = 0;
  BlockNumber block = 0;
  Hash256 block_hash{};
  std::uint16_t tempo = 0;
  BlockNumber last_epoch_block = 0;
  BlockNumber pending_epoch_at = 0;  // 0: none
  std::uint64_t epoch_index = 0;
  std::uint64_t blocks_since_last_step = 0;
  std::uint64_t weights_version = 0;
  std::uint64_t weights_rate_limit = 0;  // blocks
  std::uint16_t min_allowed_weights = 0;
  bool commit_reveal = false;
  Rao stake_threshold = 0;
  std::vector<Neuron> neurons{};  // neurons[i].uid == i

  // nullptr: not registered here.
  [[nodiscard]] const Neuron* find(const AccountId& hotkey) const {
    for (const Neuron& neuron : neurons) {
      if (neuron.hotkey == hotkey) return &neuron;
    }
    return nullptr;
  }
};

struct BlockRef {
  BlockNumber number = 0;
  Hash256 hash{};
};

struct Inclusion {
  BlockRef block{};
  std::uint32_t extrinsic_index = 0;
  bool success = false;
  std::string error{};          // empty on success
  std::vector<Event> events{};  // those of this extrinsic
  Hash256 extrinsic_hash{};
};

class ChainClient {
 public:
  virtual ~ChainClient() = default;

  [[nodiscard]] virtual Result<BlockRef> head() = 0;
  [[nodiscard]] virtual Result<BlockRef> finalized_head() = 0;
  [[nodiscard]] virtual Result<Hash256> block_hash(BlockNumber number) = 0;
  [[nodiscard]] virtual Result<Metagraph> metagraph(NetUid netuid, const std::optional<Hash256>& at) = 0;
  [[nodiscard]] virtual Result<std::vector<std::pair<Uid, std::uint16_t>>> weights_of(
      NetUid netuid, MechId mechanism, Uid uid, const std::optional<Hash256>& at) = 0;
  // None: nothing is stored there (the caller knows the default).
  [[nodiscard]] virtual Result<std::optional<Bytes>> storage(ByteView key,
                                                             const std::optional<Hash256>& at) = 0;
  // The nonce of the account's next transaction, counting those that wait in the node's pool
  // (account_nextIndex).
  [[nodiscard]] virtual Result<std::uint32_t> next_nonce(const AccountId& account) = 0;
  [[nodiscard]] virtual Result<Inclusion> submit(ByteView call, crypto::Signer& signer) = 0;
  // The runtime's metadata as last read; the reference stays valid while the client lives.
  [[nodiscard]] virtual const Metadata& metadata() = 0;
};

}  // namespace adit::chain
