// SPDX-License-Identifier: MIT
#include "common/net/status.hpp"

#include "common/base/limits.hpp"

namespace adit::net {

static_assert(static_cast<int>(ErrorCode::kCancelled) == grpc::StatusCode::CANCELLED);
static_assert(static_cast<int>(ErrorCode::kDeadlineExceeded) ==
              grpc::StatusCode::DEADLINE_EXCEEDED);
static_assert(static_cast<int>(ErrorCode::kResourceExhausted) ==
              grpc::StatusCode::RESOURCE_EXHAUSTED);
static_assert(static_cast<int>(ErrorCode::kInternal) == grpc::StatusCode::INTERNAL);
static_assert(static_cast<int>(ErrorCode::kUnauthenticated) == grpc::StatusCode::UNAUTHENTICATED);

grpc::Status to_status(const Error& error) {
  return {static_cast<grpc::StatusCode>(error.code), error.message};
}

Error from_status(const grpc::Status& status) {
  std::string text = status.error_message().substr(0, limits::kPeerTextBytesMax);
  for (char& c : text) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = ' ';
  }
  const int code = status.error_code();
  const bool known = code >= static_cast<int>(ErrorCode::kCancelled) &&
                     code <= static_cast<int>(ErrorCode::kUnauthenticated);
  return Error{known ? static_cast<ErrorCode>(code) : ErrorCode::kUnknown, std::move(text)};
}

protocol::Verdict verdict_of(const Error& error) {
  switch (error.code) {
    case ErrorCode::kDeadlineExceeded:
      return protocol::Verdict::kLate;
    case ErrorCode::kDataLoss:
      return protocol::Verdict::kMalformedReceipt;
    case ErrorCode::kUnavailable:
    case ErrorCode::kCancelled:
    case ErrorCode::kUnknown:
    case ErrorCode::kInternal:
      return protocol::Verdict::kNoReply;
    case ErrorCode::kInvalidArgument:
    case ErrorCode::kNotFound:
    case ErrorCode::kAlreadyExists:
    case ErrorCode::kPermissionDenied:
    case ErrorCode::kResourceExhausted:
    case ErrorCode::kFailedPrecondition:
    case ErrorCode::kAborted:
    case ErrorCode::kOutOfRange:
    case ErrorCode::kUnimplemented:
    case ErrorCode::kUnauthenticated:
      return protocol::Verdict::kRefused;
  }
  return protocol::Verdict::kNoReply;
}

}  // namespace adit::net
