// SPDX-License-Identifier: MIT
// validator/commands/explain.hpp
//
// Why a miner's weight is what it is: every question of the window with its verdict, then the arithmetic.
//
// In       a ledger, the rules, a uid of the newest plan.
// Errors   kNotFound: no miner with that uid in the newest plan; those of the ledger.
// Threads  one.
// Tests    tests/unit/validator/commands_test.cpp
#pragma once

#include <ostream>

#include "validator/replay/ledger_state.hpp"
#include "validator/store/ledger.hpp"

namespace adit::validator {

[[nodiscard]] Result<void> explain(std::ostream& out, const Ledger& ledger, const Rules& rules, Uid uid);

}  // namespace adit::validator
