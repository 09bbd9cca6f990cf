// SPDX-License-Identifier: MIT
// validator/localnet/accounts.hpp
//
// Balances and nonces: System.Account and the issuance that it adds up to.
//
// Units    rao.
// Errors   withdraw: Token.FundsUnavailable; NotExpendable when the account must live and would fall below
//          the existential deposit.
// Threads  one.
// Source   polkadot-sdk pallet_balances, frame_system::AccountInfo (balances are u64 on this chain)
// Tests    tests/unit/validator/localnet/calls_test.cpp
#pragma once

#include "validator/localnet/call_context.hpp"

namespace adit::validator {

inline constexpr Rao kExistentialDeposit = 500;

struct AccountRecord {
  std::uint32_t nonce = 0;
  std::uint32_t providers = 0;
  Rao free = 0;
  Rao reserved = 0;
  Rao frozen = 0;
};

[[nodiscard]] AccountRecord read_account(const State& state, const AccountId& account);
void write_account(State& state, const AccountId& account, const AccountRecord& record);
void bump_nonce(State& state, const AccountId& account);

enum class AfterWithdrawal { kMustLive, kMayDie };
// Takes free balance; with kMayDie a rest below the existential deposit is lost and the account reaped.
[[nodiscard]] Dispatched withdraw(State& state, EventLog& events, const AccountId& account, Rao amount,
                                  AfterWithdrawal after);
// Adds free balance, making the account if it is new: Token.BelowMinimum if that would be too little.
[[nodiscard]] Dispatched deposit(State& state, EventLog& events, const AccountId& account, Rao amount);
// Balances.TotalIssuance and SubtensorModule.TotalIssuance go down by what was destroyed.
void destroy_issuance(State& state, Rao amount);

[[nodiscard]] Dispatched transfer(const CallContext& call, AfterWithdrawal after);

}  // namespace adit::validator
