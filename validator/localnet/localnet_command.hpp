// SPDX-License-Identifier: MIT
// validator/localnet/localnet_command.hpp
//
// `adit-validator localnet [--rpc HOST:PORT] [--block-time 250ms|12s|manual] [--state DIR]`: runs a local
// chain until SIGINT or SIGTERM.
//
// In       shutdown::install() has been called.
// Out      one line on `out` when it answers: `ready ws://HOST:PORT`.
// Errors   one line on `errors`, and the exit code: 2 usage; 3 state folder (unwritable, corrupt, in use,
//          another chain); 5 port (in use, not loopback); 70 block making stopped, e.g. by a full disk.
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
