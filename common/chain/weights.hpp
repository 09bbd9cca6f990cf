// SPDX-License-Identifier: MIT
// common/chain/weights.hpp
//
// Fixed-point scores to the u16 weights that the chain stores, and the chain's own checks made beforehand.
//
// In       scores: any unsigned fixed point, one per uid. preflight: the row as it will be sent.
// Out      to_u16: the largest becomes 65535, others round(v * 65535 / max), zeros stay (explicitly); all
// zero
//          stays all zero.
// Errors   preflight: kFailedPrecondition  "<the chain's error name>: why", in the chain's order of checks.
// Exact    integers only: the same weights on every machine.
// Threads  pure; any thread.
// Source   RaoFoundation/subtensor pallets/subtensor/src/subnets/weights.rs, internal_set_weights
// Tests    tests/unit/common/chain/weights_test.cpp
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "common/base/result.hpp"
#include "common/chain/client.hpp"

namespace adit::chain {

[[nodiscard]] std::vector<std::uint16_t> to_u16(std::span<const std::uint64_t> scores);

// What set_mechanism_weights would answer if it were in the block after the metagraph's. Not seen from a
// metagraph and so not checked: whether the hotkey is the subnet owner's (exempt from stake and permit).
[[nodiscard]] Result<void> preflight(const Metagraph& metagraph, const AccountId& hotkey,
                                     std::span<const Uid> uids, std::span<const std::uint16_t> values,
                                     std::uint64_t version_key);

}  // namespace adit::chain
