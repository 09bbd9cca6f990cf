// SPDX-License-Identifier: MIT
// validator/localnet/call_context.hpp
//
// What a call sees while it runs: who sent it, its arguments, the state, and where its events go.
//
// Out      a Dispatched: nothing on success, else the SCALE of the chain's DispatchError.
// Errors   fail("X") is SubtensorModule.X; an error or event that the metadata lacks is a bug and aborts.
// Threads  one.
// Source   polkadot-sdk sp_runtime::DispatchError, frame_system::EventRecord
// Tests    tests/unit/validator/localnet/calls_test.cpp
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "common/base/bytes.hpp"
#include "common/base/strong.hpp"
#include "common/chain/calls.hpp"
#include "common/chain/events.hpp"
#include "validator/localnet/state.hpp"

namespace adit::validator {

struct DispatchFailure {
  Bytes error;
};
using Dispatched = tl::expected<void, DispatchFailure>;

// The records of System.Events, in the order in which they happen.
class EventLog {
 public:
  void enter(chain::Phase phase, std::uint32_t extrinsic_index = 0) {
    phase_ = phase;
    extrinsic_index_ = extrinsic_index;
  }
  template <class... Fields>
  void add(std::string_view pallet, std::string_view name, const Fields&... fields) {
    add_raw(pallet, name, encoded(fields...));
  }
  void add_raw(std::string_view pallet, std::string_view name, Bytes fields) {
    events_.push_back(
        {phase_, extrinsic_index_, std::string(pallet), std::string(name), std::move(fields)});
  }
  [[nodiscard]] std::size_t size() const { return events_.size(); }
  void truncate(std::size_t size) { events_.resize(size); }
  [[nodiscard]] const std::vector<chain::Event>& all() const { return events_; }

 private:
  chain::Phase phase_ = chain::Phase::kInitialization;
  std::uint32_t extrinsic_index_ = 0;
  std::vector<chain::Event> events_;
};

struct CallContext {
  State& state;
  EventLog& events;
  BlockNumber block = 0;
  // None: the root origin, which only Sudo gives.
  std::optional<AccountId> signer;
  const chain::DecodedCall& call;

  // An argument whose type the caller knows; decode_call has checked the bytes against the metadata.
  template <class T>
  [[nodiscard]] T arg(std::string_view name) const {
    const Result<ByteView> bytes = call.raw(name);
    ADIT_CHECK(bytes.has_value());
    Result<T> value = decoded<T>(*bytes);
    ADIT_CHECK(value.has_value());
    return *std::move(value);
  }
  [[nodiscard]] std::uint64_t compact_arg(std::string_view name) const;

  template <class... Fields>
  void emit(std::string_view name, const Fields&... fields) const {
    events.add("SubtensorModule", name, fields...);
  }
  [[nodiscard]] tl::unexpected<DispatchFailure> fail(std::string_view error) const {
    return fail_in("SubtensorModule", error);
  }
  [[nodiscard]] tl::unexpected<DispatchFailure> fail_in(std::string_view pallet,
                                                        std::string_view error) const;
};

// Dispatch errors that no pallet owns.
[[nodiscard]] tl::unexpected<DispatchFailure> bad_origin();
[[nodiscard]] tl::unexpected<DispatchFailure> cannot_lookup();
enum class TokenError : std::uint8_t { kFundsUnavailable = 0, kBelowMinimum = 2, kNotExpendable = 8 };
[[nodiscard]] tl::unexpected<DispatchFailure> token_error(TokenError error);

}  // namespace adit::validator
