// SPDX-License-Identifier: MIT
// validator/localnet/block.hpp
//
// Blocks of the local chain and their hashes.
//
// Out      Header::encode is the SCALE header of the chain (parent, compact number, roots, empty digest);
//          hash is blake2b-256 of it. extrinsics_root is blake2b-256 of the SCALE list of extrinsics, and
//          state_root that of VersionedMap::root_with: both commit to everything, but neither is a trie
//          root, so that storage proofs cannot be made from them.
// Errors   decode: kInvalidArgument with the offset.
// Threads  plain values.
// Tests    tests/unit/validator/localnet/store_test.cpp
#pragma once

#include <vector>

#include "common/base/bytes.hpp"
#include "common/base/result.hpp"
#include "common/base/strong.hpp"

namespace adit::validator {

struct Header {
  Hash256 parent{};
  BlockNumber number = 0;
  Hash256 state_root{};
  Hash256 extrinsics_root{};

  [[nodiscard]] Bytes encode() const;
  [[nodiscard]] static Result<Header> decode(ByteView bytes);
  [[nodiscard]] Hash256 hash() const;
};

struct Block {
  Header header;
  Hash256 hash{};
  // Each with its length prefix.
  std::vector<Bytes> extrinsics;
};

[[nodiscard]] Hash256 extrinsics_root(const std::vector<Bytes>& extrinsics);

}  // namespace adit::validator
