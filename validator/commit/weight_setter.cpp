// SPDX-License-Identifier: MIT
#include "validator/commit/weight_setter.hpp"

#include <map>

#include "common/chain/calls.hpp"
#include "common/chain/storage_key.hpp"
#include "common/chain/weights.hpp"
#include "common/scale/decoder.hpp"

namespace adit::validator {
namespace {

// A mortal transaction of the client lives this many blocks; after that it cannot be included any more.
constexpr BlockNumber kEraBlocks = 64;

// The chain stores values scaled so that the largest is 65535; ours already are.
bool same_row(const WeightsRow& row, const std::vector<std::pair<Uid, std::uint16_t>>& stored) {
  const std::map<Uid, std::uint16_t> on_chain(stored.begin(), stored.end());
  if (on_chain.size() != row.uids.size()) return false;
  for (std::size_t i = 0; i < row.uids.size(); ++i) {
    const auto it = on_chain.find(row.uids[i]);
    if (it == on_chain.end() || it->second != row.values[i]) return false;
  }
  return true;
}

}  // namespace

Result<std::uint32_t> WeightSetter::account_nonce() {
  const Bytes part = to_bytes(signer_.account());
  ADIT_TRY(const Bytes key, chain::storage_key(chain_.metadata(), "System", "Account", std::span(&part, 1)));
  ADIT_TRY(const std::optional<Bytes> value, chain_.storage(key, std::nullopt));
  if (!value) return 0u;
  return scale::Decoder(*value).u32();
}

Result<void> WeightSetter::preflight(const chain::Metagraph& graph, const WeightsRow& row) const {
  return chain::preflight(graph, signer_.account(), row.uids, row.values, row.version_key);
}

Result<SubmittedRow> WeightSetter::submit(const WeightsRow& row) {
  ADIT_TRY(const Bytes call,
           chain::set_mechanism_weights(chain_.metadata(), {.netuid = netuid_,
                                                            .mechanism = mechanism_,
                                                            .uids = row.uids,
                                                            .values = row.values,
                                                            .version_key = row.version_key}));
  ADIT_TRY(const chain::Inclusion inclusion, chain_.submit(call, signer_));
  SubmittedRow out{.step = row.step, .success = inclusion.success, .block = inclusion.block.number,
                   .block_hash = inclusion.block.hash, .error = inclusion.error};
  if (!inclusion.success) return out;
  ADIT_TRY(const chain::Metagraph graph, chain_.metagraph(netuid_, inclusion.block.hash));
  ADIT_TRY(const bool stands, stands_on_chain(row, graph));
  if (!stands) {
    out.success = false;
    out.error = "included, but the stored row is another";
  }
  return out;
}

Result<bool> WeightSetter::stands_on_chain(const WeightsRow& row, const chain::Metagraph& graph) {
  const chain::Neuron* me = graph.find(signer_.account());
  if (me == nullptr || me->last_update < row.block) return false;
  ADIT_TRY(const auto stored, chain_.weights_of(netuid_, mechanism_, me->uid, graph.block_hash));
  return same_row(row, stored);
}

Result<WeightSetter::Recovered> WeightSetter::recover(const WeightsRow& row) {
  ADIT_TRY(const chain::BlockRef head, chain_.head());
  ADIT_TRY(const chain::Metagraph graph, chain_.metagraph(netuid_, head.hash));
  ADIT_TRY(const bool stands, stands_on_chain(row, graph));
  SubmittedRow outcome{.step = row.step, .success = stands, .block = head.number, .block_hash = head.hash};
  if (stands) return Recovered{Fate::kLanded, outcome};
  ADIT_TRY(const std::uint32_t nonce, account_nonce());
  if (nonce > row.nonce) {
    outcome.error = "the transaction was included, but the row on chain is another";
    return Recovered{Fate::kFailed, outcome};
  }
  // The nonce stands still: the transaction was never sent, or it still waits in a pool.
  ADIT_TRY(const std::uint32_t next, chain_.next_nonce(signer_.account()));
  if (next == row.nonce) return Recovered{Fate::kNotSent, outcome};
  if (head.number > row.block + kEraBlocks) {
    outcome.error = "the transaction's era passed before it was included";
    return Recovered{Fate::kFailed, outcome};
  }
  return Recovered{Fate::kUnknown, outcome};
}

}  // namespace adit::validator
