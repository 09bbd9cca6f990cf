// SPDX-License-Identifier: MIT
#include "validator/localnet/runtime.hpp"

#include <algorithm>

#include "common/chain/localnet_metadata.hpp"
#include "common/scale/encoder.hpp"
#include "validator/localnet/accounts.hpp"
#include "validator/localnet/dispatch.hpp"
#include "validator/localnet/epoch_step.hpp"

namespace adit::validator {
namespace {

constexpr BlockNumber kBlockHashCount = 2400;
constexpr Item kNumber{"System", "Number"};
constexpr Item kParentHash{"System", "ParentHash"};
constexpr Item kBlockHash{"System", "BlockHash"};
constexpr Item kEvents{"System", "Events"};
constexpr Item kEventCount{"System", "EventCount"};
constexpr Item kNow{"Timestamp", "Now"};

enum class DispatchClass : std::uint8_t { kNormal = 0, kMandatory = 2 };

// DispatchEventInfo: weight (ref_time, proof_size), class, pays_fee. Weight is not metered here.
Bytes dispatch_info(DispatchClass dispatch_class, bool pays_fee) {
  scale::Encoder out;
  out.compact(100'000'000);
  out.compact(0);
  out.u8(static_cast<std::uint8_t>(dispatch_class));
  out.u8(pays_fee ? 0 : 1);
  return out.take();
}

void finish_events(State& state, const EventLog& events) {
  Result<Bytes> encoded_events = chain::encode_events(state.metadata(), events.all());
  ADIT_CHECK(encoded_events.has_value());
  state.set_raw(state.key(kEvents), *std::move(encoded_events));
  state.put(kEventCount, static_cast<std::uint32_t>(events.size()));
}

}  // namespace

Result<std::unique_ptr<Runtime>> Runtime::make() {
  const ByteView blob = chain::localnet_metadata();
  ADIT_TRY(chain::Metadata metadata, chain::Metadata::decode(blob));
  ADIT_TRY(chain::RuntimeVersion version, metadata.runtime_version());
  return std::unique_ptr<Runtime>(new Runtime(std::move(metadata), blob, std::move(version)));
}

void Runtime::begin_block(State& state, const Block& parent) const {
  const BlockNumber number = parent.header.number + 1;
  state.put(kNumber, static_cast<std::uint32_t>(number));
  state.put(kParentHash, parent.hash);
  state.put(kBlockHash, parent.hash, static_cast<std::uint32_t>(parent.header.number));
  if (number > kBlockHashCount) {
    state.remove(kBlockHash, static_cast<std::uint32_t>(number - kBlockHashCount - 1));
  }
}

Bytes Runtime::apply_timestamp(State& state, EventLog& events, std::uint64_t now_ms) const {
  const std::uint64_t now = std::max(now_ms, state.get<std::uint64_t>(kNow) + 1);
  state.put(kNow, now);
  const auto call = metadata_.call("Timestamp", "set");
  ADIT_CHECK(call.has_value());
  // An unsigned extrinsic: version byte without the signed bit, then the call.
  scale::Encoder body;
  body.u8(metadata_.extrinsic_version());
  body.u8(call->pallet->index);
  body.u8(call->variant->index);
  body.compact(now);
  scale::Encoder out;
  out.bytes(body.take());
  events.enter(chain::Phase::kApplyExtrinsic, 0);
  events.add_raw("System", "ExtrinsicSuccess", dispatch_info(DispatchClass::kMandatory, true));
  return out.take();
}

bool Runtime::apply(const Transaction& transaction, std::uint32_t index, BlockNumber block, State& state,
                    EventLog& events) const {
  const AccountId& signer = transaction.extrinsic.signer;
  const CallKind* kind = find_call(transaction.call.pallet, transaction.call.name);
  if (kind == nullptr) return false;
  if (transaction.last_block && block > *transaction.last_block) return false;
  if (read_account(state, signer).nonce != transaction.extrinsic.nonce) return false;
  const std::size_t events_before = events.size();
  events.enter(chain::Phase::kApplyExtrinsic, index);
  const Rao fee = fee_of(*kind, transaction.bytes.size()) + transaction.extrinsic.tip;
  state.begin();
  if (fee > 0) {
    if (!withdraw(state, events, signer, fee, AfterWithdrawal::kMustLive)) {
      state.rollback();
      events.truncate(events_before);
      return false;
    }
    destroy_issuance(state, fee);
    events.add("Balances", "Withdraw", signer, fee);
  }
  bump_nonce(state, signer);
  const Dispatched result = run_call({state, events, block, signer, transaction.call});
  if (fee > 0)
    events.add("TransactionPayment", "TransactionFeePaid", signer, fee, transaction.extrinsic.tip);
  const Bytes info = dispatch_info(DispatchClass::kNormal, kind->pays_fee);
  if (result) {
    events.add_raw("System", "ExtrinsicSuccess", info);
  } else {
    Bytes fields = result.error().error;
    append(fields, info);
    events.add_raw("System", "ExtrinsicFailed", fields);
  }
  state.commit();
  return true;
}

BuiltBlock Runtime::build_block(const VersionedMap& base, const Block& parent,
                                std::span<const Transaction> transactions, std::uint64_t now_ms) const {
  State state(metadata_, base, parent.header.number);
  EventLog events;
  BuiltBlock built;
  const BlockNumber number = parent.header.number + 1;
  begin_block(state, parent);
  events.enter(chain::Phase::kInitialization);
  run_block_step(state, number);
  built.block.extrinsics.push_back(apply_timestamp(state, events, now_ms));
  for (const Transaction& transaction : transactions) {
    const auto index = static_cast<std::uint32_t>(built.block.extrinsics.size());
    if (apply(transaction, index, number, state, events)) {
      built.block.extrinsics.push_back(transaction.bytes);
      built.included.push_back(transaction.hash);
    } else {
      built.left_out.push_back(transaction.hash);
    }
  }
  finish_events(state, events);
  built.changes = state.changes();
  built.block.header = {.parent = parent.hash,
                        .number = number,
                        .state_root = base.root_with(built.changes),
                        .extrinsics_root = extrinsics_root(built.block.extrinsics)};
  built.block.hash = built.block.header.hash();
  return built;
}

}  // namespace adit::validator
