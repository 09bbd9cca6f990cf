// SPDX-License-Identifier: MIT
#include "common/chain/pool_error.hpp"

#include <array>
#include <charconv>

#include <fmt/core.h>

namespace adit::chain {
namespace {

constexpr std::array<std::string_view, 28> kCustomErrors = {
    "ColdkeyInSwapSchedule",
    "StakeAmountTooLow",
    "BalanceTooLow",
    "SubnetNotExists",
    "HotkeyAccountDoesntExist",
    "NotEnoughStakeToWithdraw",
    "RateLimitExceeded",
    "InsufficientLiquidity",
    "SlippageTooHigh",
    "TransferDisallowed",
    "HotKeyNotRegisteredInNetwork",
    "InvalidIpAddress",
    "ServingRateLimitExceeded",
    "InvalidPort",
    "ZeroMaxAmount",
    "InvalidRevealRound",
    "CommitNotFound",
    "CommitBlockNotInRevealRange",
    "InputLengthsUnequal",
    "UidNotFound",
    "EvmKeyAssociateRateLimitExceeded",
    "ColdkeySwapDisputed",
    "InvalidRealAccount",
    "FailedShieldedTxParsing",
    "InvalidShieldedTxPubKeyHash",
    "NonAssociatedColdKey",
    "DelegateTakeTooLow",
    "DelegateTakeTooHigh",
};

bool contains(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

PoolError invalid_transaction(std::string_view reason) {
  constexpr std::string_view kCustom = "Custom error: ";
  const std::size_t at = reason.find(kCustom);
  if (at != std::string_view::npos) {
    const std::string_view digits = reason.substr(at + kCustom.size());
    int number = -1;
    std::from_chars(digits.data(), digits.data() + digits.size(), number);
    const auto name = custom_error_name(number);
    return {PoolErrorKind::kRefused, fmt::format("1010: {} ({})", name.value_or("unknown reason"), reason)};
  }
  PoolErrorKind kind = PoolErrorKind::kRefused;
  if (contains(reason, "outdated")) kind = PoolErrorKind::kStaleNonce;
  if (contains(reason, "bad signature") || contains(reason, "bad proof"))
    kind = PoolErrorKind::kStaleRuntime;
  return {kind, fmt::format("1010: {}", reason)};
}

}  // namespace

std::optional<std::string_view> custom_error_name(int number) {
  if (number == 255) return "BadRequest";
  if (number < 0 || number >= static_cast<int>(kCustomErrors.size())) return std::nullopt;
  return kCustomErrors[static_cast<std::size_t>(number)];
}

PoolError pool_error(std::int64_t code, std::string_view data, std::string_view message) {
  const std::string_view reason = data.empty() ? message : data;
  switch (code) {
    case 1010:
      return invalid_transaction(reason);
    case 1012:
      return {PoolErrorKind::kAlreadySent, fmt::format("1012: temporarily banned: {}", reason)};
    case 1013:
      return {PoolErrorKind::kAlreadySent, fmt::format("1013: already imported: {}", reason)};
    case 1014:
      return {PoolErrorKind::kNonceTaken,
              fmt::format("1014: another extrinsic waits with this nonce; it must be included or lapse: {}",
                          reason)};
    case 1016:
      return {PoolErrorKind::kPoolFull, fmt::format("1016: the node's pool is full: {}", reason)};
    default:
      return {PoolErrorKind::kRefused, fmt::format("{}: {}", code, reason)};
  }
}

}  // namespace adit::chain
