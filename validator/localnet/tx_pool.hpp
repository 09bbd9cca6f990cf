// SPDX-License-Identifier: MIT
// validator/localnet/tx_pool.hpp
//
// Transactions that wait for a block.
//
// In       transactions that the node has checked.
// Out      ready: those that can be applied now, each account's in order of nonce, accounts by arrival.
// Errors   add: a PoolRefusal with the codes of the chain's nodes: 1012 banned, 1013 already imported, 1014
//          priority too low (the nonce is taken), 1016 pool full.
// Threads  one at a time; the owner locks.
// Source   polkadot-sdk sc-transaction-pool, sc-rpc author errors
// Tests    tests/unit/validator/localnet/node_test.cpp
#pragma once

#include <map>
#include <string>
#include <vector>

#include "validator/localnet/runtime.hpp"

namespace adit::validator {

struct PoolRefusal {
  int code = 0;
  std::string message;
  std::string data;
};

class TxPool {
 public:
  [[nodiscard]] tl::expected<void, PoolRefusal> add(Transaction transaction);
  [[nodiscard]] std::vector<Transaction> ready(const State& state) const;
  // Every waiting transaction, by arrival.
  [[nodiscard]] std::vector<const Transaction*> all() const;
  // The first nonce from `from` on that no waiting transaction of the account has.
  [[nodiscard]] std::uint32_t next_nonce(const AccountId& account, std::uint32_t from) const;
  void remove(const Hash256& hash);
  // Transactions that can never be applied: a nonce that is used up, or past their last block. They leave.
  [[nodiscard]] std::vector<Hash256> drop_dead(const State& state, BlockNumber next_block);
  // Not taken again for a while.
  void ban(const Hash256& hash, BlockNumber until_block) { banned_[hash] = until_block; }
  void forgive(BlockNumber block);

 private:
  std::uint64_t arrivals_ = 0;
  std::map<std::uint64_t, Transaction> by_arrival_;
  std::map<Hash256, std::uint64_t> by_hash_;
  std::map<std::pair<AccountId, std::uint32_t>, std::uint64_t> by_nonce_;
  std::map<Hash256, BlockNumber> banned_;
};

}  // namespace adit::validator
