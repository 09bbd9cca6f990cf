// SPDX-License-Identifier: MIT
// common/base/result.hpp
//
// Result<T>: a value or an Error. Every function that can fail for a reason outside our code returns one.
//
// Errors   ErrorCode has gRPC's canonical numbers, so that a status maps without a table.
// Threads  plain values; no shared state.
// Source   tl::expected (the shape of std::expected); codes: grpc/doc/statuscodes.md
// Tests    tests/unit/common/base/result_test.cpp
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include <fmt/core.h>
#include <tl/expected.hpp>

namespace adit {

enum class ErrorCode : std::uint8_t {
  kCancelled = 1,
  kUnknown = 2,
  kInvalidArgument = 3,
  kDeadlineExceeded = 4,
  kNotFound = 5,
  kAlreadyExists = 6,
  kPermissionDenied = 7,
  kResourceExhausted = 8,
  kFailedPrecondition = 9,
  kAborted = 10,
  kOutOfRange = 11,
  kUnimplemented = 12,
  kInternal = 13,
  kUnavailable = 14,
  kDataLoss = 15,
  kUnauthenticated = 16,
};

// "invalid_argument" and so on; static storage.
[[nodiscard]] constexpr std::string_view name(ErrorCode code) {
  switch (code) {
    case ErrorCode::kCancelled: return "cancelled";
    case ErrorCode::kUnknown: return "unknown";
    case ErrorCode::kInvalidArgument: return "invalid_argument";
    case ErrorCode::kDeadlineExceeded: return "deadline_exceeded";
    case ErrorCode::kNotFound: return "not_found";
    case ErrorCode::kAlreadyExists: return "already_exists";
    case ErrorCode::kPermissionDenied: return "permission_denied";
    case ErrorCode::kResourceExhausted: return "resource_exhausted";
    case ErrorCode::kFailedPrecondition: return "failed_precondition";
    case ErrorCode::kAborted: return "aborted";
    case ErrorCode::kOutOfRange: return "out_of_range";
    case ErrorCode::kUnimplemented: return "unimplemented";
    case ErrorCode::kInternal: return "internal";
    case ErrorCode::kUnavailable: return "unavailable";
    case ErrorCode::kDataLoss: return "data_loss";
    case ErrorCode::kUnauthenticated: return "unauthenticated";
  }
  return "unknown";
}

struct Error {
  ErrorCode code = ErrorCode::kUnknown;
  std::string message;

  // The same error with "where: " put in front of its message.
  [[nodiscard]] Error context(std::string_view where) const {
    return Error{code, fmt::format("{}: {}", where, message)};
  }
};

template <class T = void>
using Result = tl::expected<T, Error>;

template <class... Args>
[[nodiscard]] tl::unexpected<Error> make_error(ErrorCode code, fmt::format_string<Args...> format,
                                               Args&&... args) {
  return tl::unexpected<Error>(Error{code, fmt::format(format, std::forward<Args>(args)...)});
}

// invalid_argument("offset {}: expected {}", …) etc.: the commonest codes by name.
#define ADIT_DEFINE_ERROR(fn, kCode)                                                       \
  template <class... Args>                                                                 \
  [[nodiscard]] tl::unexpected<Error> fn(fmt::format_string<Args...> format, Args&&... args) { \
    return make_error(ErrorCode::kCode, format, std::forward<Args>(args)...);              \
  }
ADIT_DEFINE_ERROR(invalid_argument, kInvalidArgument)
ADIT_DEFINE_ERROR(not_found, kNotFound)
ADIT_DEFINE_ERROR(failed_precondition, kFailedPrecondition)
ADIT_DEFINE_ERROR(resource_exhausted, kResourceExhausted)
ADIT_DEFINE_ERROR(unavailable, kUnavailable)
ADIT_DEFINE_ERROR(deadline_exceeded, kDeadlineExceeded)
ADIT_DEFINE_ERROR(internal_error, kInternal)
ADIT_DEFINE_ERROR(data_loss, kDataLoss)
ADIT_DEFINE_ERROR(permission_denied, kPermissionDenied)
ADIT_DEFINE_ERROR(unauthenticated, kUnauthenticated)
ADIT_DEFINE_ERROR(unimplemented, kUnimplemented)
#undef ADIT_DEFINE_ERROR

}  // namespace adit

// ADIT_TRY(auto x, f()): x = f()'s value, or return f()'s error from this function.
#define ADIT_TRY_NAME2(line) adit_try_##line
#define ADIT_TRY_NAME(line) ADIT_TRY_NAME2(line)
#define ADIT_TRY(declaration, ...)                                                       \
  auto ADIT_TRY_NAME(__LINE__) = (__VA_ARGS__);                                          \
  if (!ADIT_TRY_NAME(__LINE__))                                                          \
    return tl::unexpected<::adit::Error>(std::move(ADIT_TRY_NAME(__LINE__)).error());    \
  declaration = *std::move(ADIT_TRY_NAME(__LINE__))

// ADIT_TRY_VOID(f()): return f()'s error from this function, if it has one.
#define ADIT_TRY_VOID(...)                                                               \
  do {                                                                                   \
    if (auto adit_try_void = (__VA_ARGS__); !adit_try_void)                              \
      return tl::unexpected<::adit::Error>(std::move(adit_try_void).error());            \
  } while (false)
