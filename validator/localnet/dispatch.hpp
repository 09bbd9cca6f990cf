// SPDX-License-Identifier: MIT
// validator/localnet/dispatch.hpp
//
// From a decoded call to the function that does it.
//
// Out      find_call: none for a call that the local chain does not implement. why_not: why a call cannot be
//          run here, empty if it can; run_call is for calls that can: all of their effects, or none of them
//          and the DispatchError.
// Units    fee in rao.
// Threads  one; the table is constant.
// Tests    tests/unit/validator/localnet/calls_test.cpp
#pragma once

#include <string>

#include "validator/localnet/call_context.hpp"

namespace adit::validator {

struct CallKind {
  Dispatched (*run)(const CallContext&) = nullptr;
  // "Custom error: n" of the pool, or null for a call that the pool does not look into.
  std::optional<std::uint8_t> (*refusal)(const CallContext&) = nullptr;
  bool pays_fee = false;
};

[[nodiscard]] const CallKind* find_call(std::string_view pallet, std::string_view name);
// Looks into wrapped calls too. A boolean that is neither 0 nor 1 and a number wider than 64 bits are refused
// here, so that call_context's arg() may trust what it reads.
[[nodiscard]] std::string why_not(const chain::Metadata& metadata, const chain::DecodedCall& call);
[[nodiscard]] Dispatched run_call(const CallContext& call);

// What a call that pays is charged: the local chain's own schedule, a base and a price a byte.
[[nodiscard]] Rao fee_of(const CallKind& kind, std::size_t extrinsic_bytes);

}  // namespace adit::validator
