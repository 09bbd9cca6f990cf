// SPDX-License-Identifier: MIT
// common/base/wide.hpp
//
// 128-bit integers by name: an extension of gcc and clang that every supported compiler has.
//
// Threads  plain values.
#pragma once

namespace adit {

__extension__ typedef __int128 Int128;
__extension__ typedef unsigned __int128 Uint128;

}  // namespace adit
