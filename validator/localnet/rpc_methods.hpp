// SPDX-License-Identifier: MIT
// validator/localnet/rpc_methods.hpp
//
// The methods of the node's JSON-RPC.
//
// In       params: the request's params, an array (an absent one is empty).
// Out      the result, or an RpcError as it goes to the client.
// Threads  as RpcConnection.
// Source   polkadot-sdk sc-rpc-api: author, chain, state, system
// Tests    tests/unit/validator/localnet/rpc_test.cpp
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

#include "validator/localnet/rpc_connection.hpp"

namespace adit::validator {

struct RpcError {
  int code = 0;
  std::string message;
  std::string data;
};
using RpcResult = tl::expected<nlohmann::json, RpcError>;

struct RpcCall {
  RpcConnection& connection;
  Node& node;
  const nlohmann::json& params;

  // A param that is absent or null is none.
  [[nodiscard]] const nlohmann::json* param(std::size_t index) const;
  [[nodiscard]] tl::expected<Bytes, RpcError> bytes(std::size_t index) const;
  // A block hash; absent or null means the best block.
  [[nodiscard]] tl::expected<std::optional<Hash256>, RpcError> at(std::size_t index) const;
};
using RpcMethod = RpcResult (*)(const RpcCall&);

struct NamedMethod {
  std::string_view name;
  RpcMethod method;
};
// chain_, system_, dev_, rpc_ and the subscriptions to heads; state_; author_.
[[nodiscard]] std::vector<NamedMethod> chain_methods();
[[nodiscard]] std::vector<NamedMethod> state_methods();
[[nodiscard]] std::vector<NamedMethod> author_methods();
// nullptr: no such method.
[[nodiscard]] RpcMethod find_method(std::string_view name);
[[nodiscard]] std::vector<std::string> method_names();

[[nodiscard]] tl::unexpected<RpcError> rpc_error(int code, std::string message, std::string data = "");
[[nodiscard]] tl::unexpected<RpcError> invalid_params(std::string why);
// "Client error: …", the code of the chain's nodes.
[[nodiscard]] tl::unexpected<RpcError> client_error(const Error& error);

[[nodiscard]] std::string hex0x(ByteView bytes);
[[nodiscard]] nlohmann::json header_json(const Header& header);
[[nodiscard]] nlohmann::json runtime_version_json(const Runtime& runtime);

}  // namespace adit::validator
