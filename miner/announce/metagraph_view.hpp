// SPDX-License-Identifier: MIT
// miner/announce/metagraph_view.hpp
//
// The newest metagraph that could be read; a failed read keeps the one before.
//
// Out      latest: immutable, shared with whoever still reads it; nullptr before the first success.
// Errors   refresh: the chain's error; latest() is unchanged then.
// Threads  refresh: one thread; the others: any.
// Tests    tests/unit/miner/announce/announce_test.cpp
#pragma once

#include <memory>
#include <mutex>
#include <utility>

#include "common/chain/client.hpp"

namespace adit::miner {

class MetagraphView {
 public:
  explicit MetagraphView(NetUid netuid) : netuid_(netuid) {}

  [[nodiscard]] Result<void> refresh(chain::ChainClient& chain) {
    ADIT_TRY(chain::Metagraph fresh, chain.metagraph(netuid_, std::nullopt));
    auto shared = std::make_shared<const chain::Metagraph>(std::move(fresh));
    const std::lock_guard lock(mutex_);
    latest_ = std::move(shared);
    return {};
  }
  [[nodiscard]] std::shared_ptr<const chain::Metagraph> latest() const {
    const std::lock_guard lock(mutex_);
    return latest_;
  }

 private:
  const NetUid netuid_;
  mutable std::mutex mutex_;
  std::shared_ptr<const chain::Metagraph> latest_;
};

}  // namespace adit::miner
