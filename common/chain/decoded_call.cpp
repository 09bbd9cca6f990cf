// SPDX-License-Identifier: MIT
#include <algorithm>
#include <utility>

#include "common/base/limits.hpp"
#include "common/chain/calls.hpp"
#include "common/scale/decoder.hpp"

namespace adit::chain {

Result<DecodedCall> decode_call(const Metadata& metadata, ByteView call) {
  if (call.size() < 2) return invalid_argument("call: {} bytes, expected at least 2", call.size());
  ADIT_TRY(const ItemRef item, metadata.call(call[0], call[1]));
  DecodedCall out;
  out.pallet = item.pallet->name;
  out.name = item.variant->name;
  const ByteView body = call.subspan(2);
  scale::Decoder in(body);
  for (const Field& field : item.variant->fields) {
    auto value = metadata.types().slice(field.type, in, body);
    if (!value) {
      return tl::unexpected<Error>(value.error().context(item.full_name() + ": " + field.name));
    }
    out.arguments.push_back({field.name, *std::move(value)});
  }
  if (!in.done()) return invalid_argument("{}: {} bytes too many", item.full_name(), in.remaining());
  return out;
}

Result<ByteView> DecodedCall::raw(std::string_view argument) const {
  for (const Argument& candidate : arguments) {
    if (candidate.name == argument) return ByteView(candidate.value);
  }
  return not_found("{}.{} has no argument {}", pallet, name, argument);
}

Result<std::uint64_t> DecodedCall::integer(std::string_view argument, std::size_t bytes) const {
  ADIT_TRY(const ByteView value, raw(argument));
  if (value.size() != bytes || bytes > 8) {
    return invalid_argument("{}.{}: {} is {} bytes, expected {}", pallet, name, argument, value.size(),
                            bytes);
  }
  std::uint64_t out = 0;
  for (std::size_t i = 0; i < bytes; ++i) out |= std::uint64_t{value[i]} << (8 * i);
  return out;
}

Result<bool> DecodedCall::boolean(std::string_view argument) const {
  ADIT_TRY(const std::uint64_t value, integer(argument, 1));
  if (value > 1) return invalid_argument("{}.{}: {} is {}, expected 0 or 1", pallet, name, argument, value);
  return value == 1;
}

Result<AccountId> DecodedCall::account(std::string_view argument) const {
  ADIT_TRY(const ByteView value, raw(argument));
  // A MultiAddress::Id has one byte more.
  const ByteView id = value.size() == 33 && value[0] == 0 ? value.subspan(1) : value;
  AccountId out;
  if (id.size() != out.size()) {
    return invalid_argument("{}.{}: {} is {} bytes, not an account", pallet, name, argument, value.size());
  }
  std::copy(id.begin(), id.end(), out.begin());
  return out;
}

Result<std::vector<std::uint16_t>> DecodedCall::u16_list(std::string_view argument) const {
  ADIT_TRY(const ByteView value, raw(argument));
  scale::Decoder in(value);
  ADIT_TRY(const std::size_t count, in.count(2));
  std::vector<std::uint16_t> out;
  out.reserve(count);
  for (std::size_t i = 0; i < count; ++i) {
    ADIT_TRY(const std::uint16_t item, in.u16());
    out.push_back(item);
  }
  if (!in.done()) return invalid_argument("{}.{}: {} is not a list of u16", pallet, name, argument);
  return out;
}

Result<AxonInfo> decode_serve_axon(const DecodedCall& call) {
  AxonInfo axon;
  ADIT_TRY(const std::uint64_t netuid, call.integer("netuid", 2));
  ADIT_TRY(const std::uint64_t version, call.integer("version", 4));
  ADIT_TRY(const ByteView ip, call.raw("ip"));
  ADIT_TRY(const std::uint64_t port, call.integer("port", 2));
  ADIT_TRY(const std::uint64_t ip_type, call.integer("ip_type", 1));
  ADIT_TRY(const std::uint64_t protocol, call.integer("protocol", 1));
  if (ip.size() != axon.ip.size()) return invalid_argument("serve_axon: ip is {} bytes", ip.size());
  if (ip_type != 4 && ip_type != 6) return invalid_argument("serve_axon: ip_type {}", ip_type);
  std::copy(ip.rbegin(), ip.rend(), axon.ip.begin());
  axon.netuid = static_cast<NetUid>(netuid);
  axon.version = static_cast<std::uint32_t>(version);
  axon.port = static_cast<std::uint16_t>(port);
  axon.is_v6 = ip_type == 6;
  axon.protocol = static_cast<std::uint8_t>(protocol);
  return axon;
}

Result<WeightRow> decode_weight_row(const DecodedCall& call) {
  WeightRow row;
  ADIT_TRY(const std::uint64_t netuid, call.integer("netuid", 2));
  row.netuid = static_cast<NetUid>(netuid);
  if (call.raw("mecid")) {
    ADIT_TRY(const std::uint64_t mechanism, call.integer("mecid", 1));
    row.mechanism = static_cast<MechId>(mechanism);
  }
  ADIT_TRY(row.uids, call.u16_list("dests"));
  ADIT_TRY(row.values, call.u16_list("weights"));
  ADIT_TRY(row.version_key, call.integer("version_key", 8));
  return row;
}

}  // namespace adit::chain
