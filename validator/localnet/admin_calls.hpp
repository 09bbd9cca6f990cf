// SPDX-License-Identifier: MIT
// validator/localnet/admin_calls.hpp
//
// AdminUtils.sudo_set_*: a table from the call to the storage item that it writes.
//
// In       a call whose name stands in the table and whose origin is root.
// Out      the value's bytes go to storage as they are: both have the same type in the metadata.
// Errors   BadOrigin for a signed origin; AdminUtils.SubnetDoesNotExist, ValueNotInBounds,
//          MaxAllowedUIdsLessThanCurrentUIds, NegativeSigmoidSteepness, BondsMovingAverageMaxReached.
// Threads  one; the table is constant.
// Source   subtensor pallets/admin-utils/src/lib.rs; the events are those of SubtensorModule's setters
// Tests    tests/unit/validator/localnet/state_test.cpp
#pragma once

#include <span>
#include <string_view>

#include "validator/localnet/call_context.hpp"

namespace adit::validator {

struct AdminCall {
  // After "sudo_set_".
  std::string_view name;
  // Of SubtensorModule.
  std::string_view item;
  // Of SubtensorModule, with the arguments as fields; empty: none.
  std::string_view event;
};

[[nodiscard]] std::span<const AdminCall> admin_calls();
[[nodiscard]] Dispatched call_admin_set(const CallContext& call);

}  // namespace adit::validator
