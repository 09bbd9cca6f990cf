// SPDX-License-Identifier: MIT
// miner/announce/announcer.hpp
//
// Keeps what the chain says about this miner true: registered on the subnet, and served at the
// configured address.
//
// In       one metagraph snapshot after another.
// Out      ensure_registered: true if it registered just now (the next snapshot will show it).
//          ensure_announced: true if it submitted serve_axon.
// Errors   kFailedPrecondition: not registered and not told to register, or no coldkey; else the
//          chain's refusal by name. After a refused announcement the next try waits a growing
//          number of blocks.
// Units    back-off in blocks.
// Threads  one.
// Source   facts of the chain: serve_axon is signed by the hotkey, burned_register by the coldkey;
//          127.0.0.1 is refused by the chain, 0 is allowed (for subnets on one machine)
// Tests    tests/unit/miner/announce/announce_test.cpp
#pragma once

#include "common/chain/client.hpp"
#include "common/crypto/signer.hpp"
#include "common/net/endpoint.hpp"

namespace adit::miner {

struct AnnounceOptions {
  NetUid netuid = 0;
  net::Endpoint advertise;
  bool register_if_missing = false;
  // What serve_axon carries as version: 1000 * major + 100 * minor + patch.
  std::uint32_t version = 100;
};

class Announcer {
 public:
  // `coldkey` may be nullptr. All references outlive the announcer.
  Announcer(chain::ChainClient& chain, crypto::Signer& hotkey, crypto::Signer* coldkey,
            AnnounceOptions options)
      : chain_(chain), hotkey_(hotkey), coldkey_(coldkey), options_(options) {}

  [[nodiscard]] Result<bool> ensure_registered(const chain::Metagraph& metagraph);
  [[nodiscard]] Result<bool> ensure_announced(const chain::Metagraph& metagraph);

 private:
  [[nodiscard]] Result<void> submit(ByteView call, crypto::Signer& signer, std::string_view what);

  chain::ChainClient& chain_;
  crypto::Signer& hotkey_;
  crypto::Signer* coldkey_;
  const AnnounceOptions options_;
  BlockNumber next_try_block_ = 0;
  BlockNumber wait_blocks_ = 0;
};

}  // namespace adit::miner
