// SPDX-License-Identifier: MIT
// validator/localnet/runtime.hpp
//
// The rules of the local chain: its metadata, its genesis, and how a block changes the state.
//
// In       transactions: decoded and checked once by the pool; checked again against the state they meet.
// Out      build_block: the new block and every change of state it makes; transactions that no longer fit
//          (nonce, era, funds) are left out and named.
// Units    timestamps in ms of unix time; a block's is later than its parent's.
// Errors   make: kInternal when the compiled-in metadata does not decode (a broken build).
// Threads  const members: any thread.
// Source   polkadot-sdk frame_executive (order of a block); developer accounts as `--dev` chains have them
// Tests    tests/unit/validator/localnet/{runtime,calls}_test.cpp
#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "common/base/result.hpp"
#include "common/chain/extrinsic.hpp"
#include "common/chain/metadata.hpp"
#include "validator/localnet/block.hpp"
#include "validator/localnet/call_context.hpp"
#include "validator/localnet/versioned_map.hpp"

namespace adit::validator {

struct Transaction {
  Bytes bytes;
  Hash256 hash{};
  chain::DecodedExtrinsic extrinsic;
  chain::DecodedCall call;
  // The last block that may include it; none: any.
  std::optional<BlockNumber> last_block;
};

struct BuiltBlock {
  Block block;
  Changes changes;
  std::vector<Hash256> included;
  std::vector<Hash256> left_out;
};

class Runtime {
 public:
  [[nodiscard]] static Result<std::unique_ptr<Runtime>> make();

  [[nodiscard]] const chain::Metadata& metadata() const { return metadata_; }
  [[nodiscard]] ByteView metadata_blob() const { return blob_; }
  [[nodiscard]] const chain::RuntimeVersion& version() const { return version_; }

  [[nodiscard]] BuiltBlock genesis() const;
  [[nodiscard]] BuiltBlock build_block(const VersionedMap& base, const Block& parent,
                                       std::span<const Transaction> transactions,
                                       std::uint64_t now_ms) const;

 private:
  Runtime(chain::Metadata metadata, ByteView blob, chain::RuntimeVersion version)
      : metadata_(std::move(metadata)), blob_(blob), version_(std::move(version)) {}
  void begin_block(State& state, const Block& parent) const;
  // False: left out; the state is as before.
  [[nodiscard]] bool apply(const Transaction& transaction, std::uint32_t index, BlockNumber block,
                           State& state, EventLog& events) const;
  [[nodiscard]] Bytes apply_timestamp(State& state, EventLog& events, std::uint64_t now_ms) const;

  chain::Metadata metadata_;
  ByteView blob_;
  chain::RuntimeVersion version_;
};

}  // namespace adit::validator
