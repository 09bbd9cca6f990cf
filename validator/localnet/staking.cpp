// SPDX-License-Identifier: MIT
#include "validator/localnet/staking.hpp"

#include <algorithm>
#include <limits>

#include "validator/consensus/fixed.hpp"
#include "validator/localnet/accounts.hpp"
#include "validator/localnet/subnet.hpp"

namespace adit::validator {
namespace {

UInt128 join(const Wide& wide) {
  return static_cast<UInt128>(wide[1]) << 64 | wide[0];
}
Wide split(UInt128 value) {
  return {static_cast<std::uint64_t>(value), static_cast<std::uint64_t>(value >> 64)};
}

// value * by / over for by, over < 2^64, saturating.
UInt128 scaled(UInt128 value, std::uint64_t by, std::uint64_t over) {
  const UInt128 whole = value / over;
  const UInt128 most = ~UInt128{0};
  if (by != 0 && whole > most / by) return most;
  const UInt128 part = (value % over) * by / over;
  return whole * by > most - part ? most : whole * by + part;
}

// alpha * part / whole for part <= whole, by long multiplication.
Rao portion(Rao alpha, UInt128 part, UInt128 whole) {
  // Shares carry 64 bits after the point; both are cut alike until the product fits.
  while (whole >> 64 != 0) {
    whole >>= 1;
    part >>= 1;
  }
  if (whole == 0) return 0;
  const UInt128 value = static_cast<UInt128>(alpha) * static_cast<std::uint64_t>(part) / whole;
  return static_cast<Rao>(std::min<UInt128>(value, alpha));
}

void add_to(State& state, Item item, const AccountId& hotkey, NetUid netuid, Rao amount) {
  state.put(item, state.get<Rao>(item, hotkey, netuid) + amount, hotkey, netuid);
}
void add_total(State& state, std::string_view name, NetUid netuid, Rao amount) {
  state.put(subtensor(name), state.get<Rao>(subtensor(name), netuid) + amount, netuid);
}
void take_total(State& state, std::string_view name, NetUid netuid, Rao amount) {
  const Rao total = state.get<Rao>(subtensor(name), netuid);
  state.put(subtensor(name), total - std::min(total, amount), netuid);
}

void note_staking_hotkey(State& state, const AccountId& coldkey, const AccountId& hotkey) {
  auto hotkeys = state.get<std::vector<AccountId>>(subtensor("StakingHotkeys"), coldkey);
  if (std::find(hotkeys.begin(), hotkeys.end(), hotkey) != hotkeys.end()) return;
  hotkeys.push_back(hotkey);
  state.put(subtensor("StakingHotkeys"), hotkeys, coldkey);
}

// Checks that add_stake and remove_stake share.
Dispatched check_stake_call(const CallContext& call, const Position& position, Rao amount) {
  if (!subnet_exists(call.state, position.netuid)) return call.fail("SubnetNotExists");
  if (!call.state.get<bool>(subtensor("SubtokenEnabled"), position.netuid)) {
    return call.fail("SubtokenDisabled");
  }
  if (!coldkey_of(call.state, position.hotkey)) return call.fail("HotKeyAccountNotExists");
  if (amount < kStakeMin) return call.fail("AmountTooLow");
  return {};
}

}  // namespace

Rao alpha_of(const State& state, const Position& p) {
  const Rao alpha = state.get<Rao>(subtensor("TotalHotkeyAlpha"), p.hotkey, p.netuid);
  const UInt128 all = join(state.get<Wide>(subtensor("TotalHotkeyShares"), p.hotkey, p.netuid));
  const UInt128 mine = join(state.get<Wide>(subtensor("Alpha"), p.hotkey, p.coldkey, p.netuid));
  return portion(alpha, mine, all);
}

void add_alpha(State& state, const Position& p, Rao amount) {
  const Rao alpha = state.get<Rao>(subtensor("TotalHotkeyAlpha"), p.hotkey, p.netuid);
  const UInt128 all = join(state.get<Wide>(subtensor("TotalHotkeyShares"), p.hotkey, p.netuid));
  const UInt128 mine = join(state.get<Wide>(subtensor("Alpha"), p.hotkey, p.coldkey, p.netuid));
  const UInt128 bought =
      alpha == 0 || all == 0 ? static_cast<UInt128>(amount) << 64 : scaled(all, amount, alpha);
  state.put(subtensor("TotalHotkeyShares"), split(all + bought), p.hotkey, p.netuid);
  state.put(subtensor("Alpha"), split(mine + bought), p.hotkey, p.coldkey, p.netuid);
  add_to(state, subtensor("TotalHotkeyAlpha"), p.hotkey, p.netuid, amount);
  add_total(state, "SubnetAlphaOut", p.netuid, amount);
  note_staking_hotkey(state, p.coldkey, p.hotkey);
}

void share_alpha(State& state, const AccountId& hotkey, NetUid netuid, Rao amount) {
  const UInt128 all = join(state.get<Wide>(subtensor("TotalHotkeyShares"), hotkey, netuid));
  if (all == 0) {
    const AccountId owner = coldkey_of(state, hotkey).value_or(hotkey);
    add_alpha(state, {.hotkey = hotkey, .coldkey = owner, .netuid = netuid}, amount);
    return;
  }
  add_to(state, subtensor("TotalHotkeyAlpha"), hotkey, netuid, amount);
  add_total(state, "SubnetAlphaOut", netuid, amount);
}

Dispatched call_add_stake(const CallContext& call) {
  if (!call.signer) return bad_origin();
  const Position position{.hotkey = call.arg<AccountId>("hotkey"),
                          .coldkey = *call.signer,
                          .netuid = call.arg<NetUid>("netuid")};
  const Rao amount = call.arg<Rao>("amount_staked");
  if (const Dispatched ok = check_stake_call(call, position, amount); !ok) return ok;
  if (read_account(call.state, *call.signer).free < amount) return call.fail("NotEnoughBalanceToStake");
  const Dispatched taken =
      withdraw(call.state, call.events, *call.signer, amount, AfterWithdrawal::kMustLive);
  if (!taken) return call.fail("NotEnoughBalanceToStake");
  add_alpha(call.state, position, amount);
  add_total(call.state, "SubnetTAO", position.netuid, amount);
  call.state.put(subtensor("TotalStake"), call.state.get<Rao>(subtensor("TotalStake")) + amount);
  call.emit("StakeAdded", position.coldkey, position.hotkey, amount, amount, position.netuid,
            std::uint64_t{0});
  return {};
}

Dispatched call_remove_stake(const CallContext& call) {
  if (!call.signer) return bad_origin();
  const Position p{.hotkey = call.arg<AccountId>("hotkey"),
                   .coldkey = *call.signer,
                   .netuid = call.arg<NetUid>("netuid")};
  const Rao amount = call.arg<Rao>("amount_unstaked");
  if (const Dispatched ok = check_stake_call(call, p, amount); !ok) return ok;
  State& state = call.state;
  const Rao held = alpha_of(state, p);
  if (held < amount) return call.fail("NotEnoughStakeToWithdraw");
  if (state.get<Rao>(subtensor("SubnetTAO"), p.netuid) < amount) return call.fail("InsufficientLiquidity");
  const Rao alpha = state.get<Rao>(subtensor("TotalHotkeyAlpha"), p.hotkey, p.netuid);
  const UInt128 all = join(state.get<Wide>(subtensor("TotalHotkeyShares"), p.hotkey, p.netuid));
  const UInt128 mine = join(state.get<Wide>(subtensor("Alpha"), p.hotkey, p.coldkey, p.netuid));
  const UInt128 sold = amount == held ? mine : std::min(mine, scaled(all, amount, alpha));
  state.put(subtensor("TotalHotkeyShares"), split(all - sold), p.hotkey, p.netuid);
  state.put(subtensor("Alpha"), split(mine - sold), p.hotkey, p.coldkey, p.netuid);
  state.put(subtensor("TotalHotkeyAlpha"), alpha - amount, p.hotkey, p.netuid);
  take_total(state, "SubnetAlphaOut", p.netuid, amount);
  take_total(state, "SubnetTAO", p.netuid, amount);
  const Rao total = state.get<Rao>(subtensor("TotalStake"));
  state.put(subtensor("TotalStake"), total - std::min(total, amount));
  if (const Dispatched given = deposit(state, call.events, p.coldkey, amount); !given) return given;
  call.emit("StakeRemoved", p.coldkey, p.hotkey, amount, amount, p.netuid, std::uint64_t{0});
  return {};
}

}  // namespace adit::validator
