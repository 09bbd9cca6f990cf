// SPDX-License-Identifier: MIT
// validator/localnet/neuron_calls.hpp
//
// The calls of miners and validators: register, serve, set weights, commit data.
//
// In       a CallContext whose call is the one the function is named after.
// Out      each checks in the chain's order and fails with the chain's error name.
//          *_refusal: the code of "Custom error: n" with which the pool refuses the call beforehand, if any.
// Threads  one.
// Source   subtensor pallets/subtensor: subnets/{registration,serving,weights}.rs, extensions/subtensor.rs;
//          pallets/commitments
// Tests    tests/unit/validator/localnet/calls_test.cpp
#pragma once

#include <cstdint>
#include <optional>

#include "validator/localnet/call_context.hpp"

namespace adit::validator {

[[nodiscard]] Dispatched call_burned_register(const CallContext& call);
[[nodiscard]] Dispatched call_register_network(const CallContext& call);
[[nodiscard]] Dispatched call_serve_axon(const CallContext& call);
[[nodiscard]] Dispatched call_set_weights(const CallContext& call);
[[nodiscard]] Dispatched call_set_commitment(const CallContext& call);

[[nodiscard]] std::optional<std::uint8_t> serve_axon_refusal(const CallContext& call);
[[nodiscard]] std::optional<std::uint8_t> set_weights_refusal(const CallContext& call);

// One block of the burn price: it halves in BurnHalfLife blocks, within MinBurn and MaxBurn.
void decay_burn(State& state, NetUid netuid);

}  // namespace adit::validator
