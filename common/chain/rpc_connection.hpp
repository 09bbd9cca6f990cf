// SPDX-License-Identifier: MIT
// common/chain/rpc_connection.hpp
//
// JSON-RPC 2.0 over a WebSocket that is taken up again when it breaks. Internal to common/chain.
//
// In       Resend::kYes: the request may be sent again on a new connection (reads). kNo: once it was
// written, a
//          lost connection ends it with kUnavailable.
// Out      the answer's result. A subscription gives its notifications in order; it does not outlive the
//          connection it was made on.
// Errors   RpcFailure.error: kUnavailable with url and reason, kDeadlineExceeded with the method,
//          kResourceExhausted (too many requests at once), kDataLoss (the answer is no JSON-RPC),
//          kCancelled (the connection object is going away); RpcFailure.rpc_code: set if the node itself
//          answered with an error.
// Threads  call, subscribe, next: any thread. One internal thread owns the socket.
// Source   jsonrpc.org/specification; polkadot-sdk's RPC for subscriptions
// Tests    tests/unit/common/chain/rpc_connection_test.cpp
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include <nlohmann/json.hpp>
#include <tl/expected.hpp>

#include "common/base/bounded_queue.hpp"
#include "common/base/result.hpp"
#include "common/chain/substrate_client.hpp"

namespace adit::chain {

using Json = nlohmann::json;

struct RpcFailure {
  Error error;
  std::optional<std::int64_t> rpc_code;
  std::string rpc_data;  // the "data" of the node's error, as text
};
template <class T>
using RpcResult = tl::expected<T, RpcFailure>;

enum class Resend : std::uint8_t { kNo, kYes };

// Notifications of one subscription.
class Subscription {
 public:
  virtual ~Subscription() = default;
  // The next notification; kDeadlineExceeded after `wait`; kUnavailable when the connection was lost.
  [[nodiscard]] virtual Result<Json> next(std::chrono::milliseconds wait) = 0;
};

class RpcConnection {
 public:
  // Returns after the first connection stands, or could not be made.
  [[nodiscard]] static Result<std::unique_ptr<RpcConnection>> open(std::string url,
                                                                   const ClientOptions& options);
  virtual ~RpcConnection() = default;

  [[nodiscard]] virtual RpcResult<Json> call(std::string_view method, Json params, Resend resend) = 0;
  // Sends `unsubscribe` with the id when the subscription is dropped.
  [[nodiscard]] virtual RpcResult<std::unique_ptr<Subscription>> subscribe(
      std::string_view method, Json params, std::string_view unsubscribe) = 0;
};

}  // namespace adit::chain
