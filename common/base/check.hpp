// SPDX-License-Identifier: MIT
// common/base/check.hpp
//
// ADIT_CHECK(condition): a broken invariant of our own code aborts, also in release builds.
// Never used on input: input that is wrong is an Error or a Verdict.
//
// Threads  any.
// Tests    tests/unit/common/base/result_test.cpp (death test)
#pragma once

namespace adit {
[[noreturn]] void check_failed(const char* condition, const char* file, int line) noexcept;
}  // namespace adit

#define ADIT_CHECK(condition) \
  ((condition) ? static_cast<void>(0) : ::adit::check_failed(#condition, __FILE__, __LINE__))
