// SPDX-License-Identifier: MIT
#include "validator/localnet/accounts.hpp"

#include <algorithm>
#include <limits>

namespace adit::validator {
namespace {

constexpr Item kAccount{"System", "Account"};
// AccountData.flags of an account written by the current balances pallet.
constexpr Wide kNewLogic{0, std::uint64_t{1} << 63};

// {nonce, consumers, providers, sufficients, free, reserved, frozen, flags}
using Stored = std::tuple<std::uint32_t, std::uint32_t, std::uint32_t, std::uint32_t, Rao, Rao, Rao, Wide>;

Rao saturating_add(Rao a, Rao b) {
  return a > std::numeric_limits<Rao>::max() - b ? std::numeric_limits<Rao>::max() : a + b;
}

}  // namespace

AccountRecord read_account(const State& state, const AccountId& account) {
  const auto stored = state.get<Stored>(kAccount, account);
  return {.nonce = std::get<0>(stored),
          .providers = std::get<2>(stored),
          .free = std::get<4>(stored),
          .reserved = std::get<5>(stored),
          .frozen = std::get<6>(stored)};
}

void write_account(State& state, const AccountId& account, const AccountRecord& record) {
  const Stored stored{record.nonce,  0,        record.providers, 0, record.free, record.reserved,
                      record.frozen, kNewLogic};
  state.put(kAccount, stored, account);
}

void bump_nonce(State& state, const AccountId& account) {
  AccountRecord record = read_account(state, account);
  ++record.nonce;
  write_account(state, account, record);
}

void destroy_issuance(State& state, Rao amount) {
  for (const Item item : {Item{"Balances", "TotalIssuance"}, subtensor("TotalIssuance")}) {
    const Rao total = state.get<Rao>(item);
    state.put(item, total - std::min(total, amount));
  }
}

Dispatched withdraw(State& state, EventLog& events, const AccountId& account, Rao amount,
                    AfterWithdrawal after) {
  AccountRecord record = read_account(state, account);
  if (record.free < amount || record.free - amount < record.frozen) {
    return token_error(TokenError::kFundsUnavailable);
  }
  const Rao rest = record.free - amount;
  if (rest + record.reserved < kExistentialDeposit) {
    if (after == AfterWithdrawal::kMustLive) return token_error(TokenError::kNotExpendable);
    if (rest > 0) {
      events.add("Balances", "DustLost", account, rest);
      destroy_issuance(state, rest);
    }
    if (record.providers > 0) events.add("System", "KilledAccount", account);
    state.remove(kAccount, account);
    return {};
  }
  record.free = rest;
  write_account(state, account, record);
  return {};
}

Dispatched deposit(State& state, EventLog& events, const AccountId& account, Rao amount) {
  AccountRecord record = read_account(state, account);
  if (record.providers == 0) {
    if (saturating_add(record.free, amount) < kExistentialDeposit) {
      return token_error(TokenError::kBelowMinimum);
    }
    record.providers = 1;
    events.add("System", "NewAccount", account);
    events.add("Balances", "Endowed", account, amount);
  }
  record.free = saturating_add(record.free, amount);
  write_account(state, account, record);
  return {};
}

Dispatched transfer(const CallContext& call, AfterWithdrawal after) {
  if (!call.signer) return bad_origin();
  const Result<ByteView> dest = call.call.raw("dest");
  // MultiAddress::Id; this chain has no other kind of address book.
  if (!dest || dest->size() != 33 || (*dest)[0] != 0) return cannot_lookup();
  AccountId to{};
  std::copy(dest->begin() + 1, dest->end(), to.begin());
  const Rao amount = call.compact_arg("value");
  if (to != *call.signer) {
    if (const Dispatched taken = withdraw(call.state, call.events, *call.signer, amount, after); !taken) {
      return taken;
    }
    if (const Dispatched given = deposit(call.state, call.events, to, amount); !given) return given;
  }
  call.events.add("Balances", "Transfer", *call.signer, to, amount);
  return {};
}

}  // namespace adit::validator
