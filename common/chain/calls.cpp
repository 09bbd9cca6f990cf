// SPDX-License-Identifier: MIT
#include "common/chain/calls.hpp"

#include <algorithm>
#include <utility>

#include "common/base/limits.hpp"
#include "common/scale/decoder.hpp"
#include "common/scale/encoder.hpp"

namespace adit::chain {
namespace {

template <class T>
Bytes integer_bytes(T value) {
  Bytes out;
  append_le(out, value);
  return out;
}

Bytes list_bytes(std::span<const std::uint16_t> values) {
  scale::Encoder out;
  out.compact(values.size());
  for (const std::uint16_t value : values) out.u16(value);
  return out.take();
}

// MultiAddress::Id
Bytes address_bytes(const AccountId& account) {
  Bytes out = {0};
  append(out, account);
  return out;
}

bool is_one_value(const Metadata& metadata, TypeId type, ByteView bytes) {
  scale::Decoder in(bytes);
  return metadata.types().skip(type, in).has_value() && in.done();
}

// `value` in as many bytes as the type of `field` has.
Result<Bytes> sized_integer(const Metadata& metadata, const ItemRef& call, const Field& field,
                            std::uint64_t value) {
  for (const std::size_t bytes : {1u, 2u, 4u, 8u}) {
    Bytes encoded = integer_bytes(value);
    encoded.resize(bytes);
    if (!is_one_value(metadata, field.type, encoded)) continue;
    if (bytes < 8 && value >> (8 * bytes) != 0) {
      return invalid_argument("{}: {} = {} does not fit {}", call.full_name(), field.name, value,
                              metadata.types().describe(field.type));
    }
    return encoded;
  }
  return failed_precondition("{}: {} is {}, expected an integer", call.full_name(), field.name,
                             metadata.types().describe(field.type));
}

Result<ItemRef> admin_call(const Metadata& metadata, std::string_view what, std::size_t arguments) {
  ADIT_TRY(const ItemRef call, metadata.call("AdminUtils", "sudo_set_" + std::string(what)));
  if (call.variant->fields.size() != arguments) {
    return failed_precondition("{} takes {} arguments, expected {}", call.full_name(),
                               call.variant->fields.size(), arguments);
  }
  return call;
}

Result<void> check_row(const WeightRow& row) {
  if (row.uids.size() != row.values.size()) {
    return invalid_argument("{} uids but {} weights", row.uids.size(), row.values.size());
  }
  if (row.uids.size() > limits::kUidsMax) {
    return invalid_argument("{} weights, at most {}", row.uids.size(), limits::kUidsMax);
  }
  return {};
}

}  // namespace

Result<Bytes> encode_call(const Metadata& metadata, std::string_view pallet, std::string_view name,
                          std::span<const CallArgument> arguments) {
  ADIT_TRY(const ItemRef call, metadata.call(pallet, name));
  const std::vector<Field>& fields = call.variant->fields;
  if (fields.size() != arguments.size()) {
    return failed_precondition("{} takes {} arguments in this runtime, expected {}", call.full_name(),
                               fields.size(), arguments.size());
  }
  Bytes out = {call.pallet->index, call.variant->index};
  for (std::size_t i = 0; i < fields.size(); ++i) {
    if (fields[i].name != arguments[i].name) {
      return failed_precondition("{}: argument {} is {} in this runtime, expected {}", call.full_name(), i,
                                 fields[i].name, arguments[i].name);
    }
    if (!is_one_value(metadata, fields[i].type, arguments[i].value)) {
      return failed_precondition("{}: {} is {} in this runtime; 0x{} is not one", call.full_name(),
                                 fields[i].name, metadata.types().describe(fields[i].type),
                                 to_hex(arguments[i].value));
    }
    append(out, arguments[i].value);
  }
  return out;
}

Result<Bytes> serve_axon(const Metadata& metadata, const AxonInfo& axon) {
  Bytes ip(axon.ip.rbegin(), axon.ip.rend());
  const CallArgument arguments[] = {
      {"netuid", integer_bytes(axon.netuid)},
      {"version", integer_bytes(axon.version)},
      {"ip", std::move(ip)},
      {"port", integer_bytes(axon.port)},
      {"ip_type", {static_cast<std::uint8_t>(axon.is_v6 ? 6 : 4)}},
      {"protocol", {axon.protocol}},
      {"placeholder1", {0}},
      {"placeholder2", {0}},
  };
  return encode_call(metadata, "SubtensorModule", "serve_axon", arguments);
}

Result<Bytes> burned_register(const Metadata& metadata, NetUid netuid, const AccountId& hotkey) {
  const CallArgument arguments[] = {{"netuid", integer_bytes(netuid)}, {"hotkey", to_bytes(hotkey)}};
  return encode_call(metadata, "SubtensorModule", "burned_register", arguments);
}

Result<Bytes> set_mechanism_weights(const Metadata& metadata, const WeightRow& row) {
  ADIT_TRY_VOID(check_row(row));
  const CallArgument arguments[] = {
      {"netuid", integer_bytes(row.netuid)},
      {"mecid", {row.mechanism}},
      {"dests", list_bytes(row.uids)},
      {"weights", list_bytes(row.values)},
      {"version_key", integer_bytes(row.version_key)},
  };
  return encode_call(metadata, "SubtensorModule", "set_mechanism_weights", arguments);
}

Result<Bytes> set_weights(const Metadata& metadata, const WeightRow& row) {
  ADIT_TRY_VOID(check_row(row));
  if (row.mechanism != 0) return invalid_argument("set_weights is of mechanism 0, not {}", row.mechanism);
  const CallArgument arguments[] = {
      {"netuid", integer_bytes(row.netuid)},
      {"dests", list_bytes(row.uids)},
      {"weights", list_bytes(row.values)},
      {"version_key", integer_bytes(row.version_key)},
  };
  return encode_call(metadata, "SubtensorModule", "set_weights", arguments);
}

Result<Bytes> add_stake(const Metadata& metadata, const AccountId& hotkey, NetUid netuid, Rao amount_rao) {
  const CallArgument arguments[] = {{"hotkey", to_bytes(hotkey)},
                                    {"netuid", integer_bytes(netuid)},
                                    {"amount_staked", integer_bytes(amount_rao)}};
  return encode_call(metadata, "SubtensorModule", "add_stake", arguments);
}

// CommitmentInfo { fields: [Data] }; Data is one byte, 1 + length for raw bytes, then the bytes.
Result<Bytes> set_commitment(const Metadata& metadata, NetUid netuid, ByteView data) {
  constexpr std::size_t kRawBytesMax = 128;
  if (data.size() > kRawBytesMax)
    return invalid_argument("{} bytes, at most {}", data.size(), kRawBytesMax);
  scale::Encoder info;
  info.compact(1);
  info.u8(static_cast<std::uint8_t>(1 + data.size()));
  info.raw(data);
  const CallArgument arguments[] = {{"netuid", integer_bytes(netuid)}, {"info", info.take()}};
  return encode_call(metadata, "Commitments", "set_commitment", arguments);
}

Result<Bytes> transfer_keep_alive(const Metadata& metadata, const AccountId& to, Rao amount_rao) {
  scale::Encoder value;
  value.compact(amount_rao);
  const CallArgument arguments[] = {{"dest", address_bytes(to)}, {"value", value.take()}};
  return encode_call(metadata, "Balances", "transfer_keep_alive", arguments);
}

Result<Bytes> sudo(const Metadata& metadata, ByteView inner_call) {
  const CallArgument arguments[] = {{"call", to_bytes(inner_call)}};
  return encode_call(metadata, "Sudo", "sudo", arguments);
}

Result<Bytes> admin_set(const Metadata& metadata, std::string_view what, NetUid netuid,
                        std::uint64_t value) {
  ADIT_TRY(const ItemRef call, admin_call(metadata, what, 2));
  const std::vector<Field>& fields = call.variant->fields;
  ADIT_TRY(Bytes encoded, sized_integer(metadata, call, fields[1], value));
  const CallArgument arguments[] = {{"netuid", integer_bytes(netuid)},
                                    {fields[1].name, std::move(encoded)}};
  return encode_call(metadata, "AdminUtils", call.variant->name, arguments);
}

Result<Bytes> admin_set_global(const Metadata& metadata, std::string_view what, std::uint64_t value) {
  ADIT_TRY(const ItemRef call, admin_call(metadata, what, 1));
  const Field& field = call.variant->fields[0];
  ADIT_TRY(Bytes encoded, sized_integer(metadata, call, field, value));
  const CallArgument arguments[] = {{field.name, std::move(encoded)}};
  return encode_call(metadata, "AdminUtils", call.variant->name, arguments);
}

}  // namespace adit::chain
