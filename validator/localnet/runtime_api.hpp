// SPDX-License-Identifier: MIT
// validator/localnet/runtime_api.hpp
//
// What state_call answers: the runtime APIs that clients of the chain use.
//
// In       function: "Trait_method"; params: its arguments' SCALE, one after another.
// Out      the SCALE of its output, laid out by the metadata's types from real state.
// Errors   kUnimplemented  the local chain does not answer this function, or no chain does;
//          kInvalidArgument  the arguments do not decode.
// Threads  pure; any thread that holds the state.
// Source   subtensor pallets/subtensor/runtime-api, src/rpc_info; polkadot-sdk for Core, Metadata,
//          AccountNonceApi and TransactionPaymentApi
// Tests    tests/unit/validator/localnet/runtime_api_test.cpp
#pragma once

#include <string_view>

#include "validator/localnet/runtime.hpp"
#include "validator/localnet/state.hpp"
#include "validator/localnet/value.hpp"

namespace adit::validator {

[[nodiscard]] Result<Bytes> call_runtime_api(const Runtime& runtime, const State& state, BlockNumber block,
                                             std::string_view function, ByteView params);

// The views behind it; each is empty when the subnet does not exist.
// A mechanism has its own incentives and update times; the rest is the subnet's.
[[nodiscard]] Value metagraph_value(const State& state, NetUid netuid, MechId mechanism, BlockNumber block);
[[nodiscard]] Value neurons_lite_value(const State& state, NetUid netuid);
[[nodiscard]] Value hyperparameters_value(const State& state, NetUid netuid);
[[nodiscard]] Value dynamic_info_value(const State& state, NetUid netuid, BlockNumber block);
[[nodiscard]] Value subnet_state_value(const State& state, NetUid netuid);
[[nodiscard]] Value stake_info_value(const State& state, const AccountId& coldkey);

}  // namespace adit::validator
