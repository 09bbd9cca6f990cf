// SPDX-License-Identifier: MIT
#include <algorithm>

#include "validator/localnet/neuron_calls.hpp"
#include "validator/localnet/subnet.hpp"

namespace adit::validator {
namespace {

// AxonInfo: block, version, ip, port, ip_type, protocol, placeholder1, placeholder2.
using StoredAxon = std::tuple<BlockNumber, std::uint32_t, Wide, std::uint16_t, std::uint8_t, std::uint8_t,
                              std::uint8_t, std::uint8_t>;

constexpr std::size_t kCertificateKeyMax = 64;
// A commitment counts as at least this many bytes of its hotkey's allowance.
constexpr std::uint64_t kCommitmentBytesMin = 100;

// Loopback 127.0.0.1 and ::1, and the all-ones addresses, cannot be announced; the rest can.
bool valid_ip(const Wide& ip, std::uint8_t type) {
  constexpr std::uint64_t ones = ~std::uint64_t{0};
  if (type == 4) return ip[1] == 0 && ip[0] < 0xffffffff && ip[0] != 0x7f000001;
  return !(ip[0] == ones && ip[1] == ones) && !(ip[0] == 1 && ip[1] == 0);
}

bool too_soon(const CallContext& call, NetUid netuid) {
  const auto limit = call.state.get<std::uint64_t>(subtensor("ServingRateLimit"), netuid);
  const auto last = call.state.find<StoredAxon>(subtensor("Axons"), netuid, *call.signer);
  return limit != 0 && last && std::get<0>(*last) != 0 && call.block - std::get<0>(*last) < limit;
}

}  // namespace

Dispatched call_serve_axon(const CallContext& call) {
  if (!call.signer) return bad_origin();
  const auto netuid = call.arg<NetUid>("netuid");
  const auto ip = call.arg<Wide>("ip");
  const auto type = call.arg<std::uint8_t>("ip_type");
  const auto port = call.arg<std::uint16_t>("port");
  if (!registered_anywhere(call.state, *call.signer)) return call.fail("HotKeyNotRegisteredInNetwork");
  if (type != 4 && type != 6) return call.fail("InvalidIpType");
  if (!valid_ip(ip, type)) return call.fail("InvalidIpAddress");
  if (too_soon(call, netuid)) return call.fail("ServingRateLimitExceeded");
  if (port == 0) return call.fail("InvalidPort");
  const StoredAxon axon{call.block,
                        call.arg<std::uint32_t>("version"),
                        ip,
                        port,
                        type,
                        call.arg<std::uint8_t>("protocol"),
                        call.arg<std::uint8_t>("placeholder1"),
                        call.arg<std::uint8_t>("placeholder2")};
  call.state.put(subtensor("Axons"), axon, netuid, *call.signer);
  if (call.call.name == "serve_axon_tls") {
    // First byte the algorithm, the rest the key; the chain passes over another length in silence.
    const Bytes certificate = call.arg<Bytes>("certificate");
    if (certificate.size() > 1 && certificate.size() <= 1 + kCertificateKeyMax) {
      const Bytes key(certificate.begin() + 1, certificate.end());
      call.state.put(subtensor("NeuronCertificates"), std::make_tuple(key, certificate[0]), netuid,
                     *call.signer);
    }
  }
  call.emit("AxonServed", netuid, *call.signer);
  return {};
}

std::optional<std::uint8_t> serve_axon_refusal(const CallContext& call) {
  constexpr std::uint8_t not_registered = 10;
  constexpr std::uint8_t invalid_ip = 11;
  constexpr std::uint8_t rate_limit = 12;
  constexpr std::uint8_t invalid_port = 13;
  if (!call.signer) return std::nullopt;
  const auto type = call.arg<std::uint8_t>("ip_type");
  if (!registered_anywhere(call.state, *call.signer)) return not_registered;
  if ((type != 4 && type != 6) || !valid_ip(call.arg<Wide>("ip"), type)) return invalid_ip;
  if (too_soon(call, call.arg<NetUid>("netuid"))) return rate_limit;
  if (call.arg<std::uint16_t>("port") == 0) return invalid_port;
  return std::nullopt;
}

Dispatched call_set_commitment(const CallContext& call) {
  constexpr std::string_view pallet = "Commitments";
  if (!call.signer) return bad_origin();
  State& state = call.state;
  const auto netuid = call.arg<NetUid>("netuid");
  if (!uid_of(state, netuid, *call.signer)) return call.fail_in(pallet, "AccountNotAllowedCommit");
  const Result<ByteView> info = call.call.raw("info");
  ADIT_CHECK(info.has_value());
  // {epoch, used}: the allowance starts anew with each epoch of the subnet.
  const auto epoch = state.get<std::uint64_t>(subtensor("SubnetEpochIndex"), netuid);
  const Item usage{pallet, "UsedSpaceOf"};
  auto used = state.find<std::tuple<std::uint64_t, std::uint64_t>>(usage, netuid, *call.signer)
                  .value_or(std::make_tuple(epoch, std::uint64_t{0}));
  if (std::get<0>(used) != epoch) used = {epoch, 0};
  std::get<1>(used) += std::max<std::uint64_t>(info->size(), kCommitmentBytesMin);
  if (std::get<1>(used) > state.get<std::uint32_t>(Item{pallet, "MaxSpace"})) {
    return call.fail_in(pallet, "SpaceLimitExceeded");
  }
  state.put(usage, used, netuid, *call.signer);
  const auto block = static_cast<std::uint32_t>(call.block);
  Bytes registration = encoded(Rao{0}, block);
  append(registration, *info);
  state.set_raw(state.key(Item{pallet, "CommitmentOf"}, netuid, *call.signer), registration);
  state.put(Item{pallet, "LastCommitment"}, block, netuid, *call.signer);
  call.events.add(pallet, "Commitment", netuid, *call.signer);
  return {};
}

}  // namespace adit::validator
