// SPDX-License-Identifier: MIT
// kernels/hash/hash_rows.h
//
// BLAKE2b with a 32-byte digest over many rows of one length, side by side: one vector lane is one
// row.
//
// In       personal: text of at most 16 bytes, zero-padded to the personalisation field; no key, no
// salt. Shapes   rows  count rows of row_bytes bytes, row_stride bytes apart; any length (0 too),
// any alignment.
//          out   [count][32], row order.
// Limits   personal longer than 16 bytes is cut; count 0 does nothing.
// Threads  pure; callers split rows.
// Exact    every Isa gives the same bytes, those of BLAKE2b (RFC 7693 with the personalisation of
// its paper). Bound    bytes = count * row_bytes; 12 rounds of 96 additions, xors and rotations for
// 128 bytes of a lane. Source   RFC 7693; "BLAKE2: simpler, smaller, fast as MD5", section 2.8
// (parameter block) Tests    tests/unit/kernels/hash/hash_rows_test.cpp (against libsodium)
#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/core/isa.h"

namespace adit::kernels {

constexpr std::size_t kDigestBytes = 32;

// isa must be supported by this machine (isa_supported).
void hash_rows(Isa isa, const char* personal, const std::uint8_t* rows, std::size_t row_bytes,
               std::size_t row_stride, std::size_t count, std::uint8_t* out);

}  // namespace adit::kernels
