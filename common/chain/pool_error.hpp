// SPDX-License-Identifier: MIT
// common/chain/pool_error.hpp
//
// What it means when a node's transaction pool does not take an extrinsic.
//
// In       the JSON-RPC error code and its data, as the node sent them.
// Out      kind: what to do next. text: "1010: RateLimitExceeded (Custom error: 6)".
// Errors   none: an unknown code is kRefused with its text.
// Threads  pure; any thread.
// Source   polkadot-sdk client/rpc author errors; RaoFoundation/subtensor CustomTransactionError
// Tests    tests/unit/common/chain/pool_error_test.cpp
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace adit::chain {

enum class PoolErrorKind : std::uint8_t {
  kRefused,       // it would be refused again
  kStaleNonce,    // fetch the nonce again and sign anew
  kStaleRuntime,  // bad proof: runtime or genesis differ from what was signed
  kAlreadySent,   // the pool has or had this very extrinsic: look for it
  kNonceTaken,    // another extrinsic waits with this nonce; it can only lapse
  kPoolFull,
};
struct PoolError {
  PoolErrorKind kind = PoolErrorKind::kRefused;
  std::string text;
};

[[nodiscard]] PoolError pool_error(std::int64_t code, std::string_view data, std::string_view message);
// "RateLimitExceeded" for 6 and so on; none for a number that is not known.
[[nodiscard]] std::optional<std::string_view> custom_error_name(int number);

}  // namespace adit::chain
