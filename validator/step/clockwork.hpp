// SPDX-License-Identifier: MIT
// validator/step/clockwork.hpp
//
// When a step is due: one step an epoch of the chain, read from state, never from modulo arithmetic.
//
// In       a metagraph snapshot; the newest step that the ledger plans; how many blocks before the epoch ends a
//          step may still begin.
// Out      the step number (the chain's epoch index, counted with look-ahead as the chain does) if it is due.
// Threads  pure.
// Source   subtensor st@425 pallets/subtensor/src/coinbase/run_coinbase.rs (should_run_epoch), subnets/weights.rs
// Tests    tests/unit/validator/clockwork_test.cpp
#pragma once

#include <optional>

#include "common/chain/client.hpp"

namespace adit::validator {

// Whether the chain runs the subnet's epoch at `block`.
[[nodiscard]] bool should_run_epoch(const chain::Metagraph& graph, BlockNumber block);
// The epoch that a call included in the next block belongs to.
[[nodiscard]] std::uint64_t current_epoch(const chain::Metagraph& graph);
// First block at which the next epoch runs; none if the subnet has tempo 0.
[[nodiscard]] std::optional<BlockNumber> next_epoch_block(const chain::Metagraph& graph);

// The step to begin now. None: this epoch's step is planned already, or too little of the epoch is left.
[[nodiscard]] std::optional<std::uint64_t> step_due(const chain::Metagraph& graph,
                                                    std::optional<std::uint64_t> planned_last,
                                                    BlockNumber blocks_left_min);

}  // namespace adit::validator
