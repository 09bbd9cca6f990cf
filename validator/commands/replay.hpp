// SPDX-License-Identifier: MIT
// validator/commands/replay.hpp
//
// Recomputes every weight vector of a ledger from its rows and compares the newest landed one with the chain.
//
// In       a ledger and the rules of its charter; optionally a chain and the validator's hotkey.
// Out      the report; `equal` false if the chain holds another row than the ledger gives.
// Errors   kDataLoss: a broken hash chain or a vector that the rows do not give (names the row).
// Threads  one.
// Tests    tests/unit/validator/commands_test.cpp, deploy/demo.sh
#pragma once

#include <ostream>

#include "common/chain/client.hpp"
#include "validator/charter/charter.hpp"
#include "validator/store/ledger.hpp"

namespace adit::validator {

struct ChainSide {
  chain::ChainClient& chain;
  AccountId validator{};
};

struct ReplayReport {
  std::uint64_t rows = 0;
  std::size_t vectors = 0;
  bool compared = false;
  bool equal = true;
};

[[nodiscard]] Result<ReplayReport> replay_ledger(std::ostream& out, const Ledger& ledger,
                                                 const Charter& charter, ChainSide* chain);

}  // namespace adit::validator
