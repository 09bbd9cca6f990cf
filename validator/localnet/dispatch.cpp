// SPDX-License-Identifier: MIT
#include "validator/localnet/dispatch.hpp"

#include <map>

#include "common/crypto/hash.hpp"
#include "validator/localnet/accounts.hpp"
#include "validator/localnet/admin_calls.hpp"
#include "validator/localnet/neuron_calls.hpp"
#include "validator/localnet/staking.hpp"

namespace adit::validator {
namespace {

constexpr Rao kFeeBase = 1'000'000;
constexpr Rao kFeePerByte = 500;
// Calls within calls: as deep as the chain decodes them.
constexpr int kNestingMax = 8;

using Name = std::pair<std::string, std::string>;

// The result of a wrapped call as its wrapper's event reports it: Result<(), DispatchError>.
Bytes result_bytes(const Dispatched& result) {
  Bytes out{static_cast<std::uint8_t>(result ? 0 : 1)};
  if (!result) append(out, result.error().error);
  return out;
}

Dispatched run_inner(const CallContext& outer, ByteView bytes, std::optional<AccountId> signer) {
  const Result<chain::DecodedCall> inner = chain::decode_call(outer.state.metadata(), bytes);
  // The metadata has checked the bytes, and the pool that every call in them is known.
  ADIT_CHECK(inner.has_value());
  return run_call({outer.state, outer.events, outer.block, signer, *inner});
}

Dispatched call_sudo(const CallContext& call) {
  const auto key = call.state.find<AccountId>(Item{"Sudo", "Key"});
  if (!call.signer || call.signer != key) return call.fail_in("Sudo", "RequireSudo");
  const Result<ByteView> inner = call.call.raw("call");
  ADIT_CHECK(inner.has_value());
  const Dispatched result = run_inner(call, *inner, std::nullopt);
  call.events.add_raw("Sudo", "Sudid", result_bytes(result));
  return {};
}

// The calls of a batch, each as its own bytes.
std::vector<Bytes> batched_calls(const chain::Metadata& metadata, const chain::DecodedCall& call) {
  std::vector<Bytes> out;
  const Result<ByteView> list = call.raw("calls");
  const auto batch = metadata.call(call.pallet, call.name);
  ADIT_CHECK(list.has_value() && batch.has_value());
  const chain::Type* type = metadata.types().find(batch->variant->fields.front().type);
  const auto* sequence = type == nullptr ? nullptr : std::get_if<chain::SequenceDef>(&type->def);
  ADIT_CHECK(sequence != nullptr);
  scale::Decoder in(*list);
  const Result<std::size_t> count = in.count(2);
  ADIT_CHECK(count.has_value());
  for (std::size_t i = 0; i < *count; ++i) {
    Result<Bytes> one = metadata.types().slice(sequence->element, in, *list);
    ADIT_CHECK(one.has_value());
    out.push_back(*std::move(one));
  }
  return out;
}

Dispatched call_batch_all(const CallContext& call) {
  for (const Bytes& one : batched_calls(call.state.metadata(), call.call)) {
    if (const Dispatched done = run_inner(call, one, call.signer); !done) return done;
    call.events.add("Utility", "ItemCompleted");
  }
  call.events.add("Utility", "BatchCompleted");
  return {};
}

// Stops at the first call that fails; those before it stand.
Dispatched call_batch(const CallContext& call) {
  std::uint32_t index = 0;
  for (const Bytes& one : batched_calls(call.state.metadata(), call.call)) {
    if (const Dispatched done = run_inner(call, one, call.signer); !done) {
      Bytes fields = encoded(index);
      append(fields, done.error().error);
      call.events.add_raw("Utility", "BatchInterrupted", fields);
      return {};
    }
    call.events.add("Utility", "ItemCompleted");
    ++index;
  }
  call.events.add("Utility", "BatchCompleted");
  return {};
}

Dispatched call_remark(const CallContext& call) {
  if (call.call.name == "remark_with_event" && call.signer) {
    call.events.add("System", "Remarked", *call.signer, crypto::blake2b_256(call.arg<Bytes>("remark")));
  }
  return {};
}

Dispatched call_transfer_keep_alive(const CallContext& call) {
  return transfer(call, AfterWithdrawal::kMustLive);
}
Dispatched call_transfer_allow_death(const CallContext& call) {
  return transfer(call, AfterWithdrawal::kMayDie);
}

std::map<Name, CallKind> make_table() {
  const auto paid = [](auto* run) { return CallKind{.run = run, .pays_fee = true}; };
  const auto free = [](auto* run) { return CallKind{.run = run}; };
  std::map<Name, CallKind> table = {
      {{"System", "remark"}, paid(call_remark)},
      {{"System", "remark_with_event"}, paid(call_remark)},
      {{"Balances", "transfer_keep_alive"}, paid(call_transfer_keep_alive)},
      {{"Balances", "transfer_allow_death"}, paid(call_transfer_allow_death)},
      {{"Utility", "batch"}, paid(call_batch)},
      {{"Utility", "batch_all"}, paid(call_batch_all)},
      {{"Sudo", "sudo"}, free(call_sudo)},
      {{"Commitments", "set_commitment"}, free(call_set_commitment)},
      {{"SubtensorModule", "burned_register"}, paid(call_burned_register)},
      {{"SubtensorModule", "register_network"}, paid(call_register_network)},
      {{"SubtensorModule", "add_stake"}, paid(call_add_stake)},
      {{"SubtensorModule", "remove_stake"}, paid(call_remove_stake)},
      {{"SubtensorModule", "serve_axon"}, {.run = call_serve_axon, .refusal = serve_axon_refusal}},
      {{"SubtensorModule", "serve_axon_tls"}, {.run = call_serve_axon, .refusal = serve_axon_refusal}},
      {{"SubtensorModule", "set_weights"}, {.run = call_set_weights, .refusal = set_weights_refusal}},
      {{"SubtensorModule", "set_mechanism_weights"},
       {.run = call_set_weights, .refusal = set_weights_refusal}},
  };
  for (const AdminCall& admin : admin_calls()) {
    table.emplace(Name{"AdminUtils", "sudo_set_" + std::string(admin.name)}, paid(call_admin_set));
  }
  return table;
}

// Whether a value whose length fits its type is one that decoding accepts.
bool well_formed(const chain::TypeRegistry& types, chain::TypeId id, ByteView value) {
  const chain::Type* type = types.find(id);
  if (type == nullptr) return false;
  if (const auto* composite = std::get_if<chain::CompositeDef>(&type->def)) {
    return composite->fields.size() != 1 || well_formed(types, composite->fields.front().type, value);
  }
  if (std::holds_alternative<chain::CompactDef>(type->def)) {
    scale::Decoder in(value);
    return in.compact().has_value() && in.done();
  }
  const auto* primitive = std::get_if<chain::Primitive>(&type->def);
  return primitive == nullptr || *primitive != chain::Primitive::kBool || value[0] <= 1;
}

std::string why_not_at(const chain::Metadata& metadata, const chain::DecodedCall& call, int depth) {
  const std::string full_name = call.pallet + "." + call.name;
  if (find_call(call.pallet, call.name) == nullptr) return full_name + " is not implemented by this chain";
  if (depth > kNestingMax) return fmt::format("calls are nested more than {} deep", kNestingMax);
  const auto item = metadata.call(call.pallet, call.name);
  if (!item) return item.error().message;
  for (std::size_t i = 0; i < call.arguments.size(); ++i) {
    const chain::DecodedCall::Argument& argument = call.arguments[i];
    if (!well_formed(metadata.types(), item->variant->fields[i].type, argument.value)) {
      return fmt::format("{}: {} has no valid value", full_name, argument.name);
    }
  }
  std::vector<Bytes> inner;
  if (call.is("Sudo", "sudo")) {
    inner.push_back(call.arguments.front().value);
  } else if (call.pallet == "Utility") {
    inner = batched_calls(metadata, call);
  }
  for (const Bytes& bytes : inner) {
    const Result<chain::DecodedCall> decoded_inner = chain::decode_call(metadata, bytes);
    if (!decoded_inner) return decoded_inner.error().message;
    std::string reason = why_not_at(metadata, *decoded_inner, depth + 1);
    if (!reason.empty()) return reason;
  }
  return {};
}

}  // namespace

const CallKind* find_call(std::string_view pallet, std::string_view name) {
  static const std::map<Name, CallKind> table = make_table();
  const auto found = table.find(Name{pallet, name});
  return found == table.end() ? nullptr : &found->second;
}

std::string why_not(const chain::Metadata& metadata, const chain::DecodedCall& call) {
  return why_not_at(metadata, call, 0);
}

Dispatched run_call(const CallContext& call) {
  const CallKind* kind = find_call(call.call.pallet, call.call.name);
  ADIT_CHECK(kind != nullptr);
  const std::size_t events = call.events.size();
  call.state.begin();
  Dispatched result = kind->run(call);
  if (result) {
    call.state.commit();
  } else {
    call.state.rollback();
    call.events.truncate(events);
  }
  return result;
}

Rao fee_of(const CallKind& kind, std::size_t extrinsic_bytes) {
  return kind.pays_fee ? kFeeBase + kFeePerByte * extrinsic_bytes : 0;
}

}  // namespace adit::validator
