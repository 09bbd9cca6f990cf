// SPDX-License-Identifier: MIT
// common/chain/localnet_metadata.hpp
//
// The metadata blob that the local chain serves: subtensor spec 461, V15, without its prose.
//
// Out      bytes of static storage, ready for Metadata::decode.
// Threads  any.
// Source   common/chain/data/README.md
// Tests    tests/unit/common/chain/strip_metadata_test.cpp
#pragma once

#include "common/base/bytes.hpp"

namespace adit::chain {

[[nodiscard]] ByteView localnet_metadata();

}  // namespace adit::chain
