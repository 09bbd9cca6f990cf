// SPDX-License-Identifier: MIT
// validator/consensus/yuma_case.hpp
//
// The one-line text form of an epoch: `key=value …` in, `I=… D=… …` out.
//
// In       n block tempo cutoff lu reg stake thr owner permit maxval w b cr commits kappa pen y3 la lms
//          bma alo ahi steep rao, each once, in any order, one space between. lu, reg, stake, permit:
//          lists by uid separated by ','. w, b: rows by uid separated by ';' of `uid:u16` pairs. commits:
//          `uid:block` pairs. owner: a uid or none. cr, y3, la: 0 or 1.
// Out      I D C VT E SE VE permit B, in the same notation.
// Errors   kInvalidArgument naming the key and what was expected.
// Threads  pure; any thread.
// Source   the notation of tests/vectors/yuma-300.txt.gz.
// Tests    tests/unit/validator/consensus/yuma_test.cpp, tests/fuzz/yuma_case_fuzz.cpp
#pragma once

#include <string>
#include <string_view>

#include "common/base/result.hpp"
#include "validator/consensus/yuma.hpp"

namespace adit::validator {

// A line with or without ` => output`; `expected` is empty without.
struct CaseLine {
  std::string_view input;
  std::string_view expected;
};
[[nodiscard]] CaseLine split_case_line(std::string_view line);

[[nodiscard]] Result<EpochInput> parse_case(std::string_view input);
[[nodiscard]] std::string format_output(const EpochOutput& output);

}  // namespace adit::validator
