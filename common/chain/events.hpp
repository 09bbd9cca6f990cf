// SPDX-License-Identifier: MIT
// common/chain/events.hpp
//
// What a block did: the records of System.Events, and the text of a dispatch error.
//
// Out      fields: the event's arguments, SCALE as they stand. decode_events and encode_events are inverse
// for
//          records without topics.
// Errors   kInvalidArgument with offset and event; an event that the metadata does not know makes the rest
//          unreadable and is an error.
// Threads  pure; any thread.
// Source   polkadot-sdk frame_system::EventRecord, sp_runtime::DispatchError
// Tests    tests/unit/common/chain/events_test.cpp
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/bytes.hpp"
#include "common/base/result.hpp"
#include "common/chain/metadata.hpp"

namespace adit::chain {

enum class Phase : std::uint8_t { kApplyExtrinsic = 0, kFinalization = 1, kInitialization = 2 };

struct Event {
  Phase phase = Phase::kApplyExtrinsic;
  std::uint32_t extrinsic_index = 0;  // kApplyExtrinsic only
  std::string pallet;
  std::string name;
  Bytes fields;

  [[nodiscard]] bool is(std::string_view of_pallet, std::string_view of_name) const {
    return pallet == of_pallet && name == of_name;
  }
};

[[nodiscard]] Result<std::vector<Event>> decode_events(const Metadata& metadata, ByteView bytes);
[[nodiscard]] Result<Bytes> encode_events(const Metadata& metadata, std::span<const Event> events);

// "SubtensorModule.SettingWeightsTooFast", "BadOrigin", "Token.FundsUnavailable", …; for bytes that are no
// dispatch error, a text that says so with the hex.
[[nodiscard]] std::string dispatch_error_text(const Metadata& metadata, ByteView error);

// The DispatchError::Module of a pallet's error, by name.
[[nodiscard]] Result<Bytes> encode_module_error(const Metadata& metadata, std::string_view pallet,
                                                std::string_view error);

}  // namespace adit::chain
