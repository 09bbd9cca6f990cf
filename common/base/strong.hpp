// SPDX-License-Identifier: MIT
// common/base/strong.hpp
//
// Names for the integers that must not be mixed up.
//
// Units    Rao: 1e-9 TAO. BlockNumber: blocks from genesis.
// Threads  plain values.
#pragma once

#include <array>
#include <cstdint>

namespace adit {

using Uid = std::uint16_t;
using NetUid = std::uint16_t;
using MechId = std::uint8_t;
using BlockNumber = std::uint64_t;
using Rao = std::uint64_t;
using TokenId = std::int32_t;
using AccountId = std::array<std::uint8_t, 32>;

}  // namespace adit
