// SPDX-License-Identifier: MIT
// common/chain/chain_rpc.hpp
//
// The node's RPC methods that we use, with their answers decoded. Internal to common/chain.
//
// In       at: a block hash; none means the node's best block.
// Out      query_storage: one entry for each key, in order.
// Errors   as RpcConnection; kDataLoss naming the method when an answer has another form than expected.
// Threads  any.
// Source   docs of polkadot-sdk's RPC; what the official SDK sends
// Tests    tests/unit/common/chain/substrate_client_test.cpp
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "common/base/bytes.hpp"
#include "common/base/result.hpp"
#include "common/chain/client.hpp"
#include "common/chain/rpc_connection.hpp"

namespace adit::chain {

class ChainRpc {
 public:
  explicit ChainRpc(std::unique_ptr<RpcConnection> connection) : connection_(std::move(connection)) {}

  [[nodiscard]] Result<Hash256> block_hash(BlockNumber number);
  [[nodiscard]] Result<BlockRef> head();
  [[nodiscard]] Result<BlockRef> finalized_head();
  [[nodiscard]] Result<BlockNumber> block_number(const Hash256& at);
  // The extrinsics of a block, with their length prefixes.
  [[nodiscard]] Result<std::vector<Bytes>> block_extrinsics(const Hash256& at);
  [[nodiscard]] Result<std::optional<Bytes>> storage(ByteView key, const std::optional<Hash256>& at);
  [[nodiscard]] Result<std::vector<std::optional<Bytes>>> query_storage(std::span<const Bytes> keys,
                                                                        const Hash256& at);
  [[nodiscard]] Result<RuntimeVersion> runtime_version(const std::optional<Hash256>& at);
  [[nodiscard]] Result<Metadata> metadata(const std::optional<Hash256>& at);
  [[nodiscard]] Result<std::uint32_t> next_nonce(const AccountId& account);
  // Sends an extrinsic without watching it.
  [[nodiscard]] RpcResult<Json> submit(ByteView xt);
  [[nodiscard]] RpcResult<std::unique_ptr<Subscription>> submit_and_watch(ByteView xt);

 private:
  Result<Json> read(std::string_view method, Json params);
  Result<Bytes> metadata_blob(const std::optional<Hash256>& at);

  std::unique_ptr<RpcConnection> connection_;
};

// "0x…" of exactly 32 bytes in a JSON string.
[[nodiscard]] Result<Hash256> hash_from_json(std::string_view what, const Json& value);
[[nodiscard]] std::string hex_0x(ByteView bytes);

}  // namespace adit::chain
