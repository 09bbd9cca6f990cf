// SPDX-License-Identifier: MIT
// common/base/exit_code.hpp
//
// What a program's exit code says, the same for both programs.
//
// Threads  constants.
#pragma once

namespace adit::exit_code {

inline constexpr int kOk = 0;
inline constexpr int kFailed = 1;       // the command ran and its answer is no (a check, a comparison)
inline constexpr int kUsage = 2;        // arguments
inline constexpr int kConfig = 3;       // a configuration or input file
inline constexpr int kKeys = 4;         // wallets and key files
inline constexpr int kChain = 5;        // the chain is unreachable or refuses
inline constexpr int kModel = 6;        // model, pack or device
inline constexpr int kUnavailable = 7;  // a port, a disk, another process
inline constexpr int kInternal = 70;

}  // namespace adit::exit_code
