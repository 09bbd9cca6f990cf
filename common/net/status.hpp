// SPDX-License-Identifier: MIT
// common/net/status.hpp
//
// Our errors and gRPC's statuses: the codes are the same numbers; what a failed call says about a
// miner.
//
// Threads  pure; any thread.
// Source   grpc/doc/statuscodes.md
// Tests    tests/unit/common/net/status_test.cpp
#pragma once

#include <grpcpp/support/status.h>

#include "common/base/result.hpp"
#include "common/protocol/verdict.hpp"

namespace adit::net {

[[nodiscard]] grpc::Status to_status(const Error& error);
// Of a status that is not OK. The peer's text is cut to limits::kPeerTextBytesMax and stripped of
// control characters: it goes into logs.
[[nodiscard]] Error from_status(const grpc::Status& status);

// The verdict on a question whose call failed with this error (see MinerChannel::generate).
[[nodiscard]] protocol::Verdict verdict_of(const Error& error);

}  // namespace adit::net
