// SPDX-License-Identifier: MIT
// common/chain/calls.hpp
//
// The calls that this project makes, encoded by name, and any call taken apart by name.
//
// In       arguments as domain values; each encoding is checked to be one value of the type that the
// metadata
//          gives to the argument of that name.
// Out      pallet index || call index || arguments.
// Errors   kNotFound  the runtime lacks the call; kFailedPrecondition  its arguments are not those known
// here
//          (names or types); kInvalidArgument  a value out of range, or bytes that are not a call.
// Threads  pure; any thread.
// Source   RaoFoundation/subtensor pallets/subtensor/src/macros/dispatches.rs, pallets/admin-utils,
//          pallets/commitments
// Tests    tests/unit/common/chain/calls_test.cpp
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/bytes.hpp"
#include "common/base/result.hpp"
#include "common/base/strong.hpp"
#include "common/chain/metadata.hpp"

namespace adit::chain {

struct CallArgument {
  std::string_view name;
  Bytes value;  // SCALE
};
// Any call: the metadata must have exactly these arguments in this order.
[[nodiscard]] Result<Bytes> encode_call(const Metadata& metadata, std::string_view pallet,
                                        std::string_view name, std::span<const CallArgument> arguments);

struct AxonInfo {
  NetUid netuid = 0;
  std::uint32_t version = 0;
  std::array<std::uint8_t, 16> ip{};  // network order; IPv4 in the last four bytes
  std::uint16_t port = 0;
  bool is_v6 = false;
  std::uint8_t protocol = 4;
};
[[nodiscard]] Result<Bytes> serve_axon(const Metadata& metadata, const AxonInfo& axon);
[[nodiscard]] Result<Bytes> burned_register(const Metadata& metadata, NetUid netuid,
                                            const AccountId& hotkey);

struct WeightRow {
  NetUid netuid = 0;
  MechId mechanism = 0;
  std::vector<Uid> uids{};
  std::vector<std::uint16_t> values{};  // one for each uid
  std::uint64_t version_key = 0;
};
[[nodiscard]] Result<Bytes> set_mechanism_weights(const Metadata& metadata, const WeightRow& row);
[[nodiscard]] Result<Bytes> set_weights(const Metadata& metadata, const WeightRow& row);
[[nodiscard]] Result<Bytes> add_stake(const Metadata& metadata, const AccountId& hotkey, NetUid netuid,
                                      Rao amount_rao);
// One raw field of at most 128 bytes.
[[nodiscard]] Result<Bytes> set_commitment(const Metadata& metadata, NetUid netuid, ByteView data);
[[nodiscard]] Result<Bytes> transfer_keep_alive(const Metadata& metadata, const AccountId& to,
                                                Rao amount_rao);

[[nodiscard]] Result<Bytes> sudo(const Metadata& metadata, ByteView inner_call);
// AdminUtils.sudo_set_<what> of one subnet, for the calls whose arguments are (netuid, value). The width of
// the value is the metadata's; a value that does not fit it is refused. Booleans are 0 and 1. To be wrapped
// in sudo().
[[nodiscard]] Result<Bytes> admin_set(const Metadata& metadata, std::string_view what, NetUid netuid,
                                      std::uint64_t value);
// As admin_set, for the calls with one argument, such as stake_threshold.
[[nodiscard]] Result<Bytes> admin_set_global(const Metadata& metadata, std::string_view what,
                                             std::uint64_t value);

// A call taken apart. Arguments are found by name and read as what the reader expects; a wrong width is an
// error.
class DecodedCall {
 public:
  std::string pallet;
  std::string name;
  struct Argument {
    std::string name;
    Bytes value;
  };
  std::vector<Argument> arguments;

  [[nodiscard]] bool is(std::string_view of_pallet, std::string_view of_name) const {
    return pallet == of_pallet && name == of_name;
  }
  [[nodiscard]] Result<ByteView> raw(std::string_view argument) const;
  // Any unsigned little-endian integer of 1 to 8 bytes, newtypes included.
  [[nodiscard]] Result<std::uint64_t> integer(std::string_view argument, std::size_t bytes) const;
  [[nodiscard]] Result<bool> boolean(std::string_view argument) const;
  [[nodiscard]] Result<AccountId> account(std::string_view argument) const;
  [[nodiscard]] Result<std::vector<std::uint16_t>> u16_list(std::string_view argument) const;
};
// Exactly one call; bytes left over are an error.
[[nodiscard]] Result<DecodedCall> decode_call(const Metadata& metadata, ByteView call);

[[nodiscard]] Result<AxonInfo> decode_serve_axon(const DecodedCall& call);
// set_weights and set_mechanism_weights.
[[nodiscard]] Result<WeightRow> decode_weight_row(const DecodedCall& call);

}  // namespace adit::chain
