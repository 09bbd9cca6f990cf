// SPDX-License-Identifier: MIT
// common/net/grpc_log.hpp
//
// Sends gRPC's own messages to our log: at debug level, since most of them are about what
// strangers do to the port (failed handshakes) and what matters comes back as a status.
//
// Threads  call once, before the first channel or server.
// Tests    tests/unit/common/net/status_test.cpp
#pragma once

namespace adit::net {

void redirect_grpc_log();

}  // namespace adit::net
