// SPDX-License-Identifier: MIT
// validator/commands/summary.hpp
//
// What the ledger says about each miner, as rows of a table: shared by status, explain and the demo.
//
// In       a ledger and the rules of the charter.
// Out      one MinerLine a hotkey of the newest plan, by uid.
// Errors   those of Ledger::walk and LedgerState::apply.
// Threads  one.
// Tests    tests/unit/validator/commands_test.cpp
#pragma once

#include <ostream>
#include <string>
#include <vector>

#include "common/chain/client.hpp"
#include "validator/replay/ledger_state.hpp"
#include "validator/store/ledger.hpp"

namespace adit::validator {

struct MinerLine {
  Uid uid = 0;
  AccountId hotkey{};
  HotkeyScore score;
  std::uint16_t weight = 0;                 // of the newest vector that landed
  std::optional<std::uint16_t> incentive;  // from the chain, if it was asked
};

struct Summary {
  std::uint64_t rows = 0;
  std::uint64_t step = 0;
  std::size_t asked = 0;
  std::size_t judged = 0;
  std::size_t vectors_landed = 0;
  std::vector<MinerLine> miners;
};

// Folds the whole ledger. `graph` adds the incentives; nullptr leaves them out.
[[nodiscard]] Result<Summary> summarize(const Ledger& ledger, const Rules& rules,
                                        const chain::Metagraph* graph);

void print_table(std::ostream& out, const Summary& summary);
[[nodiscard]] std::string to_json(const Summary& summary);

// "2x kExact, 1x kNoReply" in the enum's order.
[[nodiscard]] std::string verdict_counts(const HotkeyScore& score);

}  // namespace adit::validator
