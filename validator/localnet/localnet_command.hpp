// SPDX-License-Identifier: MIT
// validator/localnet/localnet_command.hpp
//
// `adit-validator localnet [--rpc HOST:PORT] [--block-time 250ms|12s|manual] [--state DIR]`: runs a local
// chain until SIGINT or SIGTERM.
//
// In       called before any other thread starts: it installs the shutdown handler.
// Out      one line on `out` when it answers: `ready ws://HOST:PORT`.
// Errors   one line on `errors`, and the exit code: 2 usage, a host that is not loopback; 3 a state folder that
//          holds no chain of ours or a corrupt one; 7 a port or state folder that is in use or not writable,
//          a full disk.
// Threads  one, plus the chain's own.
// Tests    tests/unit/validator/localnet/command_test.cpp
#pragma once

#include <iosfwd>
#include <span>
#include <string>

namespace adit::validator {

[[nodiscard]] int run_localnet_command(std::span<const std::string> arguments, std::ostream& out,
                                       std::ostream& errors);

}  // namespace adit::validator
