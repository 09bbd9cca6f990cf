// SPDX-License-Identifier: MIT
// validator/consensus/yuma_command.hpp
//
// `adit-validator yuma [--check] < cases`: runs epochs written as text, one a line.
//
// In       lines of yuma_case.hpp, with or without ` => output`; empty lines and lines that begin with # are
//          passed over.
// Out      `input => output` for each case. --check: nothing for a case that has the output it names, and
//          one line on `errors` for each that differs.
// Errors   exit code 2: an argument; 3: a case that cannot be read, said as `line N: key …`; 1: --check found
//          a difference. Reading stops at the first case that cannot be read.
// Threads  one.
// Tests    tests/unit/validator/consensus/yuma_test.cpp
#pragma once

#include <iosfwd>
#include <span>
#include <string>

namespace adit::validator {

struct Streams {
  std::istream& in;
  std::ostream& out;
  std::ostream& errors;
};

[[nodiscard]] int run_yuma_command(std::span<const std::string> arguments, const Streams& streams);

}  // namespace adit::validator
