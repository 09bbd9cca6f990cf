// SPDX-License-Identifier: MIT
#include "validator/localnet/tx_pool.hpp"

#include <utility>

#include "validator/localnet/accounts.hpp"

namespace adit::validator {
namespace {

constexpr std::size_t kPoolCountMax = 8192;
// Applied in one block.
constexpr std::size_t kBlockCountMax = 1024;

}  // namespace

tl::expected<void, PoolRefusal> TxPool::add(Transaction transaction) {
  const auto refuse = [](int code, const char* message, const char* data) {
    return tl::unexpected<PoolRefusal>(PoolRefusal{code, message, data});
  };
  if (by_hash_.contains(transaction.hash)) return refuse(1013, "Transaction Already Imported", "");
  if (banned_.contains(transaction.hash)) return refuse(1012, "Transaction is temporarily banned", "");
  const std::pair slot(transaction.extrinsic.signer, transaction.extrinsic.nonce);
  if (by_nonce_.contains(slot)) {
    return refuse(
        1014, "Priority is too low: (1 vs 1)",
        "The transaction has too low priority to replace another transaction already in the pool.");
  }
  if (by_arrival_.size() >= kPoolCountMax) {
    return refuse(1016, "Immediately Dropped",
                  "The transaction couldn't enter the pool because of the limit");
  }
  const std::uint64_t arrival = arrivals_++;
  by_hash_[transaction.hash] = arrival;
  by_nonce_[slot] = arrival;
  by_arrival_.emplace(arrival, std::move(transaction));
  return {};
}

std::vector<Transaction> TxPool::ready(const State& state) const {
  std::vector<Transaction> out;
  std::map<AccountId, std::uint32_t> next;
  for (const auto& [arrival, first] : by_arrival_) {
    const AccountId& account = first.extrinsic.signer;
    if (next.contains(account)) continue;
    std::uint32_t& nonce = next.emplace(account, read_account(state, account).nonce).first->second;
    // The account's transactions in a row, as far as they are there.
    auto found = by_nonce_.find({account, nonce});
    while (found != by_nonce_.end() && out.size() < kBlockCountMax) {
      out.push_back(by_arrival_.at(found->second));
      found = by_nonce_.find({account, ++nonce});
    }
  }
  return out;
}

std::vector<const Transaction*> TxPool::all() const {
  std::vector<const Transaction*> out;
  for (const auto& [arrival, transaction] : by_arrival_) out.push_back(&transaction);
  return out;
}

std::uint32_t TxPool::next_nonce(const AccountId& account, std::uint32_t from) const {
  while (by_nonce_.contains({account, from})) ++from;
  return from;
}

void TxPool::remove(const Hash256& hash) {
  const auto found = by_hash_.find(hash);
  if (found == by_hash_.end()) return;
  const auto entry = by_arrival_.find(found->second);
  by_nonce_.erase({entry->second.extrinsic.signer, entry->second.extrinsic.nonce});
  by_arrival_.erase(entry);
  by_hash_.erase(found);
}

std::vector<Hash256> TxPool::drop_dead(const State& state, BlockNumber next_block) {
  std::vector<Hash256> dead;
  for (const auto& [arrival, transaction] : by_arrival_) {
    const bool outdated =
        transaction.extrinsic.nonce < read_account(state, transaction.extrinsic.signer).nonce;
    const bool expired = transaction.last_block && next_block > *transaction.last_block;
    if (outdated || expired) dead.push_back(transaction.hash);
  }
  for (const Hash256& hash : dead) remove(hash);
  return dead;
}

void TxPool::forgive(BlockNumber block) {
  std::erase_if(banned_, [&](const auto& entry) { return entry.second <= block; });
}

}  // namespace adit::validator
